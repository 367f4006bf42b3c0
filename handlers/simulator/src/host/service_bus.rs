//! Service Bus triggers: one message per invocation, completed on success, abandoned at once on failure.
//! It never settles a message whose invocation is still running, and never reads the body but for a trigger of text.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::core::Core;
use super::definitions::{Function, Trigger};
use super::encoder::{self, Metadata, Value};
use super::flights::Cause;
use super::invoke::{Call, Input, Payload};
use super::json::Json;
use super::logs::LogLevel;
use super::trace::Caller;
use crate::bus::{Bus, Locked};

/// A lock is renewed this long before it ends, or after half of it; *assumed*: what the client library does.
const RENEWED_BEFORE_END: Duration = Duration::from_secs(10);
/// Who says what becomes of messages.
const CATEGORY: &str = "Host.Triggers.ServiceBus";

impl Core {
    /// Takes messages until the listener is stopped.
    pub(super) async fn run_queue(self: Arc<Self>, function: Function) {
        let Ok(Trigger::ServiceBus { queue, .. }) = function.trigger.clone() else { return };
        let Some(bus) = self.options.bus.clone() else {
            let text = format!("The listener for function 'Functions.{}' was unable to start.", function.name);
            return self.logs.write(LogLevel::Error, "Host.Startup", text);
        };
        let places = Arc::new(Semaphore::new(self.app.concurrent_calls));
        // The semaphore is never closed, so this ends only with the listener.
        while let Ok(place) = places.clone().acquire_owned().await {
            let message = bus.receive(&queue).await;
            self.spawn(self.clone().run_message(bus.clone(), function.clone(), message, place));
        }
    }

    async fn run_message(self: Arc<Self>, bus: Bus, function: Function, message: Locked, _place: OwnedSemaphorePermit) {
        let token = message.lock_token.clone();
        let Ok(Trigger::ServiceBus { binding, binary, .. }) = &function.trigger else { return };
        let call = Call {
            function: function.name.clone(),
            cause: Cause::ServiceBus,
            retry: function.retry,
            caller: None::<Caller>,
            input: Input::Payload(payload(binding, *binary, &message.message.body, metadata(&message))),
        };
        let invocation = self.invoke(call);
        tokio::pin!(invocation);
        let outcome = tokio::select! {
            outcome = &mut invocation => outcome,
            () = self.hold_lock(&bus, &message) => invocation.await,
        };
        let settled = match outcome {
            Ok(_) => bus.complete(&token),
            Err(_) => bus.abandon(&token),
        };
        if let Err(error) = settled {
            self.logs.write(LogLevel::Error, CATEGORY, format!("Message {}: {error}", message.message_id));
        }
    }

    /// Renews the lock until host.json's limit is reached or it is lost.
    async fn hold_lock(&self, bus: &Bus, message: &Locked) {
        let clock = &self.options.clock;
        let began = tokio::time::Instant::now();
        let mut until = message.locked_until;
        loop {
            let left = Duration::try_from(until.duration_since(clock.now())).unwrap_or_default();
            let pause = left.saturating_sub(RENEWED_BEFORE_END.min(left / 2));
            if began.elapsed() + pause >= self.app.lock_renewal || pause.is_zero() {
                return;
            }
            tokio::time::sleep(pause).await;
            match bus.renew(&message.lock_token) {
                Ok(renewed) => until = renewed,
                Err(error) => {
                    return self.logs.write(
                        LogLevel::Warning,
                        CATEGORY,
                        format!("Message {}: {error}", message.message_id),
                    );
                }
            }
        }
    }
}

/// The payload of a message: bytes go as they are, text also goes over the metadata.
pub(super) fn payload(binding: &str, binary: bool, body: &[u8], metadata: Metadata) -> Payload {
    let binding = binding.to_owned();
    if binary {
        return Payload { binding, value: Value::Bytes(body.to_vec()), metadata, polluting: None };
    }
    let text = encoder::decoded_text(body);
    Payload { binding, value: Value::Text(text.clone()), metadata, polluting: Some(text) }
}

/// The metadata of a message that an admin makes up: no message at all.
pub(super) fn admin_metadata() -> Metadata {
    let mut metadata = Metadata::default();
    metadata.set("DeliveryCount", Value::whole(0));
    for name in ["Expires", "Enqueued"] {
        set_times(&mut metadata, name, None);
    }
    metadata.set("SequenceNumber", Value::whole(0));
    set_properties(&mut metadata, &Json::Object(Vec::new()));
    metadata
}

fn metadata(locked: &Locked) -> Metadata {
    let message = &locked.message;
    let mut metadata = Metadata::default();
    let text = |metadata: &mut Metadata, name: &str, value: Option<&String>| {
        metadata.set(name, Value::optional(value.map(String::as_str)));
    };
    metadata.set("DeliveryCount", Value::whole(locked.delivery_count.into()));
    text(&mut metadata, "LockToken", Some(&locked.lock_token));
    set_times(&mut metadata, "Expires", locked.expires_at);
    set_times(&mut metadata, "Enqueued", Some(locked.enqueued_time));
    text(&mut metadata, "MessageId", Some(&locked.message_id));
    text(&mut metadata, "ContentType", message.content_type.as_ref());
    text(&mut metadata, "ReplyTo", message.reply_to.as_ref());
    metadata.set("SequenceNumber", Value::whole(locked.sequence_number));
    text(&mut metadata, "To", message.to.as_ref());
    text(&mut metadata, "Subject", message.subject.as_ref());
    text(&mut metadata, "Label", message.subject.as_ref());
    text(&mut metadata, "CorrelationId", message.correlation_id.as_ref());
    // Their values were JSON in the broker, so reading them as JSON cannot fail.
    let property = |(name, value): (&String, &serde_json::Value)| {
        (name.clone(), Json::parse(&value.to_string()).unwrap_or(Json::Null))
    };
    set_properties(&mut metadata, &Json::Object(message.application_properties.iter().map(property).collect()));
    text(&mut metadata, "SessionId", message.session_id.as_ref());
    text(&mut metadata, "ReplyToSessionId", message.reply_to_session_id.as_ref());
    text(&mut metadata, "PartitionKey", message.partition_key.as_ref());
    metadata
}

/// `ExpiresAtUtc` and `ExpiresAt`, `EnqueuedTimeUtc` and `EnqueuedTime`.
fn set_times(metadata: &mut Metadata, name: &str, at: Option<jiff::Timestamp>) {
    let name = if name == "Expires" { "ExpiresAt" } else { "EnqueuedTime" };
    metadata.set(&format!("{name}Utc"), at.map_or(Value::EndOfTime, Value::Time));
    metadata.set(name, at.map_or(Value::EndOfTimeOffset, Value::TimeOffset));
}

fn set_properties(metadata: &mut Metadata, properties: &Json) {
    metadata.set("ApplicationProperties", Value::Object(properties.clone()));
    metadata.set("UserProperties", Value::Object(properties.clone()));
}
