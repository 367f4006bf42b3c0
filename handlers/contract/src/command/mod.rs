//! Commands: what people and other systems order, as CloudEvents 1.0 in structured JSON.
//! It never says who may order what, never asks the clock and never shows a token.
//!
//! ```text
//! { "specversion": "1.0", "type": "io.lifeboat.command.Hold.v1", "id": "…", "source": "…", "time": "…", "data": { … } }
//! ```

pub mod form;
mod json;
mod order;
mod reader;
mod refusal;
pub mod words;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use order::{
    Abort, Answer, Approve, CloseBreaker, CommitFailover, CounterName, Freeze, ModeName, Of, OfPoint, Order, Passed,
    Point, Reject, SetMode, StartFailover, Why,
};
pub use refusal::{Expected, Fault, JsonFault, Refusal};

use crate::policy::nearest::nearest;
use form::{BODY_BYTES_MAX, COMMANDS, ENVELOPE, Form, PLANNED, TYPE_PREFIX, TYPE_VERSION};

/// The name of the queue.
pub const QUEUE: &str = "commands";
/// A command lapses so long after it was given, where it does not say when: what was shown to the person is older then.
pub const LIFE: SignedDuration = SignedDuration::from_hours(1);
/// The longest that a command may ask for: ids are remembered for days, and must be for longer than a command lives.
pub const LIFE_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Two clocks may differ by so much.
pub const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// A command, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The idempotency key.
    pub id: String,
    /// Who says that they sent it. Nothing is believed because of it.
    pub source: String,
    /// When it was given.
    pub time: Timestamp,
    /// When it lapses.
    pub lapses_at: Timestamp,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Who it is from: to be verified, then dropped.
    pub token: Option<Token>,
    /// What is ordered.
    pub order: Order,
}

/// An access token as it came. It is not shown, and written only into a command that is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A command that is refused as it stands, with what could be read of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// Its id, where it has one.
    pub id: Option<String>,
    /// Its name, where it is one of ours.
    pub command: Option<&'static str>,
    /// Why.
    pub why: Refusal,
}

impl Token {
    /// A token, without the word `Bearer` before it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, for whoever verifies it.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Command {
    /// A command that is given now.
    pub fn new(id: impl Into<String>, source: impl Into<String>, order: Order, now: Timestamp) -> Self {
        let lapses_at = now.checked_add(LIFE).unwrap_or(Timestamp::MAX);
        Self { id: id.into(), source: source.into(), time: now, lapses_at, dry_run: false, token: None, order }
    }

    /// A command that is given now, from its name and `data` as somebody wrote them: read as any other.
    pub fn draft(
        id: &str,
        source: &str,
        name: &str,
        data: Value,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let body = json!({
            "specversion": "1.0",
            "type": format!("{TYPE_PREFIX}{name}.{TYPE_VERSION}"),
            "id": id,
            "source": source,
            "time": now,
            "dryrun": dry_run,
            "data": data,
        });
        Self::read(body.to_string().as_bytes())
    }

    /// Reads a command. What is not understood refuses it, also where it would not matter.
    pub fn read(body: &[u8]) -> Result<Self, Refused> {
        let nameless = |why| Refused { id: None, command: None, why };
        if body.len() > BODY_BYTES_MAX {
            return Err(nameless(Refusal::TooLarge { bytes: body.len() }));
        }
        let whole = json::read(body).map_err(nameless)?;
        // What can be told of it is told with every refusal, so that the sender finds it again.
        let id = Some(&whole["id"]).filter(|id| reader::hold(&json!({ "id": id }), ID_ALONE, "").is_ok());
        let id = id.and_then(Value::as_str).map(str::to_owned);
        let refused = |command, why| Refused { id: id.clone(), command, why };
        reader::hold(&whole, ENVELOPE, "").map_err(|why| refused(None, why))?;
        let form = named(text(&whole, "type")).map_err(|why| refused(None, why))?;
        Self::read_of(&whole, form).map_err(|why| refused(Some(form.name), why))
    }

    fn read_of(whole: &Value, form: &'static Form) -> Result<Self, Refusal> {
        let data = &whole["data"];
        reader::hold(data, form.data, "data")?;
        beside(data)?;
        let mismatch = || Refusal::field("data", Fault::Expected(Expected::Mapping));
        let order = Order::read(form.name, data).ok_or_else(mismatch)?.map_err(|_| mismatch())?;
        let moment = |name| whole[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let time = moment("time").ok_or_else(|| Refusal::field("time", Fault::Expected(Expected::Moment)))?;
        let after = |life: SignedDuration| time.checked_add(life).unwrap_or(Timestamp::MAX);
        let lapses_at = moment("expirytime").unwrap_or_else(|| after(LIFE));
        if lapses_at < time || lapses_at > after(LIFE_MAX) {
            return Err(Refusal::field("expirytime", Fault::NotWithinADay));
        }
        Ok(Self {
            id: text(whole, "id").to_owned(),
            source: text(whole, "source").to_owned(),
            time,
            lapses_at,
            dry_run: whole["dryrun"].as_bool().unwrap_or_default(),
            token: whole["token"].as_str().map(Token::new),
            order,
        })
    }

    /// Whether it may be taken now: not before it was given, and not once it lapsed.
    pub fn is_timely(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.time.duration_since(now) > CLOCKS_DIFFER {
            return Err(Refusal::OfTheFuture { at: self.time });
        }
        if now >= self.lapses_at {
            return Err(Refusal::Lapsed { at: self.lapses_at });
        }
        Ok(())
    }

    /// The command as it is sent, with its token.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "specversion": "1.0",
            "type": format!("{TYPE_PREFIX}{}.{TYPE_VERSION}", self.order.name()),
            "id": self.id,
            "source": self.source,
            "time": self.time,
            "expirytime": self.lapses_at,
            "datacontenttype": "application/json",
            "data": self.order.data(),
        });
        if self.dry_run {
            body["dryrun"] = true.into();
        }
        if let Some(token) = &self.token {
            body["token"] = token.secret().into();
        }
        body
    }
}

/// The id alone, so that it can be told of a command that is otherwise wrong.
const ID_ALONE: &[form::Field] = &[form::Field { name: "id", required: true, holds: form::Holds::Id, says: "" }];

/// A required text of the envelope.
fn text<'a>(whole: &'a Value, name: &str) -> &'a str {
    whole[name].as_str().unwrap_or_default()
}

/// The form of the command that a `type` names.
fn named(written: &str) -> Result<&'static Form, Refusal> {
    let all = || COMMANDS.iter().map(|form| form.name).chain(PLANNED.iter().copied());
    let (name, version) = match written.strip_prefix(TYPE_PREFIX).and_then(|rest| rest.split_once('.')) {
        Some(parts) => parts,
        None => {
            let last = written.strip_suffix(".v1").unwrap_or(written);
            let last = last.rsplit('.').next().unwrap_or_default();
            return Err(Refusal::UnknownCommand { nearest: nearest(last, all()) });
        }
    };
    if let Some(planned) = PLANNED.iter().find(|planned| **planned == name) {
        return Err(Refusal::NotBuilt { command: planned });
    }
    let Some(form) = COMMANDS.iter().find(|form| form.name == name) else {
        return Err(Refusal::UnknownCommand { nearest: nearest(name, all()) });
    };
    if version == TYPE_VERSION { Ok(form) } else { Err(Refusal::OtherVersion { command: form.name }) }
}

/// A choice answers a question and nothing else; what an order asked for is not changed by approving it.
fn beside(data: &Value) -> Result<(), Refusal> {
    let Some(of) = data.get("of").and_then(Value::as_object) else { return Ok(()) };
    let Some(of) = form::APPROVED.iter().find(|field| of.contains_key(field.name)) else { return Ok(()) };
    let without: &[&str] = match of.name {
        "incident" => &["choice"],
        "question" => &["passes", "protectBack"],
        _ => &["choice", "point", "passes", "protectBack"],
    };
    match without.iter().find(|name| data.get(**name).is_some()) {
        Some(name) => Err(Refusal::field(format!("data.{name}"), Fault::NotBeside(of.name))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
