//! A recovery plan as bytes to be hashed, and the digest that decisions, approvals and records name.
//! It never depends on how a document was laid out: the same recovery plan has the same digest, another has another.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use sha2::{Digest, Sha256};

use super::{Action, Declaration, Group, RecoveryPlan, Replication, Traffic};
use crate::id::hex;

impl RecoveryPlan {
    /// The recovery plan as bytes to be hashed: the same for two of them exactly when they ask for the same.
    ///
    /// Lengths stand before texts, so that no text can pass for a field; a later field is added at the end, only where set, so
    /// that recovery plans without it keep their digest.
    pub fn canonical(&self) -> String {
        let replication = match self.replication {
            Replication::SiteRecovery => "siteRecovery",
        };
        let mut lines = Lines(String::from("recoveryPlan/1\n"));
        lines.text("name", &self.name);
        lines.text("from", self.from.as_str());
        lines.text("to", self.to.as_str());
        lines.text("replication", replication);
        self.groups.iter().for_each(|group| lines.group(group));
        self.traffic.iter().for_each(|traffic| lines.traffic(traffic));
        lines.declaration(&self.declaration);
        lines.0
    }

    /// Lower-case hexadecimal SHA-256 of [`RecoveryPlan::canonical`].
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.canonical().as_bytes()))
    }
}

struct Lines(String);

impl Lines {
    fn text(&mut self, name: &str, text: &str) {
        self.line(name, &format!("{}:{text}", text.len()));
    }

    fn line(&mut self, name: &str, value: &str) {
        // A String takes everything.
        let _taken = writeln!(self.0, "{name}:{value}");
    }

    fn group(&mut self, group: &Group) {
        self.text("group", &group.name);
        self.text("group.members", &group.members.canonical());
        for (when, actions) in [("before", &group.before), ("after", &group.after)] {
            for action in actions {
                match action {
                    Action::Wait(time) => self.line(&format!("group.{when}.wait"), &format!("{}s", time.as_secs())),
                    Action::Approve(question) => self.text(&format!("group.{when}.approve"), question),
                }
            }
        }
    }

    fn traffic(&mut self, traffic: &Traffic) {
        // Names in Azure are the same in any case; what a URL asks for is not.
        self.text("traffic", &traffic.profile.to_lowercase());
        self.text("traffic.from", &traffic.from.to_lowercase());
        self.text("traffic.to", &traffic.to.to_lowercase());
        self.text("traffic.verify.url", &traffic.verify.url);
        self.line("traffic.verify.within", &format!("{}s", traffic.verify.within.as_secs()));
    }

    fn declaration(&mut self, declaration: &Declaration) {
        let Declaration { by, approvals, evidence, cooldown, fence, max_data_loss } = declaration;
        self.line("declaration.by", by.name());
        self.line("declaration.approvals", &format!("{approvals}"));
        evidence.reported.iter().for_each(|origin| self.line("declaration.evidence.reported", origin.name()));
        evidence.measured.iter().for_each(|origin| self.line("declaration.evidence.measured", origin.name()));
        self.line("declaration.evidence.atLeast", &format!("{}", evidence.at_least));
        self.line("declaration.evidence.for", &format!("{}s", evidence.window.as_secs()));
        self.line("declaration.cooldown", &format!("{}s", cooldown.as_secs()));
        self.line("declaration.fence", fence.name());
        self.line("declaration.maxDataLoss", &format!("{}s", max_data_loss.as_secs()));
        evidence.alerts.iter().for_each(|alert| self.text("declaration.evidence.alerts", alert));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{By, Evidence, Fence, Measured, Reported, Verify};
    use super::*;
    use crate::policy::{Case, Glob, Location, Match};
    use alloc::collections::BTreeSet;
    use alloc::vec;
    use jiff::SignedDuration;

    fn shop() -> RecoveryPlan {
        let tag = |value: &str| Match::Tag { key: "tier".into(), value: Glob::new(value, Case::Sensitive) };
        RecoveryPlan {
            name: "shop".into(),
            from: Location::new("West Europe"),
            to: Location::new("northeurope"),
            replication: Replication::SiteRecovery,
            groups: vec![
                Group {
                    name: "data".into(),
                    members: tag("db"),
                    before: vec![],
                    after: vec![Action::Wait(SignedDuration::from_mins(2))],
                },
                Group {
                    name: "web".into(),
                    members: tag("web"),
                    before: vec![Action::Approve("database verified?".into())],
                    after: vec![],
                },
            ],
            traffic: vec![Traffic {
                profile: "tm-shop".into(),
                from: "weu".into(),
                to: "neu".into(),
                verify: Verify { url: "https://shop.example/".into(), within: SignedDuration::from_mins(5) },
            }],
            declaration: Declaration {
                by: By::Approval,
                approvals: 1,
                evidence: Evidence {
                    reported: [Reported::ServiceHealth].into(),
                    measured: [Measured::Probe].into(),
                    alerts: BTreeSet::new(),
                    at_least: 2,
                    window: SignedDuration::from_mins(10),
                },
                cooldown: SignedDuration::from_hours(6),
                fence: Fence::Required,
                max_data_loss: SignedDuration::from_mins(15),
            },
        }
    }

    #[test]
    fn the_canonical_form_and_its_digest_are_fixed() {
        let expected = "recoveryPlan/1\nname:4:shop\nfrom:10:westeurope\nto:11:northeurope\nreplication:12:siteRecovery\n\
                        group:4:data\ngroup.members:21:tag:4:tier value:2:db\ngroup.after.wait:120s\n\
                        group:3:web\ngroup.members:22:tag:4:tier value:3:web\ngroup.before.approve:18:database verified?\n\
                        traffic:7:tm-shop\ntraffic.from:3:weu\ntraffic.to:3:neu\ntraffic.verify.url:21:https://shop.example/\n\
                        traffic.verify.within:300s\ndeclaration.by:approval\ndeclaration.approvals:1\n\
                        declaration.evidence.reported:serviceHealth\ndeclaration.evidence.measured:probe\n\
                        declaration.evidence.atLeast:2\ndeclaration.evidence.for:600s\ndeclaration.cooldown:21600s\n\
                        declaration.fence:required\ndeclaration.maxDataLoss:900s\n";
        assert_eq!(shop().canonical(), expected);
        assert_eq!(shop().digest(), hex(&Sha256::digest(expected.as_bytes())));
    }

    #[test]
    fn every_part_of_a_recovery_plan_counts_in_its_digest() {
        let minute = SignedDuration::from_mins(1);
        let changes: &[fn(&mut RecoveryPlan, SignedDuration)] = &[
            |plan, _| plan.name.push('2'),
            |plan, _| plan.from = Location::new("uksouth"),
            |plan, _| plan.to = Location::new("uksouth"),
            |plan, _| plan.groups.reverse(),
            |plan, _| plan.groups[0].name.push('2'),
            |plan, _| plan.groups[0].members = Match::All(vec![]),
            |plan, time| plan.groups[0].after[0] = Action::Wait(time),
            |plan, _| plan.groups[0].after[0] = Action::Approve("120s".into()),
            |plan, _| {
                let action = plan.groups[0].after.remove(0);
                plan.groups[0].before.push(action);
            },
            |plan, _| plan.groups[1].before[0] = Action::Approve("verified?".into()),
            |plan, _| plan.traffic.clear(),
            |plan, _| plan.traffic[0].profile.push('2'),
            |plan, _| plan.traffic[0].from.push('2'),
            |plan, _| plan.traffic[0].to.push('2'),
            |plan, _| plan.traffic[0].verify.url.push('2'),
            |plan, time| plan.traffic[0].verify.within = time,
            |plan, _| plan.declaration.by = By::Rules,
            |plan, _| plan.declaration.approvals = 2,
            |plan, _| plan.declaration.evidence.reported.extend([Reported::ResourceHealth]),
            |plan, _| plan.declaration.evidence.measured = [Measured::MetricAlert].into(),
            |plan, _| plan.declaration.evidence.alerts.extend(["shop-availability".into()]),
            |plan, _| plan.declaration.evidence.at_least = 3,
            |plan, time| plan.declaration.evidence.window = time,
            |plan, time| plan.declaration.cooldown = time,
            |plan, _| plan.declaration.fence = Fence::BestEffort,
            |plan, time| plan.declaration.max_data_loss = time,
        ];
        let mut digests: alloc::vec::Vec<String> = changes
            .iter()
            .map(|change| {
                let mut plan = shop();
                change(&mut plan, minute);
                plan.digest()
            })
            .collect();
        digests.push(shop().digest());
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), changes.len() + 1);
        let mut same = shop();
        same.traffic[0].profile = "TM-Shop".into();
        assert_eq!(same.digest(), shop().digest(), "names in Azure have no case");
    }
}
