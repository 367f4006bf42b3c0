//! What the handler asked Azure to change, as the calls that reached it say.
//! It never counts what only reads, nor what never reached Azure.

use jiff::Timestamp;
use lifeboat_tests::Rig;
use lifeboat_tests::tap::{Call, Service};

use crate::model::history::{Hand, What};

use super::record::Record;

/// Calls without an answer are under way for so long at most, in seconds; then they are taken for lost.
const UNDER_WAY_SECS: i64 = 180;
/// Questions that are asked by `POST`.
const QUESTIONS: [&str; 2] = ["/backupstatus", "/backupprevalidateprotection"];

/// Whether a call asks Azure for a change.
pub fn changes(call: &Call) -> bool {
    let path = call.path.to_lowercase();
    call.service == Service::Arm && call.writes() && !QUESTIONS.iter().any(|question| path.ends_with(question))
}

impl Record {
    /// Reads the calls that are new.
    pub(super) fn see_calls(&mut self, rig: &Rig, now: Timestamp) {
        for call in rig.wire.calls_from(self.cursor) {
            let age = now.as_second() - call.at.as_second();
            if call.status.is_none() && age < UNDER_WAY_SECS {
                return;
            }
            self.cursor = call.number + 1;
            self.wrong += usize::from(!matches!(call.status, Some(200..=399 | 404 | 409 | 412)));
            if changes(&call) {
                self.see_write(&call);
            }
        }
    }

    fn see_write(&mut self, call: &Call) {
        let path = call.path.to_lowercase();
        let taken = call.status.is_some_and(|status| status < 300);
        self.writes += usize::from(taken);
        self.changes += usize::from(taken && call.method != "DELETE");
        let is_point = path.contains("/restorepoints/") || path.contains("/snapshots/");
        if call.method == "DELETE" && is_point {
            let point = self.set_of(&path).unwrap_or(path);
            match call.status {
                None => self.unanswered.push((point, call.at)),
                Some(404 | 204) => {}
                Some(_) => self.tell(call.at, What::DeleteSent { point, by: Hand::Lifeboat, accepted: taken }),
            }
            return;
        }
        if !taken || (call.method == "PUT" && is_point) {
            return;
        }
        let item = path.contains("/protecteditems/").then(|| path.rsplit(';').next().unwrap_or_default().to_owned());
        let name = item.map(|rest| rest.split('/').next().unwrap_or_default().to_owned());
        let machine = name.and_then(|name| {
            let mut all = self.machines.iter();
            all.find(|(_, machine)| machine.name.to_lowercase() == name).map(|(vm_id, _)| vm_id.clone())
        });
        let vault = super::policies::VAULT.to_owned();
        let what = match (machine, call.method.as_str()) {
            (Some(vm_id), "PUT") => What::Protected { vm_id, vault, by: Hand::Lifeboat },
            (Some(vm_id), "POST") if path.ends_with("/backup") => What::BackupBegun { vm_id, by: Hand::Lifeboat },
            _ => What::OtherChange { call: format!("{} {}", call.method, call.path) },
        };
        self.tell(call.at, what);
    }
}
