//! `lifeboat-handler`: the custom handler that the Functions host starts. Binds its port first; everything else comes after.
//! It never does work of its own: it ends with its host.

use std::process::ExitCode;
use std::sync::Arc;

use lifeboat_functions::host::{self, RuntimeOptions};
use lifeboat_functions::settings::{Settings, variable};
use lifeboat_functions::{BUILD_ID, app, lifeboat, telemetry};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--build-id") {
        println!("{BUILD_ID}");
        return ExitCode::SUCCESS;
    }
    host::run(variable("FUNCTIONS_CUSTOMHANDLER_PORT").as_deref(), || {
        let settings = Settings::from_env()?;
        let lifeboat = lifeboat(&settings, telemetry::traceparent)?;
        let options = RuntimeOptions::below(settings.function_timeout);
        Ok(app(lifeboat, options.observed_by(Arc::new(telemetry::observer(variable)))))
    })
}
