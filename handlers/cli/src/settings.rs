//! What the command takes from its environment, read once at the start.
//! It never writes to the environment and never lists it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The environment of the command.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `LIFEBOAT_KEY`: a key of the Functions host, for what asks or orders something of the handler.
    pub key: Option<String>,
    /// `LIFEBOAT_AUDIENCE`: the application that the handler's tokens are for.
    pub audience: Option<String>,
    /// `LIFEBOAT_TOKEN`: an access token that was got in another way.
    pub token: Option<String>,
    /// `CARGO`: the build tool that started this command, when one did.
    pub cargo: Option<OsString>,
    /// This executable, where the system says.
    pub executable: Option<PathBuf>,
}

impl Settings {
    /// Reads them.
    #[expect(clippy::disallowed_methods, reason = "this is the command's one place that reads the environment")]
    pub fn from_environment() -> Self {
        let text = |name| env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            key: text("LIFEBOAT_KEY"),
            audience: text("LIFEBOAT_AUDIENCE"),
            token: text("LIFEBOAT_TOKEN"),
            cargo: env::var_os("CARGO"),
            executable: env::current_exe().ok(),
        }
    }
}
