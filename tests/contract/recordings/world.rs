//! The simulated Azure that a tape is shown to: empty, with a virtual clock and a caller who may do everything.
//! It never opens a socket, and no time passes in it but by a jump.

use axum::body::Body;
use jiff::{SignedDuration, Timestamp};
use lifeboat_simulator::azure::{ARM_AUDIENCE, Arm, ArmOptions, EventGrid, Grant, Identity, Principal};
use lifeboat_simulator::clock::Clock;
use serde_json::Value;
use tower::ServiceExt;

use crate::names::Asked;
use crate::plan::Plan;
use crate::seed;
use crate::tape::{Said, Tape};

/// What all identifiers of the simulator come from. No outcome rests on it.
const SEED: u64 = 20_261_125;
/// What the clock shows at first, in seconds since 1970: 2030. A seed's times lie before it, whenever a tape was made.
const EPOCH_SECONDS: i64 = 1_893_456_000;
/// The largest answer that is read, in bytes: far above any that the simulator gives.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The simulator with its clock and the caller.
pub struct World {
    arm: Arm,
    identity: Identity,
    clock: Clock,
    caller: Principal,
}

impl World {
    /// An Azure in which there is nothing.
    pub fn new() -> Self {
        let clock = Clock::starting_at(Timestamp::from_second(EPOCH_SECONDS).unwrap_or_default());
        let identity = Identity::new(clock.clone(), SEED);
        let caller = identity.add_named("recorder", vec![Grant::owner()]);
        let options = ArmOptions { seed: SEED, graph_lag: SignedDuration::ZERO, ..ArmOptions::default() };
        let events = EventGrid::new(clock.clone(), options.tenant.clone());
        let arm = Arm::new(clock.clone(), identity.clone(), events, options);
        Self { arm, identity, clock, caller }
    }

    /// Of each line, whether the simulator has a route for it.
    pub fn models(tape: &Tape) -> Vec<bool> {
        let world = Self::new();
        tape.lines.iter().map(|line| seed::models(&world.arm, &line.method, line.path())).collect()
    }

    /// Puts there what a plan says was there; answers what could not be.
    pub fn prepare(&self, plan: &Plan, rows: &[Value]) -> Vec<String> {
        for subscription in &plan.subscriptions {
            self.arm.add_subscription(subscription, subscription);
        }
        for (subscription, group, location) in &plan.groups {
            self.arm.add_group(subscription, group, location);
        }
        seed::plant_rows(&self.arm, rows);
        self.plant(&plan.presupposed)
    }

    /// Plants resources; one that needs another is tried again after it. Answers why some could not be planted.
    pub fn plant(&self, resources: &[Value]) -> Vec<String> {
        let mut left: Vec<&Value> = resources.iter().collect();
        loop {
            let before = left.len();
            let mut refused = Vec::new();
            left.retain(|resource| match seed::plant(&self.arm, resource) {
                Ok(()) => false,
                Err(why) => {
                    refused.push(format!("{}: {why}", resource["id"].as_str().unwrap_or_default()));
                    true
                }
            });
            if left.is_empty() || left.len() == before {
                return refused;
            }
        }
    }

    /// Moves the clock to what happens next by itself; says whether anything does.
    pub fn jump(&self) -> bool {
        let Some(due) = self.arm.next_due() else { return false };
        self.clock.jump(due.duration_since(self.clock.now()).max(SignedDuration::ZERO));
        self.arm.clock_jumped();
        true
    }

    /// Moves the clock by so much, if that is forward.
    pub fn wait(&self, length: SignedDuration) {
        self.clock.jump(length.max(SignedDuration::ZERO));
        self.arm.clock_jumped();
    }

    /// Sends a request and reads the answer.
    pub async fn ask(&self, method: &str, asked: &Asked) -> Said {
        let token = self.identity.token(&self.caller.object_id, ARM_AUDIENCE);
        let request = http::Request::builder()
            .method(method)
            .uri(format!("https://management.azure.com{}", escaped(&asked.target)))
            .header("authorization", format!("Bearer {token}"));
        let body = if asked.body.is_null() { Body::empty() } else { Body::from(asked.body.to_string()) };
        let request = match request.header("content-type", "application/json").body(body) {
            Ok(request) => request,
            Err(error) => return Said { body: Value::String(error.to_string()), ..Said::default() },
        };
        let response = self.arm.router().oneshot(request).await.unwrap_or_else(|error| match error {});
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let headers = parts.headers.iter();
        Said {
            status: parts.status.as_u16(),
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: if bytes.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&bytes).unwrap_or_else(|_| text())
            },
        }
    }
}

/// A target with what no URL may hold escaped, as the recorded client escaped it.
fn escaped(target: &str) -> String {
    let mut text = String::new();
    for byte in target.bytes() {
        if byte <= b' ' || byte >= 0x7f || b"\"<>\\^`{|}".contains(&byte) {
            text.push_str(&format!("%{byte:02X}"));
        } else {
            text.push(char::from(byte));
        }
    }
    text
}
