//! A machine's power: what starts, stops, deallocates, restarts and generalizes it.
//! It never starts a machine that was generalized, and never generalizes one that runs.
//!
//! ```text
//! running ──powerOff──► stopping ──17.7 s──► stopped ──┐
//!    ▲ └──────────deallocate──► deallocating ──20.3 s──┴► deallocated ──generalize──► (never starts again)
//!    └──── starting ◄──start──────────────────────────────────┘
//! ```

use jiff::Timestamp;

use super::call::{Answer, Call, Cause, Failure};
use super::denials::Denial;
use super::errors::ArmError;
use super::event_grid::{Outcome, Verb};
use super::ids::key;
use super::machine_calls::found;
use super::machines::{Machine, Provisioning};
use super::state::{State, Step};

/// Whether a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    Starting,
    Running,
    Stopping,
    Stopped,
    Deallocating,
    Deallocated,
}

impl Power {
    /// As an instance view says it: the end of the code, which is also the end of the text.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Deallocating => "deallocating",
            Self::Deallocated => "deallocated",
        }
    }

    /// What an instance view's code says.
    pub(crate) fn read(code: &str) -> Option<Self> {
        let all = [Self::Starting, Self::Running, Self::Stopping, Self::Stopped, Self::Deallocating, Self::Deallocated];
        let word = code.strip_prefix("PowerState/")?;
        all.into_iter().find(|power| power.word().eq_ignore_ascii_case(word))
    }

    fn passes(self) -> bool {
        matches!(self, Self::Starting | Self::Stopping | Self::Deallocating)
    }
}

/// `POST …/virtualMachines/{name}/start`. *Assumed* (`vm-start-time`): how long it takes; no recording has it.
pub(crate) fn start(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let wait = state.latencies.machine_start_ms;
    act(state, call, (Power::Starting, Power::Running), wait)
}

/// `POST …/virtualMachines/{name}/powerOff`. *Assumed* (`vm-skip-shutdown`): with `skipShutdown` it takes as long.
pub(crate) fn power_off(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let wait = state.latencies.machine_power_off_ms;
    act(state, call, (Power::Stopping, Power::Stopped), wait)
}

/// `POST …/virtualMachines/{name}/deallocate`.
pub(crate) fn deallocate(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let wait = state.latencies.machine_deallocate_ms;
    act(state, call, (Power::Deallocating, Power::Deallocated), wait)
}

/// `POST …/virtualMachines/{name}/restart`. *Assumed* (`vm-start-time`): how long it takes, and that it shows as running.
pub(crate) fn restart(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let wait = state.latencies.machine_start_ms;
    act(state, call, (Power::Running, Power::Running), wait)
}

/// `POST …/virtualMachines/{name}/generalize`: synchronous, without a body (recorded).
pub(crate) fn generalize(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let before = found(state, call)?;
    if !matches!(before.power, Power::Stopped | Power::Deallocated) {
        return Err(Denial::GeneralizeRunning.error(&before.name));
    }
    let machine = Machine { generalized: true, etag: before.etag + 1, ..Machine::clone(&before) };
    let id = machine.id();
    state.keep_machine(machine, call.now);
    state.raise(Verb::Action, Outcome::Success, &id, &call.cause(true), call.now);
    Ok(Answer::empty(200))
}

/// Begins: 202 with both headers and no body (recorded).
fn act(state: &mut State, call: &Call, (passing, end): (Power, Power), milliseconds: u32) -> Result<Answer, ArmError> {
    let before = found(state, call)?;
    if matches!(before.provisioning, Provisioning::Creating | Provisioning::Deleting) {
        return Err(Denial::MachineUnmade.error(&before.name));
    }
    if before.power.passes() {
        return Err(Denial::MachineBusy.error(&before.name));
    }
    if end == Power::Running && before.generalized {
        return Err(Denial::GeneralizedStart.error(&before.name));
    }
    let settled = before.power;
    let runs_on = settled == Power::Running && end == Power::Running;
    let machine = Machine {
        power: if settled == end { settled } else { passing },
        provisioning: Provisioning::Updating,
        agent_returns: before.agent_ready || before.agent_returns,
        agent_ready: before.agent_ready && runs_on,
        agent_at: call.now,
        view_stands: false,
        ..Machine::clone(&before)
    };
    let id = machine.id();
    let started = state.start_operation(call, &machine.subscription, &machine.location);
    state.keep_machine(machine, call.now);
    let (operation, machine, cause) = (started.name.clone(), key(&id), call.cause(true));
    match State::ordered_failure(call) {
        Some((at, failure)) => {
            state.later(at, Step::PowerDone { operation, machine, power: settled, cause, failure: Some(failure) });
        }
        None => {
            let step = Step::PowerDone { operation, machine, power: end, cause, failure: None };
            state.after(call.now, milliseconds, step);
        }
    }
    Ok(started.both(Answer::empty(202)))
}

impl State {
    pub(crate) fn power_done(
        &mut self,
        operation: &str,
        machine: &str,
        power: Power,
        cause: &Cause,
        failure: Option<Failure>,
        at: Timestamp,
    ) {
        self.operations.end(operation, failure.clone(), at);
        let living = |found: &&std::sync::Arc<Machine>| found.provisioning != Provisioning::Deleting;
        let Some(before) = self.machines.get(machine).filter(living).cloned() else { return };
        let outcome = if failure.is_some() { Outcome::Failure } else { Outcome::Success };
        let done = Machine {
            power,
            provisioning: if failure.is_some() { Provisioning::Failed } else { Provisioning::Succeeded },
            provisioned_at: at,
            etag: before.etag + 1,
            ..Machine::clone(&before)
        };
        let (id, waits) = (done.id(), power == Power::Running && done.agent_returns && !done.agent_ready);
        if waits {
            // *Assumed* (`vm-start-time`): the agent reports as long after a start as after a creation (recorded).
            let wait = self.latencies.agent_ready_ms.saturating_sub(self.latencies.machine_create_ms);
            self.after(at, wait, Step::AgentReady { machine: machine.to_owned(), vm_id: done.vm_id.clone() });
        }
        self.keep_machine(done, at);
        self.raise(Verb::Action, outcome, &id, cause, at);
    }
}
