//! The lines of scenarios about what people ask by their own sign-in: verdicts with their reasons, and the story that ledgers tell.
//! It never goes through the tap: what a person reads is no call of the handler.
//!
//! ```text
//! points NAME why               the verdict on each point of the machine, with all its reasons
//! explain NAME                  what the ledgers tell of all machines of this name
//! explain point NAME 40d        … of the point of `past` that was made so long before the start
//! command NAME {…}              somebody without a name sends a command of this name with this data to the queue
//! spoil|mend NAME N             somebody edits the Nth line of the machine's ledger, or puts it right
//! ```

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use azure_core::time::OffsetDateTime;
use jiff::SignedDuration;
use lifeboat_execution::Connections;
use lifeboat_execution::clock::Clock;
use lifeboat_execution::operator::Operator;
use lifeboat_execution::story::About;
use lifeboat_execution::vault_verdicts::{ItemVerdicts, VaultVerdict};
use lifeboat_execution::verdicts::{Reader, Told, Whose};
use lifeboat_planning::id::MachineKey;
use lifeboat_simulator::azure::{Grant, Identity};
use lifeboat_simulator::bus::Message;
use lifeboat_tests::rig::{CONTAINER, SUBSCRIPTION};
use lifeboat_tests::{Rig, past};

use crate::language::time;

/// Where the simulated Azure takes itself to be.
const ARM: &str = "https://management.azure.com";
/// The dice of a person, who throws none.
const SEED: u64 = 1;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum People {
    Why(String),
    Explain(String),
    ExplainPoint { name: String, ago: Duration },
    Command { name: String, data: String },
    Spoil { name: String, line: usize, mend: bool },
}

/// Reads a line; none when it is about something else.
pub fn read(words: &[&str]) -> Option<Result<People, String>> {
    let owned = |word: &&str| (*word).to_owned();
    Some(match words {
        ["points", name, "why"] => Ok(People::Why(owned(name))),
        ["explain", "point", name, ago] => time(ago).map(|ago| People::ExplainPoint { name: owned(name), ago }),
        ["command", name, data @ ..] => Ok(People::Command { name: owned(name), data: data.join(" ") }),
        ["explain", name] => Ok(People::Explain(owned(name))),
        [word @ ("spoil" | "mend"), name, line] => line
            .parse()
            .map(|line| People::Spoil { name: owned(name), line, mend: *word == "mend" })
            .map_err(|_| format!("{line} is no line")),
        _ => return None,
    })
}

/// Does what the line asks for; the lines that show what came of it.
pub async fn act(rig: &Rig, line: &People) -> Result<Vec<String>, String> {
    let lines = match line {
        People::Why(name) => why(rig, name).await?,
        People::Explain(name) => explain(rig, name).await?,
        People::ExplainPoint { name, ago } => {
            let ago = SignedDuration::try_from(*ago).map_err(|error| error.to_string())?;
            let machine = rig.azure.machine(name).ok_or("no such machine")?;
            explain(rig, &past::point(rig, &machine.vm_id, ago)).await?
        }
        People::Command { name, data } => {
            command(rig, name, data)?;
            Vec::new()
        }
        People::Spoil { name, line, mend } => {
            spoil(rig, name, *line, *mend)?;
            Vec::new()
        }
    };
    Ok(lines.into_iter().map(|line| format!("  {line}")).collect())
}

/// Puts a command on the queue, as any other system does.
fn command(rig: &Rig, name: &str, data: &str) -> Result<(), String> {
    let data: serde_json::Value = serde_json::from_str(data).map_err(|error| error.to_string())?;
    let body = serde_json::json!({
        "specversion": "1.0",
        "type": format!("io.lifeboat.command.{name}.v1"),
        "id": format!("scenario-{name}"),
        "source": "/scenario",
        "time": rig.clock.now(),
        "data": data,
    });
    let id = Some(format!("scenario-{name}"));
    let message = Message { body: body.to_string().into(), message_id: id, ..Message::default() };
    rig.bus.send("commands", message).map_err(|error| format!("{error:?}"))
}

/// A person with all rights who is signed in.
struct SignedIn {
    identity: Identity,
    object_id: String,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for SignedIn {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let audience = scopes.first().copied().unwrap_or_default().trim_end_matches("/.default");
        let token = self.identity.token(&self.object_id, audience);
        Ok(AccessToken::new(
            Secret::new(token),
            OffsetDateTime::from_unix_timestamp(i64::from(u32::MAX)).expect("a time"),
        ))
    }
}

/// What a person asks is no handler's call: the roles of the deployment are not held to it.
#[derive(Debug)]
struct OfPerson(Arc<dyn HttpClient>);

#[async_trait]
impl HttpClient for OfPerson {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut request = request.clone();
        request.insert_header("user-agent", "a person");
        self.0.execute_request(&request).await
    }
}

fn connections(rig: &Rig) -> Connections {
    let transport: Arc<dyn HttpClient> = Arc::new(OfPerson(rig.azure.transport(&rig.blobs, &rig.bus)));
    let principal = rig.azure.identity.add_named("operator", vec![Grant::owner()]);
    let identity = rig.azure.identity.clone();
    let credential = Arc::new(SignedIn { identity, object_id: principal.object_id });
    Connections::new(transport, credential, Clock::starting_at(rig.clock.now()), SEED)
}

fn store() -> String {
    format!("https://acct.blob.core.windows.net/{CONTAINER}")
}

async fn why(rig: &Rig, name: &str) -> Result<Vec<String>, String> {
    let scope = [SUBSCRIPTION.to_owned()];
    let reader = Reader::open(connections(rig), ARM, &store(), &scope).await.map_err(|error| error.to_string())?;
    let whose = Whose::parse(name).map_err(|error| error.to_string())?;
    let verdicts = reader.verdicts(&whose, true).await.map_err(|error| error.to_string())?;
    let told = |point: &Told| {
        let deletion = point.deletion.iter().map(|tried| format!("; {tried}")).collect::<String>();
        let (state, verdict) = (point.state_word(), point.verdict_words());
        format!("{} {state}, {verdict}: {}{deletion}", point.name, point.reasons)
    };
    let points = verdicts.points.iter().map(told);
    let in_vault = |(_, item): &(String, ItemVerdicts)| {
        let point = |point: &VaultVerdict| {
            let reasons: Vec<String> = point.reasons.iter().map(ToString::to_string).collect();
            format!(
                "in a vault, of {}, {}: {}",
                point.at.map_or_else(String::new, |at| at.to_string()),
                point.kind.word(),
                reasons.join("; ")
            )
        };
        item.verdicts.iter().map(point).collect::<Vec<_>>()
    };
    let in_vaults = verdicts.in_vaults.iter().flat_map(in_vault);
    let withheld = verdicts.withheld.iter().map(|why| format!("nothing is deleted for now: {why}"));
    Ok(points
        .chain(in_vaults)
        .chain(withheld)
        .chain(verdicts.unread.iter().map(|what| format!("not read: {what}")))
        .collect())
}

async fn explain(rig: &Rig, about: &str) -> Result<Vec<String>, String> {
    let about = About::parse(about).ok_or("neither a machine nor a point")?;
    let operator = Operator::connect(&connections(rig), ARM, &store()).map_err(|error| error.to_string())?;
    let story = operator.story(about).await.map_err(|error| error.to_string())?;
    Ok(if story.chapters.is_empty() { vec!["no ledger tells of it".to_owned()] } else { story.lines() })
}

/// Edits one line, so that its body does not have its hash any more, or puts it right.
fn spoil(rig: &Rig, name: &str, line: usize, mend: bool) -> Result<(), String> {
    let machine = rig.azure.machine(name).ok_or("no such machine")?;
    let ledger = format!("ledger/{}.jsonl", MachineKey::new(&machine.vm_id, &machine.id));
    let bytes = rig.blobs.bytes(CONTAINER, &ledger).ok_or("no ledger")?;
    let text = String::from_utf8_lossy(&bytes);
    let (from, to) = ("\"version\":1", "\"version\":0");
    let (from, to) = if mend { (to, from) } else { (from, to) };
    let edited = text.split_inclusive('\n').enumerate().map(|(at, one)| match at + 1 == line {
        true => one.replace(from, to),
        false => one.to_owned(),
    });
    rig.blobs.put(CONTAINER, &ledger, edited.collect::<String>());
    Ok(())
}
