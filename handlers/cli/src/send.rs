//! `lifeboat send` and its kin: orders with a name, posted to the handler's `Api` as commands. The CLI sends, the handler acts.
//! It never acts itself, never prints a token, and sends one over TLS or to this machine alone.

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use lifeboat_contract::command::Command;
use lifeboat_contract::command::form::COMMANDS;
use lifeboat_execution::Connections;
use serde_json::{Map, Value, json};

use crate::client::Answer;
use crate::handler_api::{self, HandlerArgs};
use crate::output::{self, Form, Outcome};
use crate::settings::Settings;

/// What commands are sent from.
const SOURCE: &str = "/lifeboat/cli";

/// Who orders, of which handler.
#[derive(Debug, Args)]
pub struct SenderArgs {
    #[command(flatten)]
    handler: HandlerArgs,
    /// The application that the handler's tokens are for: its client id or its URI. Also in LIFEBOAT_AUDIENCE. Your own sign-in (`az login`)
    /// gives the token; one that you got in another way is taken from LIFEBOAT_TOKEN. A token serves one command.
    #[arg(long, value_name = "APP")]
    audience: Option<String>,
    /// The command's id, for sending the same one again: it is done once. A new one where nothing is said.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Says what would be done, and does nothing.
    #[arg(long)]
    dry_run: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    pub output: Form,
}

/// Gives any order that the handler takes, with your name.
///
/// A field of the command is given as `name=value`; what is JSON is taken as JSON, all else as a text.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat send CloseBreaker policy=production counter=expiry reason='taken down on purpose'
  lifeboat send SetMode policy=production mode=report reason='migration' --url https://my-app.azurewebsites.net
  lifeboat send StartFailover recoveryPlan=shop digest=… 'passes=[\"targetHealthy\"]' reason='the region is lost'

Exit codes: 0 it was carried out, 1 it was not, and why is said, 2 the command line was not understood.")]
pub struct SendArgs {
    /// The command.
    #[arg(value_name = "COMMAND")]
    command: String,
    /// Its fields.
    #[arg(value_name = "NAME=VALUE", value_parser = field)]
    fields: Vec<(String, Value)>,
    #[command(flatten)]
    sender: SenderArgs,
}

/// Approves an order, a declaration, a question of a running failover, or what a recovery plan's rules rest on.
///
/// The digest is that of what was shown to you: what is approved is what you saw. `lifeboat region` and `lifeboat failover --show` tell that
/// of a declaration, and a running failover tells each question with the command that says yes to it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat approve shop --order start-1 --digest …
  lifeboat approve shop --question 2 --choice again --digest …

Exit codes: 0 it was taken, 1 it was not, and why is said, 2 the command line was not understood.")]
pub struct ApproveArgs {
    /// The recovery plan.
    plan: String,
    #[command(flatten)]
    of: OfArgs,
    /// The digest of what was shown.
    #[arg(long)]
    digest: String,
    /// Which answer to a question; to go on where nothing is said.
    #[arg(long, value_enum)]
    choice: Option<Yes>,
    /// Why, in your words.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    sender: SenderArgs,
}

/// Rejects an order, a declaration or a question of a running failover, or takes back the approval of what is assumed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat reject shop --order start-1 --reason 'the region is coming back'

Exit codes: 0 it was taken, 1 it was not, and why is said, 2 the command line was not understood.")]
pub struct RejectArgs {
    /// The recovery plan.
    plan: String,
    #[command(flatten)]
    of: OfArgs,
    /// Which answer to a question; to undo where nothing is said.
    #[arg(long, value_enum)]
    choice: Option<No>,
    /// Why, in your words.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    sender: SenderArgs,
}

/// What is approved or rejected.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct OfArgs {
    /// The order that was sent under this id.
    #[arg(long, value_name = "ID")]
    order: Option<String>,
    /// The declaration that waits in this incident.
    #[arg(long, value_name = "ID")]
    incident: Option<String>,
    /// The question of this number.
    #[arg(long, value_name = "NUMBER")]
    question: Option<u32>,
    /// What is assumed of Azure's behaviour, on which the rules may not act alone without a person's standing approval.
    #[arg(long)]
    assumptions: bool,
}

/// Undoes a running failover; refused past the point of no return.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat abort shop --reason 'the wrong recovery plan'

Exit codes: 0 it was taken, 1 it was not, and why is said, 2 the command line was not understood.")]
pub struct AbortArgs {
    /// The recovery plan.
    plan: String,
    /// Why, in your words.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    sender: SenderArgs,
}

/// Lets a held point go by its rules again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat release /subscriptions/…/snapshots/lb-daily-… --reason 'the audit is over'

Exit codes: 0 it is released, 1 it is not, and why is said, 2 the command line was not understood.")]
pub struct ReleaseArgs {
    /// ARM id of the point.
    point: String,
    /// Why, in your words.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    sender: SenderArgs,
}

/// Lets changes go on that were stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat resume --reason 'the disks are moved'

Exit codes: 0 changes go on, 1 they do not, and why is said, 2 the command line was not understood.")]
pub struct ResumeArgs {
    /// Why, in your words.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    sender: SenderArgs,
}

/// Answers that go on.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Yes {
    /// Go on.
    GoOn,
    /// Try it again.
    Again,
}

/// Answers that do not.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum No {
    /// Undo what was done.
    Undo,
    /// End it here and leave the rest to people.
    End,
}

impl OfArgs {
    /// The declaration that waits in this incident.
    pub fn incident(id: &str) -> Self {
        Self { order: None, incident: Some(id.to_owned()), question: None, assumptions: false }
    }

    /// The question of this number.
    pub fn question(number: u32) -> Self {
        Self { order: None, incident: None, question: Some(number), assumptions: false }
    }

    fn data(&self) -> Value {
        if self.assumptions {
            return json!({ "assumptions": true });
        }
        match (&self.order, &self.incident, self.question) {
            (Some(id), _, _) => json!({ "order": id }),
            (None, Some(id), _) => json!({ "incident": id }),
            (None, None, number) => json!({ "question": number }),
        }
    }
}

/// Runs `lifeboat send`.
pub async fn send(args: &SendArgs, settings: &Settings) -> Result<Outcome> {
    let data: Map<String, Value> = args.fields.iter().cloned().collect();
    order(&args.sender, settings, &args.command, Value::Object(data)).await
}

/// Runs `lifeboat approve`.
pub async fn approve(args: &ApproveArgs, settings: &Settings) -> Result<Outcome> {
    let mut data = approval(&args.plan, &args.digest, &args.of);
    if let Some(choice) = args.choice {
        data["choice"] = match choice {
            Yes::GoOn => "go-on",
            Yes::Again => "again",
        }
        .into();
    }
    if let Some(reason) = &args.reason {
        data["reason"] = reason.as_str().into();
    }
    order(&args.sender, settings, "Approve", data).await
}

/// What an approval says that only goes on.
pub fn approval(plan: &str, digest: &str, of: &OfArgs) -> Value {
    json!({ "recoveryPlan": plan, "digest": digest, "of": of.data() })
}

/// Runs `lifeboat reject`.
pub async fn reject(args: &RejectArgs, settings: &Settings) -> Result<Outcome> {
    let mut data = json!({ "recoveryPlan": args.plan, "of": args.of.data(), "reason": args.reason });
    if let Some(choice) = args.choice {
        data["choice"] = match choice {
            No::Undo => "undo",
            No::End => "end",
        }
        .into();
    }
    order(&args.sender, settings, "Reject", data).await
}

/// Runs `lifeboat abort`.
pub async fn abort(args: &AbortArgs, settings: &Settings) -> Result<Outcome> {
    order(&args.sender, settings, "Abort", json!({ "recoveryPlan": args.plan, "reason": args.reason })).await
}

/// Runs `lifeboat release`.
pub async fn release(args: &ReleaseArgs, settings: &Settings) -> Result<Outcome> {
    order(&args.sender, settings, "ReleaseHold", json!({ "point": args.point, "reason": args.reason })).await
}

/// Runs `lifeboat resume`.
pub async fn resume(args: &ResumeArgs, settings: &Settings) -> Result<Outcome> {
    order(&args.sender, settings, "ResumeChanges", json!({ "reason": args.reason })).await
}

fn field(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected name=value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.to_owned(), value))
}

/// Reads the command as the handler will, so that a slip is told before anybody is asked who you are; then sends it.
pub async fn order(sender: &SenderArgs, settings: &Settings, name: &str, data: Value) -> Result<Outcome> {
    let connections = Connections::signed_in();
    let command = match connections.command(sender.id.as_deref(), SOURCE, name, data, sender.dry_run) {
        Ok(command) => command,
        Err(refused) => {
            let there_are = COMMANDS.iter().map(|form| form.name).collect::<Vec<_>>().join(", ");
            let unknown = refused.command.is_none() && refused.why.path() == Some("type");
            let hint = if unknown { format!("; the commands are {there_are}") } else { String::new() };
            return Err(anyhow!("{refused}{hint}"));
        }
    };
    let token =
        if command.order.only_adds_safety() { None } else { Some(token(sender, settings, &connections).await?) };
    let asked = post(&sender.handler, settings, &command, token.as_deref());
    let answer = output::with_progress("sending the order", asked).await?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let held = answer.is_success();
    match sender.output {
        Form::Json => output::say_json(&json!({ "ok": held, "status": answer.status, "answer": said })),
        Form::Text if held => told(&command.id, &said).iter().for_each(output::say),
        Form::Text => {
            output::tell(format_args!("lifeboat: {} (order {})", handler_api::refusal(&answer), command.id));
        }
    }
    Ok(if held { Outcome::Held } else { Outcome::DidNotHold })
}

/// Posts a command to the handler.
pub async fn post(
    handler: &HandlerArgs,
    settings: &Settings,
    command: &Command,
    token: Option<&str>,
) -> Result<Answer> {
    handler.ask_as(settings, "/api/commands", Some(&command.body()), token).await
}

/// The token of whoever is signed in, where it is known what it is for; one that was got in another way goes before.
pub async fn token_where_known(settings: &Settings) -> Result<Option<String>> {
    match (&settings.token, &settings.audience) {
        (Some(token), _) => Ok(Some(token.clone())),
        (None, Some(audience)) => Ok(Some(signed_in(&Connections::signed_in(), audience).await?)),
        (None, None) => Ok(None),
    }
}

async fn signed_in(connections: &Connections, audience: &str) -> Result<String> {
    let got = output::with_progress("asking who you are", connections.token_for(audience)).await;
    Ok(got.context("your sign-in gives no token for the handler: `az login`")?.secret().to_owned())
}

/// The token for an order, which there must be.
async fn token(sender: &SenderArgs, settings: &Settings, connections: &Connections) -> Result<String> {
    if let Some(token) = &settings.token {
        return Ok(token.clone());
    }
    let audience = sender.audience.as_ref().or(settings.audience.as_ref()).context(
        "this order needs your name: name the handler's application in --audience or LIFEBOAT_AUDIENCE, or give a token in LIFEBOAT_TOKEN",
    )?;
    signed_in(connections, audience).await
}

/// What came of an order, in words.
pub fn told(id: &str, answer: &Value) -> Vec<String> {
    let came = match answer["came"].as_str() {
        Some("before") => "was taken before",
        Some("wouldDo") => "would be carried out; nothing was done",
        _ => "is carried out",
    };
    let lines = answer["lines"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    std::iter::once(format!("The order {id} {came}.")).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_json_where_they_are_json_and_texts_else() {
        assert_eq!(field("reason=the end"), Ok(("reason".to_owned(), "the end".into())));
        assert_eq!(field("frozen=true"), Ok(("frozen".to_owned(), true.into())));
        assert_eq!(field("of={\"question\":2}"), Ok(("of".to_owned(), json!({ "question": 2 }))));
        assert_eq!(field("reason=a=b"), Ok(("reason".to_owned(), "a=b".into())));
        assert!(field("reason").is_err());
    }

    #[test]
    fn what_came_of_an_order_is_told_with_its_id() {
        let lines = told("c-1", &json!({ "came": "done", "lines": ["changes go on from now on"] }));
        assert_eq!(lines, ["The order c-1 is carried out.", "changes go on from now on"]);
        assert!(told("c-1", &json!({ "came": "before" }))[0].contains("was taken before"));
        assert!(told("c-1", &json!({ "came": "wouldDo" }))[0].contains("nothing was done"));
    }
}
