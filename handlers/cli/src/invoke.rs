//! `lifeboat invoke`: sends one function what its trigger would send, through a Functions host or straight to a handler.
//! It never makes up what a trigger cannot bring, and never prints a key.

mod request;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use comfy_table::{Table, presets};
use serde_json::json;

use crate::client;
use crate::examples::{self, EXAMPLES, Function};
use crate::output::{self, Form, Outcome};
use crate::settings::Settings;

use self::request::{Receiver, Request};

/// Where a Functions host listens on a developer's machine.
const DEFAULT_URL: &str = "http://127.0.0.1:7071";

/// The longest file that is sent, in bytes: the handler refuses longer bodies.
const DATA_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Sends one function what its trigger would send.
///
/// Without --direct the URL is a Functions host: events go to its Event Grid webhook, messages and timers through its admin API,
/// requests to /api. With --direct it is a handler's own port, and the invocation is sent as the host would send it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat invoke --list
  lifeboat invoke VmWritten --example created
  lifeboat invoke Api --example status --url https://my-app.azurewebsites.net --key \"$KEY\"
  lifeboat invoke Reconcile --data message.json

The file of --data holds what the trigger brings: one event or an array of events for VmWritten and VmDeleted, the body of a message for
Reconcile and Command, the state of a timer for PolicySweep and ExpirySweep, a line like `GET /api/status` for Api.

Exit codes: 0 it was accepted, 1 it was refused or nobody answered, 2 the command line was not understood.")]
pub struct InvokeArgs {
    /// The function.
    #[arg(value_enum, required_unless_present = "list", ignore_case = true)]
    function: Option<Function>,
    /// Sends one of our examples.
    #[arg(long, value_name = "NAME", conflicts_with = "data")]
    example: Option<String>,
    /// Sends what is in a file; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The Functions host, or with --direct the handler.
    #[arg(long, default_value = DEFAULT_URL)]
    url: String,
    /// A key of the host: the master key for Reconcile, Command and the sweeps, the eventgrid_extension system key for VmWritten and VmDeleted, a
    /// function key for Api. Better given in the variable LIFEBOAT_KEY, where other users do not see it.
    #[arg(long)]
    key: Option<String>,
    /// The URL is a handler's own port.
    #[arg(long)]
    direct: bool,
    /// Lists the examples.
    #[arg(long)]
    list: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &InvokeArgs, settings: &Settings) -> Result<Outcome> {
    let Some(function) = args.function.filter(|_| !args.list) else {
        list(args);
        return Ok(Outcome::Held);
    };
    let data = match (&args.example, &args.data) {
        (Some(name), _) => examples::find(function, name)
            .with_context(|| {
                format!("{} has no example `{name}`; it has {}", function.name(), examples::names(function))
            })?
            .data
            .as_bytes()
            .to_vec(),
        (None, Some(path)) => read(path).with_context(|| format!("{} cannot be read", path.display()))?,
        (None, None) => {
            bail!("nothing to send; use --data FILE or --example with one of {}", examples::names(function))
        }
    };
    let receiver = if args.direct { Receiver::Handler } else { Receiver::Host };
    let key = args.key.as_ref().or(settings.key.as_ref());
    let requests = request::requests(function, &data, receiver, key.map(String::as_str))?;
    let client = client::client(client::is_loopback(&args.url))?;
    let mut outcome = Outcome::Held;
    for request in &requests {
        let mut asked = request.to(&client, &args.url)?;
        if let (Function::Api, Some(token)) = (function, settings.token.as_ref()) {
            let safe = client::is_loopback(&args.url) || args.url.starts_with("https://");
            ensure!(safe, "{} is plain http to another machine: no token is sent there", args.url);
            asked = asked.bearer_auth(token);
        }
        let answer = client::ask(asked).await;
        // The error's own text repeats the URL with its key.
        let answer = answer.map_err(client::without_url).with_context(|| format!("{} did not answer", args.url))?;
        show(args.output, function, request, &answer);
        if !answer.is_success() {
            outcome = Outcome::DidNotHold;
        }
    }
    Ok(outcome)
}

fn show(form: Form, function: Function, request: &Request, answer: &client::Answer) {
    match form {
        Form::Json => {
            let body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text()));
            output::say_json(&json!({ "function": function.name(), "status": answer.status, "body": body }));
        }
        Form::Text => {
            let meaning = match (answer.is_success(), function) {
                (true, Function::Api) => "answered",
                (true, _) => "accepted",
                (false, _) => "refused",
            };
            output::say(format_args!("{} {} → {} {meaning}", request.method, request.path, answer.status));
            if !answer.body.is_empty() {
                output::say(answer.text());
            }
            if matches!(answer.status, 401 | 403) {
                output::tell("the host wants another key: --key or LIFEBOAT_KEY (`lifeboat help invoke` says which)");
            }
        }
    }
}

fn list(args: &InvokeArgs) {
    let chosen: Vec<_> =
        EXAMPLES.iter().filter(|e| args.function.is_none_or(|function| e.function == function)).collect();
    if args.output == Form::Json {
        let rows = chosen.iter().map(|e| json!({ "function": e.function.name(), "example": e.name, "about": e.about }));
        output::say_json(&rows.collect::<Vec<_>>());
        return;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["FUNCTION", "EXAMPLE", "WHAT IT STANDS FOR"]);
    for example in chosen {
        table.add_row([example.function.name(), example.name, example.about]);
    }
    for line in table.lines() {
        output::say(line.trim_end());
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(DATA_BYTES_MAX + 1).read_to_end(&mut data)?;
    } else {
        std::fs::File::open(path)?.take(DATA_BYTES_MAX + 1).read_to_end(&mut data)?;
    }
    ensure!(data.len() as u64 <= DATA_BYTES_MAX, "it has more than {DATA_BYTES_MAX} bytes");
    Ok(data)
}
