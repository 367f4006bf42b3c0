//! The policies of the tour: the one that is in force from the start, and what people push while it is played.
//! It never judges them; a test reads each as the handler does.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lifeboat_execution::bundle::File;

/// Every machine tagged `env=prod` gets its first point.
const PRODUCTION: &str = include_str!("policy.yaml");
/// A file server.
const OFFICE: &str = include_str!("office.yaml");
/// A domain controller.
const VAULTS: &str = include_str!("vaults.yaml");

/// The shop's recovery plan.
const RECOVERY: &str = include_str!("recovery.yaml");

/// What the office's policy asks for.
#[derive(Clone, Debug)]
pub struct Office {
    /// The moment of the day at which its points are made.
    pub slot: Timestamp,
    /// What is kept, as the document has it; everything where nothing is said.
    pub keep: Option<&'static str>,
}

impl Office {
    /// The document.
    pub fn text(&self) -> String {
        let at = self.slot.to_zoned_datetime(TimeZone::UTC);
        let keep = self.keep.map(|keep| format!("\n      keep: {keep}")).unwrap_or_default();
        OFFICE.replace("{cron}", &format!("{} {} * * *", at.minute(), at.hour())).replace("{keep}", &keep)
    }
}

/// What is in force from the start.
pub fn at_start() -> Vec<File> {
    vec![file("production.yaml", PRODUCTION.to_owned())]
}

/// What people put in force while the tour is played: what was from the start, and what they add; a recovery plan where the shop's address
/// is given.
pub fn in_force(office: Option<&Office>, vaults: bool, shop: Option<&str>) -> Vec<File> {
    let mut files = at_start();
    files.extend(office.map(|office| file("office.yaml", office.text())));
    if vaults {
        files.push(file("vaults.yaml", VAULTS.to_owned()));
    }
    files.extend(shop.map(|url| file("shop.yaml", RECOVERY.replace("{url}", url))));
    files
}

fn file(name: &str, text: String) -> File {
    File { name: name.to_owned(), text }
}

#[cfg(test)]
mod tests {
    use lifeboat_contract::policy::{read_documents, read_policy};

    use super::*;

    #[test]
    fn each_policy_of_the_tour_is_one_that_is_enforced() {
        let slot: Timestamp = "2026-11-25T22:07:00Z".parse().unwrap();
        for keep in [None, Some("{ last: 3, daily: 14 }")] {
            for file in in_force(Some(&Office { slot, keep }), true, None) {
                let read = read_policy(&file.text, &file.name);
                let policy = read.unwrap_or_else(|problems| panic!("{}: {problems:?}", file.name)).policy;
                assert_eq!(format!("{:?}", policy.mode), "Enforce", "{}", file.name);
            }
        }
        let all = in_force(None, true, Some("http://127.0.0.1:8080/healthz"));
        let texts: Vec<(&str, &str)> = all.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
        let read = read_documents(&texts).expect("they read as one set");
        assert_eq!(read.recovery_plans.len(), 1);
        assert!(Office { slot, keep: None }.text().contains("cron: \"7 22 * * *\""));
    }
}
