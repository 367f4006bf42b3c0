//! Faults on order: which calls of ARM go wrong, how, and how often.
//! It never breaks anything that was not ordered, and never draws lots.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ArmFaultEffect {
    /// 429; nothing is done.
    TooManyRequests {
        /// Seconds in `Retry-After`; left out when `None`.
        retry_after_seconds: Option<u32>,
    },
    /// 500 InternalServerError; nothing is done.
    InternalServerError,
    /// 503 ServiceUnavailable; nothing is done.
    ServiceUnavailable,
    /// The connection breaks; nothing is done.
    ResetBefore,
    /// The request is carried out, then the connection breaks.
    ResetAfter,
    /// No answer ever comes; nothing is done.
    Hang,
    /// The answer comes this much later; the request is carried out at the end.
    Slow {
        /// The delay in milliseconds.
        milliseconds: u64,
    },
    /// 409 AnotherOperationInProgress; nothing is done.
    AnotherOperation,
    /// The request is accepted, and the operation that it starts fails.
    OperationFails {
        /// Seconds until it fails.
        after_seconds: u32,
        /// The error code in the operation's body.
        code: String,
    },
    /// A write is answered as if it were done, and forgotten. Reads are left alone.
    AcknowledgedButDropped,
    /// 502 BadGateway; nothing is done.
    BadGateway,
    /// 504 GatewayTimeout; nothing is done.
    GatewayTimeout,
    /// 401, as if the token had been taken back; nothing is done.
    TokenRevoked,
    /// The request is carried out at once and answered this much later.
    SlowAnswer {
        /// The delay in milliseconds.
        milliseconds: u64,
    },
    /// The request is carried out; of the answer's body half is sent.
    TruncatedBody,
    /// A proxy's page in HTML instead of an answer; nothing is done.
    HtmlErrorPage {
        /// The status it comes with.
        status: u16,
    },
    /// The request is carried out; the answer says that its body is of another kind.
    WrongContentType {
        /// What it says.
        content_type: String,
    },
    /// A listing's next page is said to be at another host.
    NextLinkElsewhere {
        /// The host.
        host: String,
    },
    /// A listing always has a next page, which is the first one again.
    EndlessPaging,
}

/// Which calls: every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CallMatch {
    /// The HTTP method.
    pub method: Option<String>,
    /// A part of the path, whatever its casing.
    pub path: Option<String>,
    /// The ARM action with `*`, as `Microsoft.Compute/restorePointCollections/restorePoints/write`.
    pub action: Option<String>,
}

/// An order: the next calls that match go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArmFault {
    /// Which calls.
    #[serde(default)]
    pub on: CallMatch,
    /// How many matching calls pass first.
    #[serde(default)]
    pub after: u32,
    /// How many then go wrong; `None` means all.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// What goes wrong.
    pub effect: ArmFaultEffect,
    /// Of a thousand calls that would go wrong, how many do; `None` means all.
    #[serde(default)]
    pub per_mille: Option<u16>,
    /// What decides which ones do, together with their count.
    #[serde(default)]
    pub seed: u64,
    /// Calls that were decided on.
    #[serde(skip)]
    decided: u64,
}

/// How a whole region misbehaves: three different things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RegionTrouble {
    /// Nothing in it answers.
    Down,
    /// Everything in it answers later.
    Slow {
        /// The delay in milliseconds.
        milliseconds: u64,
    },
    /// Everything in it is refused with 429.
    Throttled {
        /// Seconds in `Retry-After`.
        retry_after_seconds: u32,
    },
}

/// What is known of a call when faults are looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) action: &'a str,
}

impl ArmFault {
    /// The next call of any kind goes wrong, once.
    pub fn new(effect: ArmFaultEffect) -> Self {
        Self { on: CallMatch::default(), after: 0, times: once(), effect, per_mille: None, seed: 0, decided: 0 }
    }

    /// Only calls of this method.
    pub fn on_method(mut self, method: &str) -> Self {
        self.on.method = Some(method.to_owned());
        self
    }

    /// Only paths that contain this.
    pub fn on_path(mut self, part: impl Into<String>) -> Self {
        self.on.path = Some(part.into());
        self
    }

    /// Only this ARM action; `*` stands for any text.
    pub fn on_action(mut self, action: impl Into<String>) -> Self {
        self.on.action = Some(action.into());
        self
    }

    /// Lets this many matching calls pass first.
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// How many matching calls go wrong.
    pub fn times(mut self, calls: u32) -> Self {
        self.times = Some(calls);
        self
    }

    /// Every matching call goes wrong until the faults are cleared.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// So many of a thousand matching calls go wrong, always the same ones for the same seed.
    pub fn chance(mut self, per_mille: u16, seed: u64) -> Self {
        (self.per_mille, self.seed) = (Some(per_mille), seed);
        self
    }

    /// Counts the call and says whether it goes wrong.
    pub(crate) fn strikes(&mut self, call: Candidate<'_>) -> Option<ArmFaultEffect> {
        let on = &self.on;
        let method = on.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case(call.method));
        let part = on.path.as_deref().map(str::to_ascii_lowercase);
        let path = part.is_none_or(|part| call.path.to_ascii_lowercase().contains(&part));
        let action = on.action.as_deref().is_none_or(|pattern| super::access::matches(pattern, call.action));
        let reads = call.method.eq_ignore_ascii_case("GET");
        let spared = self.effect == ArmFaultEffect::AcknowledgedButDropped && reads;
        if !method || !path || !action || spared || self.is_spent() {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        if !self.falls_on_this() {
            return None;
        }
        self.times = self.times.map(|left| left.saturating_sub(1));
        Some(self.effect.clone())
    }

    /// Whether the next call is one of those that go wrong: a digest of seed and count says so, no lots are drawn.
    fn falls_on_this(&mut self) -> bool {
        let Some(per_mille) = self.per_mille else { return true };
        self.decided += 1;
        let digest =
            Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(self.decided.to_be_bytes()).finalize();
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        number % 1_000 < u64::from(per_mille)
    }

    /// Whether it will never strike again.
    pub(crate) fn is_spent(&self) -> bool {
        self.times == Some(0)
    }
}

fn once() -> Option<u32> {
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_calls_it_was_ordered_for_and_no_others() {
        let mut fault = ArmFault::new(ArmFaultEffect::InternalServerError)
            .on_method("put")
            .on_action("Microsoft.Compute/*/write")
            .after(1)
            .times(2);
        let call = |method, action| Candidate { method, path: "/x", action };
        let write = "Microsoft.Compute/restorePointCollections/write";
        assert_eq!(fault.strikes(call("GET", write)), None);
        assert_eq!(fault.strikes(call("PUT", "Microsoft.Resources/x/write")), None);
        assert_eq!(fault.strikes(call("PUT", write)), None, "the first is let pass");
        assert!(fault.strikes(call("PUT", write)).is_some());
        assert!(fault.strikes(call("PUT", write)).is_some());
        assert!(fault.is_spent());
    }

    #[test]
    fn the_same_seed_strikes_the_same_calls_and_about_as_many_as_it_was_told() {
        let struck = |seed| {
            let mut fault = ArmFault::new(ArmFaultEffect::BadGateway).always().chance(250, seed);
            let call = Candidate { method: "GET", path: "/x", action: "" };
            (0..1_000).map(|_| fault.strikes(call).is_some()).collect::<Vec<bool>>()
        };
        let one = struck(7);
        assert_eq!(one, struck(7));
        assert_ne!(one, struck(8));
        let count = one.iter().filter(|struck| **struck).count();
        assert!((200..300).contains(&count), "{count} of a thousand");
    }

    #[test]
    fn a_fault_is_ordered_in_json_too() {
        let text = r#"{"on":{"path":"restorePoints"},"effect":{"operationFails":{"afterSeconds":3600,"code":"X"}}}"#;
        let fault: ArmFault = serde_json::from_str(text).unwrap();
        assert_eq!(fault.times, Some(1));
        assert_eq!(fault.effect, ArmFaultEffect::OperationFails { after_seconds: 3600, code: "X".to_owned() });
    }
}
