//! The scenarios' language: one command a line, `#` narrates.
//! It never guesses: a line that it does not know is an error with its number.
//!
//! ```text
//! policy enforce|report within 24h [keep last|within N [limit N]] | policy snapshots daily | policy broken | policy missing | policies equal
//! estate mine|missing|broken|foreign|other-id     stop (by the Api) | resume (its record)
//! machine NAME created 2d ago [properties]      there from the start, without events
//! create NAME [windows] [no-agent] [managed] [elsewhere] [tag=value …]
//! update|delete|recreate NAME                   agent NAME ready|not-ready
//! schema cloud-events|event-grid                events drop|duplicate N|delay TIME|reorder [about NAME] [always]
//! resend NAME N [after TIME]                    the event of a machine's creation again
//! fault arm|blobs|queue WHAT [on METHOD] [of TEXT] [skip N] [times N|always]      faults clear
//! subscription disabled|enabled                 rights take ACTION | rights give-back
//! host off|on|lost      kill    kill at METHOD TEXT before|after      sweep
//! run TIME              settle [TIME]
//! (about disks: disks.rs; about expiry: expiry.rs; about vaults and schedules: vaults.rs; about plans and checks: onlook.rs; about regions: regions.rs)
//! points NAME why | explain NAME | explain point NAME 40d | spoil|mend NAME N: people.rs
//! topic on|busy|down|good | told: topic.rs
//! points NAME | ledger NAME | queue | status | calls | expect …
//! ```

use std::time::Duration;

use crate::disks::{self, Disks};
use crate::expiry::{self, Expiry};
use crate::onlook::{self, Onlook};
use crate::people::{self, People};
use crate::regions::{self, Regions};
use crate::topic::{self, Topic};
use crate::vaults::{self, Vaults};

/// A line of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// As it was written.
    pub text: String,
    /// What it asks for; nothing for narration and empty lines.
    pub command: Option<Command>,
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Policy(Policy),
    Estate(Estate),
    Machine { name: String, ago: Duration, properties: Vec<Property> },
    Create { name: String, properties: Vec<Property> },
    Update(String),
    Delete(String),
    Recreate(String),
    Agent { name: String, ready: bool },
    Schema { cloud_events: bool },
    Events { effect: Events, about: Option<String>, always: bool },
    Resend { name: String, copies: u32, after: Duration },
    Fault(Fault),
    FaultsClear,
    Stop,
    Resume,
    Subscription { enabled: bool },
    TakeRight(String),
    GiveRightsBack,
    HostOff { at_once: bool },
    HostOn,
    Kill,
    KillAt { method: String, path: String, after: bool },
    Sweep,
    Run(Duration),
    Settle(Duration),
    Points(String),
    Ledger(String),
    Queue,
    Status,
    Calls,
    Expect(Expect),
    Disks(Disks),
    Expiry(Expiry),
    Vaults(Vaults),
    People(People),
    Regions(Regions),
    Onlook(Onlook),
    Topic(Topic),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    Mode { mode: String, within: String },
    Keep { mode: String, within: String, rule: String, value: String, limit: Option<u32> },
    Snapshots,
    Broken,
    Missing,
    Equal,
}

/// What becomes of the estate record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estate {
    Mine,
    Missing,
    Broken,
    Foreign,
    OtherId,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Property {
    Windows,
    NoAgent,
    Managed,
    Elsewhere,
    Disk(String),
    Tag(String, String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Events {
    Drop,
    Duplicate(u32),
    Delay(Duration),
    Reorder,
}

/// A fault on order.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub service: Service,
    pub what: What,
    pub method: Option<String>,
    pub on: Option<String>,
    pub skip: u32,
    /// `None` is always.
    pub times: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Service {
    Arm,
    Blobs,
    Queue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Throttle(Option<u32>),
    Error500,
    Error503,
    ResetBefore,
    ResetAfter,
    Hang,
    Busy,
    Fails(Duration),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    Points { name: String, succeeded: usize },
    DeadLetters(usize),
    Waiting,
}

/// How long `settle` waits when it does not say: three sweeps and more.
const SETTLE: Duration = Duration::from_secs(20 * 60);

/// Reads a scenario.
pub fn read(text: &str) -> Result<Vec<Line>, String> {
    let lines = text.lines().enumerate().map(|(at, text)| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let command = match words.first() {
            None => Ok(None),
            Some(first) if first.starts_with('#') => Ok(None),
            Some(_) => command(&words).map(Some),
        };
        let command = command.map_err(|problem| format!("line {}: {problem}", at + 1))?;
        Ok(Line { number: at + 1, text: text.to_owned(), command })
    });
    lines.collect()
}

/// A line whose words another file knows.
fn of_a_file(words: &[&str]) -> Option<Result<Command, String>> {
    None.or_else(|| Some(disks::read(words)?.map(Command::Disks)))
        .or_else(|| Some(expiry::read(words)?.map(Command::Expiry)))
        .or_else(|| Some(vaults::read(words)?.map(Command::Vaults)))
        .or_else(|| Some(people::read(words)?.map(Command::People)))
        .or_else(|| Some(onlook::read(words)?.map(Command::Onlook)))
        .or_else(|| Some(topic::read(words)?.map(Command::Topic)))
        .or_else(|| Some(regions::read(words)?.map(Command::Regions)))
}

fn command(words: &[&str]) -> Result<Command, String> {
    let owned = |text: &&str| (*text).to_owned();
    if let Some(line) = of_a_file(words) {
        return line;
    }
    Ok(match words {
        ["policies", "equal"] => Command::Policy(Policy::Equal),
        ["estate", state] => Command::Estate(estate(state)?),
        ["policy", rest @ ..] => Command::Policy(policy(rest)?),
        ["machine", name, "created", ago, "ago", rest @ ..] => {
            Command::Machine { name: owned(name), ago: time(ago)?, properties: properties(rest)? }
        }
        ["create", name, rest @ ..] => Command::Create { name: owned(name), properties: properties(rest)? },
        ["create"] => return Err("create <machine> [properties]".to_owned()),
        ["update", name] => Command::Update(owned(name)),
        ["delete", name] => Command::Delete(owned(name)),
        ["recreate", name] => Command::Recreate(owned(name)),
        ["agent", name, state @ ("ready" | "not-ready")] => {
            Command::Agent { name: owned(name), ready: *state == "ready" }
        }
        ["schema", schema @ ("cloud-events" | "event-grid")] => {
            Command::Schema { cloud_events: *schema == "cloud-events" }
        }
        ["events", rest @ ..] => events(rest)?,
        ["resend", name, copies] => {
            Command::Resend { name: owned(name), copies: number(copies)?, after: Duration::ZERO }
        }
        ["resend", name, copies, "after", after] => {
            Command::Resend { name: owned(name), copies: number(copies)?, after: time(after)? }
        }
        ["stop"] => Command::Stop,
        ["resume"] => Command::Resume,
        ["faults", "clear"] => Command::FaultsClear,
        ["fault", service, rest @ ..] => Command::Fault(fault(service, rest)?),
        ["subscription", state @ ("enabled" | "disabled")] => Command::Subscription { enabled: *state == "enabled" },
        ["rights", "take", action] => Command::TakeRight(owned(action)),
        ["rights", "give-back"] => Command::GiveRightsBack,
        ["host", "off"] => Command::HostOff { at_once: false },
        ["host", "lost"] => Command::HostOff { at_once: true },
        ["host", "on"] => Command::HostOn,
        ["kill"] => Command::Kill,
        ["kill", "at", method, path, when @ ("before" | "after")] => {
            Command::KillAt { method: owned(method), path: owned(path), after: *when == "after" }
        }
        ["sweep"] => Command::Sweep,
        ["run", length] => Command::Run(time(length)?),
        ["settle"] => Command::Settle(SETTLE),
        ["settle", length] => Command::Settle(time(length)?),
        ["points", name] => Command::Points(owned(name)),
        ["ledger", name] => Command::Ledger(owned(name)),
        ["queue"] => Command::Queue,
        ["status"] => Command::Status,
        ["calls"] => Command::Calls,
        ["expect", count, "points", "of", name] => {
            Command::Expect(Expect::Points { name: owned(name), succeeded: number(count)? as usize })
        }
        ["expect", count, "dead", "letters"] => Command::Expect(Expect::DeadLetters(number(count)? as usize)),
        ["expect", "work", "waiting"] => Command::Expect(Expect::Waiting),
        _ => return Err(format!("unknown command: {}", words.join(" "))),
    })
}

fn estate(word: &str) -> Result<Estate, String> {
    match word {
        "mine" => Ok(Estate::Mine),
        "missing" => Ok(Estate::Missing),
        "broken" => Ok(Estate::Broken),
        "foreign" => Ok(Estate::Foreign),
        "other-id" => Ok(Estate::OtherId),
        _ => Err(format!("{word} is no state of the estate record")),
    }
}

fn policy(words: &[&str]) -> Result<Policy, String> {
    match words {
        ["broken"] => Ok(Policy::Broken),
        ["snapshots", "daily"] => Ok(Policy::Snapshots),
        ["missing"] => Ok(Policy::Missing),
        [mode @ ("enforce" | "report"), "within", within] => {
            time(within)?;
            Ok(Policy::Mode { mode: (*mode).to_owned(), within: (*within).to_owned() })
        }
        [mode @ ("enforce" | "report"), "within", within, "keep", rule @ ("last" | "within"), value, limit @ ..] => {
            let limit = match limit {
                [] => None,
                ["limit", limit] => Some(number(limit)?),
                _ => return Err(format!("{} is no limit", limit.join(" "))),
            };
            let [mode, within, rule, value] = [mode, within, rule, value].map(|word| (*word).to_owned());
            Ok(Policy::Keep { mode, within, rule, value, limit })
        }
        ["enforce" | "report", ..] => Err("within <time>".to_owned()),
        _ => Err(format!("{} is no policy", words.join(" "))),
    }
}

fn properties(words: &[&str]) -> Result<Vec<Property>, String> {
    let property = |word: &&str| match *word {
        "windows" => Ok(Property::Windows),
        "no-agent" => Ok(Property::NoAgent),
        "managed" => Ok(Property::Managed),
        "elsewhere" => Ok(Property::Elsewhere),
        word if word.starts_with("disk:") => Ok(Property::Disk(word["disk:".len()..].to_owned())),
        word => match word.split_once('=') {
            Some((name, value)) => Ok(Property::Tag(name.to_owned(), value.to_owned())),
            None => Err(format!("{word} is no property of a machine")),
        },
    };
    words.iter().map(property).collect()
}

fn events(words: &[&str]) -> Result<Command, String> {
    let (effect, mut rest) = match words {
        ["drop", rest @ ..] => (Events::Drop, rest),
        ["duplicate", copies, rest @ ..] => (Events::Duplicate(number(copies)?), rest),
        ["delay", by, rest @ ..] => (Events::Delay(time(by)?), rest),
        ["reorder", rest @ ..] => (Events::Reorder, rest),
        _ => return Err(format!("{} is nothing that happens to events", words.join(" "))),
    };
    let (mut about, mut always) = (None, false);
    while !rest.is_empty() {
        rest = match rest {
            ["about", name, rest @ ..] => {
                about = Some((*name).to_owned());
                rest
            }
            ["always", rest @ ..] => {
                always = true;
                rest
            }
            _ => return Err(format!("{} is not understood", rest.join(" "))),
        };
    }
    Ok(Command::Events { effect, about, always })
}

fn fault(service: &str, words: &[&str]) -> Result<Fault, String> {
    let service = match service {
        "arm" => Service::Arm,
        "blobs" => Service::Blobs,
        "queue" => Service::Queue,
        _ => return Err(format!("{service} is no service")),
    };
    let (what, mut rest) = match words {
        ["throttle", "retry-after", after, rest @ ..] => {
            let seconds = u32::try_from(time(after)?.as_secs()).map_err(|_| "too long".to_owned())?;
            (What::Throttle(Some(seconds)), rest)
        }
        ["throttle", rest @ ..] => (What::Throttle(None), rest),
        ["500", rest @ ..] => (What::Error500, rest),
        ["503", rest @ ..] => (What::Error503, rest),
        ["reset-before", rest @ ..] => (What::ResetBefore, rest),
        ["reset-after", rest @ ..] => (What::ResetAfter, rest),
        ["hang", rest @ ..] => (What::Hang, rest),
        ["busy", rest @ ..] => (What::Busy, rest),
        ["fails", "after", after, rest @ ..] => (What::Fails(time(after)?), rest),
        [other, ..] => return Err(format!("{other} is no fault")),
        [] => return Err("fault <service> <what>".to_owned()),
    };
    let mut fault = Fault { service, what, method: None, on: None, skip: 0, times: Some(1) };
    while !rest.is_empty() {
        rest = match rest {
            ["on", method @ ("GET" | "PUT" | "POST" | "DELETE"), rest @ ..] => {
                fault.method = Some((*method).to_owned());
                rest
            }
            ["of", path, rest @ ..] => {
                fault.on = Some((*path).to_owned());
                rest
            }
            ["skip", count, rest @ ..] => {
                fault.skip = number(count)?;
                rest
            }
            ["times", count, rest @ ..] => {
                fault.times = Some(number(count)?);
                rest
            }
            ["always", rest @ ..] => {
                fault.times = None;
                rest
            }
            _ => return Err(format!("{} is not understood", rest.join(" "))),
        };
    }
    Ok(fault)
}

fn number(word: &str) -> Result<u32, String> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

/// A length of time.
pub fn time(word: &str) -> Result<Duration, String> {
    let split = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let seconds = match &word[split..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    let count = word[..split].parse::<u64>().ok().filter(|_| seconds > 0);
    count.map(|count| Duration::from_secs(count * seconds)).ok_or_else(|| format!("{word} is no length of time"))
}
