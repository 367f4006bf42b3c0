//! The least time that Azure's budgets leave for a burst: what nobody can beat who asks for no more than is needed.
//! It never counts what a handler could save by asking less often, and names the budget that binds.

use std::fmt;
use std::time::Duration;

/// A machine until it is created, and until its agent is ready; a point until it succeeded without a ready agent, and with one. As
/// recorded, in milliseconds.
const CREATION_MS: u64 = 14_515;
const AGENT_READY_MS: u64 = 26_665;
const CRASH_POINT_MS: u64 = 12_844;
const APPLICATION_POINT_MS: u64 = 45_688;

/// A budget: what it grants at once, what it gains a minute, and how often a machine draws on it at least.
struct Budget {
    name: &'static str,
    at_once: u64,
    a_minute: u64,
    per_machine: u64,
}

/// What a machine needs at least: itself read; its collection read, written, and read again with the finished point; a point written.
/// The figures are the simulated Azure's: documented for ARM; for Compute sizes recorded and refills *assumed* to be a third a minute.
const BUDGETS: [Budget; 6] = [
    Budget { name: "ARM reads", at_once: 250, a_minute: 1_500, per_machine: 3 },
    Budget { name: "ARM writes", at_once: 200, a_minute: 600, per_machine: 2 },
    Budget { name: "collection writes", at_once: 150, a_minute: 50, per_machine: 1 },
    Budget { name: "point writes", at_once: 150, a_minute: 50, per_machine: 1 },
    Budget { name: "point and collection reads", at_once: 600, a_minute: 200, per_machine: 2 },
    Budget { name: "machine reads", at_once: 24_000, a_minute: 8_000, per_machine: 1 },
];

/// The floor of a burst.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// The time that the tightest budget takes; zero when all that is needed is granted at once.
    pub budgets: Duration,
    binds: &'static str,
}

/// The floor of a burst of so many machines in one subscription and region.
pub fn floor(machines: usize) -> Floor {
    let time = |budget: &Budget| {
        let beyond = (machines as u64 * budget.per_machine).saturating_sub(budget.at_once);
        Duration::from_millis(beyond * 60_000 / budget.a_minute)
    };
    let slowest = BUDGETS.iter().map(|budget| (time(budget), budget.name)).max();
    let (budgets, binds) = slowest.filter(|(time, _)| !time.is_zero()).unwrap_or((Duration::ZERO, "none"));
    Floor { budgets, binds }
}

impl Floor {
    /// What Azure itself takes for the last machine: its creation before, its point after, which is of the slower kind where the
    /// budgets leave the agent time to become ready.
    pub fn azures_work(self) -> Duration {
        let has_agent = self.budgets >= Duration::from_millis(AGENT_READY_MS - CREATION_MS);
        Duration::from_millis(CREATION_MS + if has_agent { APPLICATION_POINT_MS } else { CRASH_POINT_MS })
    }

    /// Both.
    pub fn with_azures_work(self) -> Duration {
        self.budgets + self.azures_work()
    }

    /// Whether it is the budgets that make the time: else a burst shows latencies, and the line over the floor says nothing.
    pub fn is_made_by_budgets(self) -> bool {
        self.budgets > self.azures_work()
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.with_azures_work().as_secs_f64();
        write!(
            f,
            "floor {all:.1} s: {:.1} s by budgets ({}), the rest Azure's own work",
            self.budgets.as_secs_f64(),
            self.binds
        )
    }
}
