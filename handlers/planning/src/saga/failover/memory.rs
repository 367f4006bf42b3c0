//! What a failover has learned on its way and needs later: stored beside its progress, a line each.
//! It never decides.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::Timestamp;

use super::point::PointChoice;

/// What stands for nothing.
const NONE: &str = "-";
/// Warnings that are kept of one member, at most: a job tells one or two, and a failover has four.
const WARNINGS_MAX: usize = 10;

/// What was learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Of each member, by name.
    pub members: BTreeMap<String, OfMember>,
    /// A person chose another recovery point after the failover.
    pub another: bool,
    /// The words between groups at which a person chose another recovery point for what was failed over by then.
    pub another_at: BTreeSet<String>,
    /// A person was waited for before anything was failed over: what was seen until then may have passed.
    pub waited: bool,
    /// A person goes on without the fence.
    pub without_fence: bool,
}

/// What was learned of one member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfMember {
    /// Whether its old machine was up when the saga first saw it: what was down is not started by undoing.
    pub ran: Option<bool>,
    /// A person goes on without it.
    pub left_out: bool,
    /// What a person chose in place of the order's choice.
    pub choice: Option<PointChoice>,
    /// The point that is taken: its id (none for the latest), and the moment it holds.
    pub point: Option<(Option<String>, Option<Timestamp>)>,
    /// When the newest job that changed the point began, before another one was asked for: only newer ones answer for it.
    pub changed_before: Option<Timestamp>,
    /// ARM id of the new machine, when it was made.
    pub target: Option<(String, Timestamp)>,
    /// What is said when it is protected the other way.
    pub back: Option<Back>,
    /// What Azure said beside the success of what was ordered, each once, in the order in which it was heard.
    pub warnings: Vec<String>,
}

/// What is said when a member is protected the other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// ARM id of the container that holds the item now.
    pub container: String,
    /// ARM id of the replication policy.
    pub policy: String,
    /// ARM id of the group that the old machine lies in.
    pub group: String,
    /// ARM id of the cache account in the region that took over.
    pub cache: String,
    /// ARM ids of the new machine's disks.
    pub disks: Vec<String>,
}

impl Memory {
    /// Of this member.
    pub fn of(&self, name: &str) -> OfMember {
        self.members.get(name).cloned().unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, name: &str) -> &mut OfMember {
        self.members.entry(name.to_string()).or_default()
    }

    /// As lines; names come last, because they may hold spaces.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (said, word) in [(self.another, "another"), (self.waited, "waited"), (self.without_fence, "without-fence")]
        {
            lines.extend(said.then(|| word.to_string()));
        }
        lines.extend(self.another_at.iter().map(|step| format!("another-at {step}")));
        for (name, of) in &self.members {
            if let Some(ran) = of.ran {
                lines.push(format!("ran {} {name}", if ran { "yes" } else { "no" }));
            }
            if of.left_out {
                lines.push(format!("left-out {name}"));
            }
            if let Some(choice) = of.choice {
                let choice = match choice {
                    PointChoice::Latest => "latest".to_string(),
                    PointChoice::LatestProcessed => "processed".to_string(),
                    PointChoice::ApplicationConsistent => "application".to_string(),
                    PointChoice::At(moment) => moment.to_string(),
                };
                lines.push(format!("choice {choice} {name}"));
            }
            if let Some((id, time)) = &of.point {
                let time = time.map_or(NONE.to_string(), |time| time.to_string());
                lines.push(format!("point {} {time} {name}", id.as_deref().map_or(NONE.to_string(), spelt)));
            }
            if let Some(before) = of.changed_before {
                lines.push(format!("changed-before {before} {name}"));
            }
            if let Some((id, created_at)) = &of.target {
                lines.push(format!("target {} {created_at} {name}", spelt(id)));
            }
            if let Some(back) = &of.back {
                let ids = [&back.container, &back.policy, &back.group, &back.cache].map(|id| spelt(id)).join(" ");
                let disks = back.disks.iter().map(|disk| spelt(disk)).collect::<Vec<_>>().join(",");
                let disks = if disks.is_empty() { NONE } else { &disks };
                lines.push(format!("back {ids} {disks} {name}"));
            }
            lines.extend(of.warnings.iter().map(|warning| format!("warned {} {name}", spelt(warning))));
        }
        lines
    }

    /// Learns a line again; nothing when it is not understood.
    pub(super) fn learn(&mut self, line: &str) -> Option<()> {
        match line {
            "another" => self.another = true,
            "waited" => self.waited = true,
            "without-fence" => self.without_fence = true,
            _ => return self.learn_of_member(line),
        }
        Some(())
    }

    fn learn_of_member(&mut self, line: &str) -> Option<()> {
        let (field, rest) = line.split_once(' ')?;
        if field == "another-at" {
            self.another_at.insert(rest.to_string());
            return Some(());
        }
        let fields = match field {
            "left-out" => 0,
            "ran" | "choice" | "changed-before" | "warned" => 1,
            "point" | "target" => 2,
            "back" => 5,
            _ => return None,
        };
        let mut words = rest.splitn(fields + 1, ' ');
        let values: Vec<&str> = words.by_ref().take(fields).collect();
        let of = self.of_mut(words.next()?);
        match (field, values.as_slice()) {
            ("left-out", []) => of.left_out = true,
            ("ran", ["yes"]) => of.ran = Some(true),
            ("ran", ["no"]) => of.ran = Some(false),
            ("choice", ["latest"]) => of.choice = Some(PointChoice::Latest),
            ("choice", ["processed"]) => of.choice = Some(PointChoice::LatestProcessed),
            ("choice", ["application"]) => of.choice = Some(PointChoice::ApplicationConsistent),
            ("choice", [moment]) => of.choice = Some(PointChoice::At(moment.parse().ok()?)),
            ("warned", [warning]) => of.warn(&read(warning)),
            ("changed-before", [moment]) => of.changed_before = Some(moment.parse().ok()?),
            ("point", [id, time]) => {
                let time = if *time == NONE { None } else { Some(time.parse().ok()?) };
                of.point = Some(((*id != NONE).then(|| read(id)), time));
            }
            ("target", [id, created_at]) => of.target = Some((read(id), created_at.parse().ok()?)),
            ("back", [container, policy, group, cache, disks]) => {
                let disks = disks.split(',').filter(|disk| *disk != NONE).map(read).collect();
                let [container, policy, group, cache] = [container, policy, group, cache].map(|id| read(id));
                of.back = Some(Back { container, policy, group, cache, disks });
            }
            _ => return None,
        }
        Some(())
    }
}

impl OfMember {
    /// Remembers a warning, once.
    pub fn warn(&mut self, warning: &str) {
        if self.warnings.len() < WARNINGS_MAX && !self.warnings.iter().any(|own| own == warning) {
            self.warnings.push(warning.to_string());
        }
    }
}

/// A text as one word: what parts words and lines is spelt.
fn spelt(id: &str) -> String {
    id.replace('%', "%25").replace(' ', "%20").replace(',', "%2C").replace('\n', "%0A")
}

/// The id again.
fn read(word: &str) -> String {
    word.replace("%0A", "\n").replace("%2C", ",").replace("%20", " ").replace("%25", "%")
}
