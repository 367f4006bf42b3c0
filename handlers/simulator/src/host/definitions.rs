//! The app as its folder describes it: host.json and every `<Name>/function.json` directly under the root.
//! It never starts anything; a function that is wrong says so and does not stop the others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::dates;
use super::json::Json;
use super::schedule::Schedule;

/// Functions may run this long where host.json says nothing: the default of plans other than Consumption.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30 * 60);
/// How long the handler may take to listen where host.json says nothing.
const INITIALIZATION_DEFAULT: Duration = Duration::from_secs(30);
/// Messages at a time where host.json says nothing; *assumed* one core.
const CALLS_DEFAULT: usize = 16;
/// How long a lock is renewed where host.json says nothing.
const RENEWAL_DEFAULT: Duration = Duration::from_secs(5 * 60);
/// Longest name of a function or binding, in characters.
const NAME_CHARACTERS: usize = 128;
/// Trigger and binding types that the host knows here.
const KNOWN_TYPES: [&str; 8] = [
    "timerTrigger",
    "eventGridTrigger",
    "serviceBusTrigger",
    "httpTrigger",
    "manualTrigger",
    "http",
    "serviceBus",
    "eventGrid",
];

/// Why an app cannot be started. A repeat fails the same way until the folder changes.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A file of the app cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// host.json is not a JSON object, or a value in it has the wrong form.
    #[error("host.json is invalid")]
    InvalidHostJson,
    /// No `customHandler.description.defaultExecutablePath`.
    #[error("WorkerConfig for runtime: custom not found")]
    NoHandler,
}

/// The whole app.
#[derive(Clone, Debug)]
pub(super) struct App {
    pub(super) handler: HandlerDescription,
    pub(super) forwards_http: bool,
    pub(super) route_prefix: String,
    /// `None`: no limit.
    pub(super) timeout: Option<Duration>,
    pub(super) initialization: Duration,
    pub(super) concurrent_calls: usize,
    pub(super) lock_renewal: Duration,
    pub(super) functions: BTreeMap<String, Function>,
}

/// How host.json wants the handler started.
#[derive(Clone, Debug, Default)]
pub(super) struct HandlerDescription {
    pub(super) executable: String,
    pub(super) working_directory: String,
    pub(super) arguments: Vec<String>,
    pub(super) worker_path: String,
    pub(super) worker_arguments: Vec<String>,
}

/// One function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    /// As the folder is written.
    pub(super) name: String,
    /// The file, for the admin API.
    pub(super) config: Json,
    pub(super) disabled: bool,
    pub(super) retry: Option<Retry>,
    /// What listens, or why nothing does.
    pub(super) trigger: Result<Trigger, String>,
}

/// What makes a function run. Each names its binding.
#[derive(Clone, Debug)]
pub(super) enum Trigger {
    Timer { binding: String, schedule: Schedule, monitor: bool, at_start: bool },
    EventGrid { binding: String },
    ServiceBus { binding: String, queue: String, binary: bool },
    Http { binding: String, level: Level, methods: Option<Vec<String>>, route: String, http_output: Option<String> },
    Manual { binding: String },
}

/// Which key a caller must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Anonymous,
    Function,
    Admin,
}

/// Repeats inside the host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub(super) count: u32,
    pub(super) first_delay: Duration,
    /// Doubles from try to try up to this; the same as `first_delay` for a fixed one.
    pub(super) last_delay: Duration,
}

impl App {
    /// Reads the app.
    pub(super) fn read(root: &Path, settings: &BTreeMap<String, String>) -> Result<Self, AppError> {
        let text = read_file(&root.join("host.json"))?;
        let host = Json::parse(&text).map_err(|_| AppError::InvalidHostJson)?;
        let handler = handler_description(&host).ok_or(AppError::NoHandler)?;
        let span = |path: &[&str], default| match at(&host, path).and_then(Json::as_text) {
            Some(text) => dates::read_span(text).ok_or(AppError::InvalidHostJson),
            None => Ok(default),
        };
        let whole = |path: &[&str]| match at(&host, path) {
            Some(Json::Number(text)) => text.parse::<usize>().ok(),
            _ => None,
        };
        let timeout = match at(&host, &["functionTimeout"]).and_then(Json::as_text) {
            Some("-1") => None,
            _ => Some(span(&["functionTimeout"], TIMEOUT_DEFAULT)?),
        };
        let forwards = at(&host, &["customHandler", "enableForwardingHttpRequest"]) == Some(&Json::Bool(true));
        let prefix = at(&host, &["extensions", "http", "routePrefix"]).and_then(Json::as_text).unwrap_or("api");
        Ok(Self {
            handler,
            forwards_http: forwards,
            route_prefix: prefix.trim_matches('/').to_owned(),
            timeout,
            initialization: span(&["customHandler", "initializationTimeout"], INITIALIZATION_DEFAULT)?,
            concurrent_calls: whole(&["extensions", "serviceBus", "maxConcurrentCalls"]).unwrap_or(CALLS_DEFAULT),
            lock_renewal: span(&["extensions", "serviceBus", "maxAutoLockRenewalDuration"], RENEWAL_DEFAULT)?,
            functions: read_functions(root, settings)?,
        })
    }

    /// A function by its exact name.
    pub(super) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    /// A function by its name in any case.
    pub(super) fn function_any_case(&self, name: &str) -> Option<&Function> {
        self.functions.values().find(|function| function.name.eq_ignore_ascii_case(name))
    }
}

impl HandlerDescription {
    /// The arguments: variables put in, joined by blanks without quoting and split again, as the host does.
    pub(super) fn command_line(&self, environment: &BTreeMap<String, String>) -> Vec<String> {
        let worker_path = (!self.worker_path.is_empty()).then(|| format!("\"{}\"", self.worker_path));
        let parts = self.arguments.iter().chain(worker_path.as_ref()).chain(&self.worker_arguments);
        let line = parts.map(|part| expand_or_drop(part, environment)).collect::<Vec<_>>().join(" ");
        let mut arguments = Vec::new();
        for (place, quoted) in line.split('"').enumerate() {
            match place % 2 {
                0 => arguments.extend(quoted.split_whitespace().map(str::to_owned)),
                _ => arguments.push(quoted.to_owned()),
            }
        }
        arguments
    }
}

impl Trigger {
    /// The name of its binding.
    pub(super) fn binding(&self) -> &str {
        match self {
            Trigger::Timer { binding, .. }
            | Trigger::EventGrid { binding }
            | Trigger::ServiceBus { binding, .. }
            | Trigger::Http { binding, .. }
            | Trigger::Manual { binding } => binding,
        }
    }
}

fn read_file(path: &Path) -> Result<String, AppError> {
    std::fs::read_to_string(path).map_err(|source| AppError::Unreadable { path: path.to_owned(), source })
}

/// A member by its path; names in any case, as the configuration of .NET has it.
fn at<'a>(value: &'a Json, path: &[&str]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, name| value.get_any_case(name))
}

fn handler_description(host: &Json) -> Option<HandlerDescription> {
    let description = at(host, &["customHandler", "description"])?;
    let text = |name: &str| description.get_any_case(name).and_then(Json::as_text).unwrap_or_default().to_owned();
    let list = |name: &str| match description.get_any_case(name) {
        Some(Json::List(items)) => items.iter().filter_map(Json::as_text).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let executable = text("defaultExecutablePath");
    (!executable.is_empty()).then(|| HandlerDescription {
        executable,
        working_directory: text("workingDirectory"),
        arguments: list("arguments"),
        worker_path: text("defaultWorkerPath"),
        worker_arguments: list("workerArguments"),
    })
}

fn read_functions(root: &Path, settings: &BTreeMap<String, String>) -> Result<BTreeMap<String, Function>, AppError> {
    let unreadable = |source| AppError::Unreadable { path: root.to_owned(), source };
    let mut functions = BTreeMap::new();
    for entry in std::fs::read_dir(root).map_err(unreadable)? {
        let folder = entry.map_err(unreadable)?.path();
        let file = folder.join("function.json");
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if file.is_file() {
            functions.insert(name.to_owned(), read_function(name, &read_file(&file)?, settings));
        }
    }
    Ok(functions)
}

fn read_function(name: &str, text: &str, settings: &BTreeMap<String, String>) -> Function {
    let setting = settings.get(&format!("AzureWebJobs.{name}.Disabled"));
    let disabled = setting.is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"));
    let parsed = Json::parse(text);
    let trigger = match &parsed {
        _ if !is_name(name, &['_', '-']) || name.eq_ignore_ascii_case("host") => {
            Err(format!("'{name}' is not a valid function name."))
        }
        // The host's own text names character, line and column; nobody acts on those.
        Err(_) => Err("The file function.json is not valid JSON.".to_owned()),
        Ok(config) => read_trigger(name, config, settings),
    };
    let config = parsed.unwrap_or(Json::Null);
    Function { name: name.to_owned(), retry: read_retry(&config), config, disabled, trigger }
}

fn is_name(text: &str, also: &[char]) -> bool {
    text.chars().count() <= NAME_CHARACTERS
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(&c))
}

fn read_trigger(function: &str, config: &Json, settings: &BTreeMap<String, String>) -> Result<Trigger, String> {
    let none = Vec::new();
    let bindings = match config.get_any_case("bindings") {
        Some(Json::List(bindings)) => bindings,
        _ => &none,
    };
    if bindings.is_empty() {
        return Err("At least one binding must be declared.".to_owned());
    }
    let text = |binding: &Json, name: &str| binding.get_any_case(name).and_then(Json::as_text).unwrap_or("").to_owned();
    let mut names: Vec<String> = Vec::new();
    for binding in bindings {
        let name = text(binding, "name");
        if !is_name(&name, &[]) && name != "$return" {
            return Err(format!("The binding name {name} is invalid. Please assign a valid name to the binding."));
        }
        if names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Err(format!("Multiple bindings with name '{name}' discovered. Binding names must be unique."));
        }
        names.push(name);
    }
    let is_trigger = |binding: &&Json| text(binding, "type").to_ascii_lowercase().ends_with("trigger");
    let mut triggers = bindings.iter().filter(is_trigger);
    let trigger = triggers
        .next()
        .ok_or("No trigger binding specified. A function must have a trigger input binding.".to_owned())?;
    if triggers.next().is_some() {
        return Err("Multiple trigger bindings defined. A function can only have a single trigger binding.".to_owned());
    }
    let unknown = bindings.iter().map(|binding| text(binding, "type"));
    if let Some(unknown) = { unknown }.find(|kind| !KNOWN_TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind))) {
        return Err(format!(
            "The binding type(s) '{unknown}' are not registered. \
             Please ensure the type is correct and the binding extension is installed."
        ));
    }
    let output = bindings.iter().filter(|binding| text(binding, "type").eq_ignore_ascii_case("http"));
    let output = output.map(|binding| text(binding, "name")).next();
    read_kind(function, trigger, output, settings)
}

fn read_kind(
    function: &str,
    trigger: &Json,
    http_output: Option<String>,
    settings: &BTreeMap<String, String>,
) -> Result<Trigger, String> {
    let text = |name: &str| trigger.get_any_case(name).and_then(Json::as_text).unwrap_or_default();
    let flag = |name: &str| trigger.get_any_case(name).map(|value| *value == Json::Bool(true));
    let binding = text("name").to_owned();
    let indexing = |reason: String| {
        format!("Microsoft.Azure.WebJobs.Host: Error indexing method 'Functions.{function}'. {reason}")
    };
    match text("type").to_ascii_lowercase().as_str() {
        "timertrigger" => {
            let expanded = expand(text("schedule"), settings).map_err(indexing)?;
            let schedule = Schedule::parse(&expanded).ok_or_else(|| {
                indexing(format!(
                    "Microsoft.Azure.WebJobs.Extensions: The schedule expression '{expanded}' \
                     was not recognized as a valid cron expression or timespan string."
                ))
            })?;
            let monitor = flag("useMonitor").unwrap_or(true);
            Ok(Trigger::Timer { binding, schedule, monitor, at_start: flag("runOnStartup").unwrap_or(false) })
        }
        "eventgridtrigger" => Ok(Trigger::EventGrid { binding }),
        "servicebustrigger" => {
            let queue = expand(text("queueName"), settings).map_err(indexing)?;
            Ok(Trigger::ServiceBus { binding, queue, binary: text("dataType").eq_ignore_ascii_case("binary") })
        }
        "httptrigger" => {
            let level = match text("authLevel").to_ascii_lowercase().as_str() {
                "anonymous" => Level::Anonymous,
                "admin" => Level::Admin,
                _ => Level::Function,
            };
            let methods = match trigger.get_any_case("methods") {
                Some(Json::List(items)) => Some(items.iter().filter_map(Json::as_text).map(str::to_owned).collect()),
                _ => None,
            };
            let route = trigger.get_any_case("route").and_then(Json::as_text).unwrap_or(function).to_owned();
            Ok(Trigger::Http { binding, level, methods, route, http_output })
        }
        _ => Ok(Trigger::Manual { binding }),
    }
}

/// Puts app settings in the place of `%Name%`.
fn expand(text: &str, settings: &BTreeMap<String, String>) -> Result<String, String> {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let Some(name) = parts.next() {
        let Some(after) = parts.next() else { return Ok(format!("{out}%{name}")) };
        let value = settings.get(name);
        out.push_str(
            value.ok_or_else(|| format!("Microsoft.Azure.WebJobs.Host: '%{name}%' does not resolve to a value."))?,
        );
        out.push_str(after);
    }
    Ok(out)
}

/// Puts variables in the place of `%Name%`; those that are not set go away.
fn expand_or_drop(text: &str, environment: &BTreeMap<String, String>) -> String {
    let value = |(place, part): (usize, &str)| match place % 2 {
        0 => part.to_owned(),
        _ => environment.get(part).cloned().unwrap_or_default(),
    };
    text.split('%').enumerate().map(value).collect()
}

fn read_retry(config: &Json) -> Option<Retry> {
    let retry = config.get_any_case("retry")?;
    let span = |name: &str| retry.get_any_case(name).and_then(Json::as_text).and_then(dates::read_span);
    let Some(Json::Number(count)) = retry.get_any_case("maxRetryCount") else { return None };
    // -1 means for ever; so many tries are as good as that.
    let count = count.parse::<i64>().ok().map(|count| u32::try_from(count).unwrap_or(u32::MAX))?;
    let (first_delay, last_delay) = match span("delayInterval") {
        Some(delay) => (delay, delay),
        None => (span("minimumInterval")?, span("maximumInterval")?),
    };
    Some(Retry { count, first_delay, last_delay })
}
