//! The admin API: invoke, look, drain, resume, restart, keys.
//! It never answers anybody but the holder of the master key, ping apart.

use std::sync::Arc;

use super::core::{Core, lock};
use super::definitions::{Function, Trigger};
use super::encoder::{Metadata, Value};
use super::event_grid::event_payload;
use super::flights::Cause;
use super::invoke::{Call, Input, Payload};
use super::json::Json;
use super::keys::Access;
use super::service_bus;
use super::target::Target;
use super::wire::{RawRequest, RawResponse};

/// The build that was recorded, as the host's status names it.
const RECORDED_BUILD: &str = "89dc438d476542786f2fc4070f553423213a6223";

impl Core {
    /// Answers a request under `/admin`.
    pub(super) async fn admin(self: &Arc<Self>, request: &RawRequest, target: &Target, path: &[&str]) -> RawResponse {
        let lower: Vec<String> = path.iter().map(|part| part.to_ascii_lowercase()).collect();
        let place: Vec<&str> = lower.iter().map(String::as_str).collect();
        if place == ["host", "ping"] {
            return RawResponse::new(200).with("Cache-Control", "no-store,no-cache").with("Pragma", "no-cache");
        }
        match self.access(request, target) {
            Access::Admin => {}
            Access::Nobody => return RawResponse::new(401).with("WWW-Authenticate", "Bearer"),
            Access::Function | Access::System(_) => return RawResponse::new(403),
        }
        match (request.method.as_str(), place.as_slice()) {
            ("POST", ["functions", _]) => self.admin_invoke(request, path[1]),
            ("GET", ["functions"]) => json(
                200,
                &Json::List(self.app.functions.values().filter(is_listed).map(|f| self.item(f, None)).collect()),
            ),
            ("GET", ["functions", _]) => match self.app.function_any_case(path[1]).filter(is_listed) {
                Some(function) => json(200, &self.item(function, request.header("host"))),
                None => RawResponse::new(404),
            },
            ("GET", ["functions", _, "status"]) => match self.app.function_any_case(path[1]).map(|f| &f.trigger) {
                Some(Ok(_)) => json(200, &Json::Object(Vec::new())),
                Some(Err(reason)) => json(200, &Json::object([("errors", Json::List(vec![Json::text(&**reason)]))])),
                None => RawResponse::new(404),
            },
            ("GET", ["host", "status"]) => json(200, &self.status()),
            ("POST", ["host", "drain"]) => {
                *lock(&self.draining) = true;
                self.stop_listeners();
                RawResponse::new(202)
            }
            ("GET", ["host", "drain", "status"]) => json(200, &self.drain_status()),
            ("POST", ["host", "resume"]) => match self.start_job().await {
                Ok(()) => json(200, &Json::object([("state", Json::text("Running"))])),
                Err(_) => RawResponse::new(500),
            },
            ("POST", ["host", "restart"]) => match self.start_job().await {
                Ok(()) => json(200, &Json::object([("scriptPath", self.root("").into_json())])),
                Err(_) => RawResponse::new(500),
            },
            ("POST", ["host", "synctriggers"]) => {
                json(500, &Json::object([("status", Json::text("Invalid environment for SyncTriggers operation."))]))
            }
            (method, ["host", kind @ ("keys" | "functionkeys" | "systemkeys"), name @ ..]) => {
                self.keys(method, kind, name.first().copied(), request)
            }
            _ => RawResponse::new(404),
        }
    }

    fn admin_invoke(self: &Arc<Self>, request: &RawRequest, name: &str) -> RawResponse {
        if request.header("content-type").is_none() {
            return RawResponse::new(415);
        }
        let Some(function) = self.app.function_any_case(name).filter(|function| function.trigger.is_ok()) else {
            return RawResponse::new(404);
        };
        let input = match Json::parse(&String::from_utf8_lossy(&request.body)) {
            Ok(body @ Json::Object(_)) => match body.get_any_case("input") {
                None | Some(Json::Null) => None,
                Some(Json::Text(text)) => Some(text.clone()),
                Some(scalar @ (Json::Number(_) | Json::Bool(_))) => Some(scalar.to_string()),
                Some(_) => return RawResponse::new(400),
            },
            _ => return RawResponse::new(400),
        };
        let call = Call {
            function: function.name.clone(),
            cause: Cause::Admin,
            retry: function.retry,
            caller: None,
            input: self.admin_input(function, input.as_deref()),
        };
        let core = self.clone();
        // Nobody waits for it: the outcome is in the log.
        self.spawn(async move { drop(core.invoke(call).await) });
        RawResponse::new(202)
    }

    /// What a function gets from an admin: its trigger's value made of a text.
    fn admin_input(&self, function: &Function, input: Option<&str>) -> Input {
        let Ok(trigger) = &function.trigger else { return Input::Unbindable(String::new()) };
        let binding = trigger.binding();
        let text = input.unwrap_or_default();
        let mut payload = match trigger {
            Trigger::Timer { schedule, monitor, .. } => Payload {
                binding: binding.to_owned(),
                value: self.admin_timer_value(&function.name, schedule, *monitor),
                metadata: Metadata::default(),
                polluting: None,
            },
            Trigger::EventGrid { .. } => match Json::parse(text) {
                Ok(Json::Object(event)) => event_payload(binding, &event),
                _ => {
                    return unbindable(
                        binding,
                        &format!(
                            "System.FormatException: Unable to parse {text} to \
                                                          Newtonsoft.Json.Linq.JObject"
                        ),
                    );
                }
            },
            Trigger::ServiceBus { binary, .. } => {
                service_bus::payload(binding, *binary, text.as_bytes(), service_bus::admin_metadata())
            }
            Trigger::Http { .. } => {
                return unbindable(binding, "System.NotSupportedException: An HttpRequest is required");
            }
            Trigger::Manual { .. } => {
                let mut metadata = Metadata::default();
                metadata.pollute(text);
                let value = input.map_or(Value::Null, |input| Value::Text(input.to_owned()));
                Payload { binding: binding.to_owned(), value, metadata, polluting: None }
            }
        };
        payload.metadata.set(binding, Value::optional(input));
        Input::Payload(payload)
    }

    fn item(&self, function: &Function, host: Option<&str>) -> Json {
        // The list says another place than a single item does, as recorded.
        let base = host.map_or("https://localhost".to_owned(), |host| format!("http://{host}"));
        let name = &function.name;
        let place = |suffix: &str| Json::Text(format!("{base}/admin/vfs{}{suffix}", self.root(name)));
        Json::object([
            ("name", Json::text(&**name)),
            ("script_root_path_href", place("/")),
            ("script_href", Json::Null),
            ("config_href", place("/function.json")),
            ("test_data_href", Json::Null),
            ("href", Json::Text(format!("{base}/admin/functions/{name}"))),
            ("invoke_url_template", Json::Null),
            ("language", Json::Null),
            ("config", function.config.clone()),
            ("files", Json::Null),
            ("test_data", Json::text("")),
            ("isDisabled", Json::Bool(function.disabled)),
            ("isDirect", Json::Bool(false)),
            ("isProxy", Json::Bool(false)),
        ])
    }

    fn root(&self, name: &str) -> String {
        let root = self.options.app_root.display();
        if name.is_empty() { root.to_string() } else { format!("{root}/{name}") }
    }

    fn status(&self) -> Json {
        let version = &self.options.version;
        let short = version.strip_suffix(".0").unwrap_or(version);
        let uptime = self.started.elapsed().as_millis().to_string();
        let id = self.options.settings.get("AzureFunctionsWebHost__hostid");
        Json::object([
            ("id", Json::text(id.map_or("", String::as_str))),
            ("state", Json::text("Running")),
            ("version", Json::text(&**version)),
            ("versionDetails", Json::Text(format!("{short}+{RECORDED_BUILD}"))),
            ("platformVersion", Json::text("")),
            ("instanceId", Json::text("")),
            ("computerName", Json::text("")),
            ("processUptime", Json::Number(uptime)),
            ("functionAppContentEditingState", Json::text("Unknown")),
        ])
    }

    fn drain_status(&self) -> Json {
        let count = self.flights.now().all();
        let state = match (*lock(&self.draining), count) {
            (false, _) => "Disabled",
            (true, 0) => "Completed",
            (true, _) => "InProgress",
        };
        Json::object([
            ("state", Json::text(state)),
            ("outstandingInvocations", Json::Number(count.to_string())),
            ("outstandingRetries", Json::Number("0".to_owned())),
        ])
    }

    fn keys(&self, method: &str, kind: &str, name: Option<&str>, request: &RawRequest) -> RawResponse {
        let authority = request.header("host").unwrap_or(&self.options.authority);
        let base = format!("http://{authority}/admin/host/{kind}");
        let links =
            |place: String| Json::List(vec![Json::object([("rel", Json::text("self")), ("href", Json::Text(place))])]);
        let mut ring = lock(&self.keys);
        let keys = if kind == "systemkeys" { &mut ring.system } else { &mut ring.host };
        let pair = |name: &str, value: &str| [("name", Json::text(name)), ("value", Json::text(value))];
        match (method, name) {
            ("GET", None) => {
                let list = keys.iter().map(|(name, value)| Json::object(pair(name, value))).collect();
                json(200, &Json::object([("keys", Json::List(list)), ("links", links(base))]))
            }
            ("PUT" | "POST", Some(name)) => {
                let body = Json::parse(&String::from_utf8_lossy(&request.body)).ok();
                let given = body.as_ref().and_then(|body| body.get_any_case("value")?.as_text().map(str::to_owned));
                let value = given.unwrap_or_else(|| self.ids.hex(32));
                let status = if keys.insert(name.to_owned(), value.clone()).is_some() { 200 } else { 201 };
                let place = format!("{base}/{name}");
                let [first, second] = pair(name, &value);
                let response = json(status, &Json::object([first, second, ("links", links(place.clone()))]));
                if status == 201 { response.with("Location", place) } else { response }
            }
            ("DELETE", Some(name)) if keys.remove(name).is_some() => RawResponse::new(204),
            _ => RawResponse::new(404),
        }
    }
}

/// A text as JSON.
trait IntoJson {
    fn into_json(self) -> Json;
}

impl IntoJson for String {
    fn into_json(self) -> Json {
        Json::Text(self)
    }
}

/// The lists leave out functions without a name or bindings that the host takes.
fn is_listed(function: &&Function) -> bool {
    function.config.get_any_case("bindings").is_some()
}

fn unbindable(binding: &str, reason: &str) -> Input {
    Input::Unbindable(format!(
        "System.InvalidOperationException: Exception binding parameter '{binding}'\n ---> {reason}"
    ))
}

fn json(status: u16, value: &Json) -> RawResponse {
    RawResponse::new(status).with("Content-Type", "application/json; charset=utf-8").with_body(value.to_string())
}
