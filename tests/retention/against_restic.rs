//! Restic's `forget` on the same dates, rule by rule: equal where the words are equal, and each difference named with its reason.
//! It changes nothing but a repository of its own under cargo's folder for tests; `.ci/restic` runs it.
//!
//! What restic has no word for is not compared: `min`, holds, locks, uses, foreign and failed points, machines that are gone. And
//! restic counts each snapshot in the offset that it was made with, where a policy has one zone for all: here both are Berlin's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use lifeboat_contract::keep::{
    AtLeast, Keep, Kind, PointSeen, Presence, Question, WhenMachineDeleted, read_keep, verdicts, zone,
};
use serde_json::Value;

use crate::fixture::{Dates, NOW, ZONE, time};

/// Rules of which the words are the same in both, with the same answer to each but for [`DIFFERENCES`].
const RULES: &[&str] = &[
    "last=1",
    "last=3",
    "last=10",
    "last=1000",
    "hourly=1",
    "hourly=5",
    "hourly=24",
    "hourly=48",
    "hourly=1000",
    "daily=1",
    "daily=3",
    "daily=7",
    "daily=14",
    "daily=30",
    "daily=1000",
    "weekly=1",
    "weekly=4",
    "weekly=12",
    "weekly=1000",
    "monthly=1",
    "monthly=6",
    "monthly=12",
    "monthly=1000",
    "yearly=1",
    "yearly=3",
    "yearly=10",
    "within=1h",
    "within=23h",
    "within=1d",
    "within=24h",
    "within=2d",
    "within=14d",
    "within=30d",
    "within=365d",
    "daily=7,weekly=5,monthly=12",
    "last=3,hourly=24,daily=7,weekly=4,monthly=12,yearly=3,within=2d",
];

/// The dates that a comparison is over, as restic's tags name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// All of the fixture that count.
    Past,
    /// Those, and the ones that have not come.
    Future,
    /// Three around a change of the clocks in spring.
    Spring,
}

/// Where the same words give another answer.
struct Difference {
    over: Over,
    rules: &'static str,
    /// What Lifeboat keeps and restic does not.
    ours: &'static [&'static str],
    /// What restic keeps and Lifeboat would let go.
    restics: &'static [&'static str],
    #[expect(dead_code, reason = "it is for whoever reads the list")]
    because: &'static str,
}

const DOUBLED_HOUR: &str = "the hour that clocks show twice in autumn is two hours here and one there";
const AT_THE_EDGE: &str = "a point exactly so much older than the newest is within here and without there: keep wins";

const FUTURE_TAKES_NO_PLACE: &str = "a time that has not come stays and takes no place here; there it takes the first";

/// The differences, each with its reason. Anything else that differs fails.
const DIFFERENCES: &[Difference] = &[
    Difference {
        over: Over::Past,
        rules: "hourly=1000",
        ours: &["2021-10-31T02:30:00+02:00", "2024-10-27T02:30:00+02:00"],
        restics: &[],
        because: DOUBLED_HOUR,
    },
    Difference {
        over: Over::Past,
        rules: "hourly=48",
        ours: &["2024-10-27T02:30:00+02:00"],
        restics: &["2024-06-09T04:00:00+02:00"],
        because: DOUBLED_HOUR,
    },
    Difference {
        over: Over::Past,
        rules: "within=1d",
        ours: &["2025-01-14T02:00:40+01:00"],
        restics: &[],
        because: AT_THE_EDGE,
    },
    Difference {
        over: Over::Past,
        rules: "within=24h",
        ours: &["2025-01-14T02:00:40+01:00"],
        restics: &[],
        because: AT_THE_EDGE,
    },
    Difference {
        over: Over::Spring,
        rules: "within=1d",
        ours: &["2024-03-30T02:45:00+01:00"],
        restics: &[],
        because: "the day before clocks go forward has 23 hours; 24 are kept here, since one day shall not mean less",
    },
    Difference {
        over: Over::Future,
        rules: "last=3",
        ours: &["2025-01-15T02:00:10+01:00", "2025-01-15T01:59:50+01:00"],
        restics: &[],
        because: FUTURE_TAKES_NO_PLACE,
    },
    Difference {
        over: Over::Future,
        rules: "daily=7",
        ours: &["2025-01-09T02:00:00+01:00", "2025-01-06T02:00:00+01:00"],
        restics: &[],
        because: FUTURE_TAKES_NO_PLACE,
    },
];

#[test]
#[ignore = "needs restic, and a minute to fill a repository; .ci/restic runs it"]
fn restic_keeps_the_same_where_the_words_are_the_same() {
    let restic = Restic::new();
    let dates = Dates::read();
    let (past, future): (Vec<PointSeen<'_>>, Vec<PointSeen<'_>>) = dates
        .seen()
        .into_iter()
        .filter(|point| point.counts(Timestamp::MAX))
        .partition(|point| point.counts(time(NOW)));
    let spring = ["2024-03-30T02:00:00+01:00", "2024-03-30T02:45:00+01:00", "2024-03-31T03:30:00+02:00"].map(time);
    past.iter().for_each(|point| restic.back_up(point.at, "past,future"));
    future.iter().for_each(|point| restic.back_up(point.at, "future"));
    spring.iter().for_each(|at| restic.back_up(*at, "spring"));
    let of = |over| match over {
        Over::Past => past.clone(),
        Over::Future => past.iter().chain(&future).copied().collect(),
        Over::Spring => spring.iter().map(|at| PointSeen { at: *at, ..past[0] }).collect(),
    };
    let further = DIFFERENCES.iter().filter(|difference| difference.over != Over::Past);
    let compared = RULES.iter().map(|rules| (Over::Past, *rules)).chain(further.map(|it| (it.over, it.rules)));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (over, rules) in compared {
        let points = of(over);
        let (ours, restics) = (kept_by_us(rules, &points), restic.keeps(rules, over));
        assert!(restics.len() <= points.len() && !restics.is_empty(), "{rules}: restic keeps {}", restics.len());
        let listed = DIFFERENCES.iter().find(|difference| (difference.over, difference.rules) == (over, rules));
        let times = |list: &[&str]| list.iter().map(|text| time(text)).collect::<BTreeSet<Timestamp>>();
        let wanted = listed.map_or_else(Default::default, |it| (times(it.ours), times(it.restics)));
        let got: (BTreeSet<Timestamp>, BTreeSet<Timestamp>) = (&ours - &restics, &restics - &ours);
        count += 1;
        if got != wanted {
            wrong.push(format!("{over:?} {rules}: only ours {:?}, only restic's {:?}", got.0, got.1));
        }
    }
    assert!(wrong.is_empty(), "differences that are not listed:\n{}", wrong.join("\n"));
    println!("{}: {count} rules compared, {} differences named", restic.version(), DIFFERENCES.len());
}

/// What Lifeboat keeps by the rules.
fn kept_by_us(rules: &str, points: &[PointSeen<'_>]) -> BTreeSet<Timestamp> {
    let keep: Keep = read_keep(rules).expect("rules are understood");
    let zone = zone(ZONE).expect("a zone");
    let question = Question {
        keep: Some(&keep),
        zone: &zone,
        at_least: AtLeast::Crash,
        machine: Presence::Living,
        when_gone: WhenMachineDeleted::KeepLast,
        deleted_by_hand: false,
        now: time(NOW),
    };
    // Holds and locks are no words of restic's: only what is kept by rule is compared.
    let verdicts = verdicts(&question, points);
    points.iter().zip(verdicts).filter(|(_, verdict)| verdict.kind == Kind::Keep).map(|(point, _)| point.at).collect()
}

/// Restic with a repository of its own.
struct Restic {
    repository: PathBuf,
}

impl Restic {
    fn new() -> Self {
        let repository = Path::new(env!("CARGO_TARGET_TMPDIR")).join("restic-repository");
        let _absent = std::fs::remove_dir_all(&repository);
        let restic = Self { repository };
        restic.run(ZONE, &["init"]);
        restic
    }

    fn version(&self) -> String {
        self.run(ZONE, &["version"]).split(" compiled").next().unwrap_or_default().to_owned()
    }

    /// A snapshot of nothing at a time. Restic takes a time without an offset: it gets a zone that has no other.
    fn back_up(&self, at: Timestamp, tags: &str) {
        let offset: Offset = zone(ZONE).expect("a zone").to_offset(at);
        let fixed = format!("Etc/GMT-{}", offset.seconds() / 3_600);
        let local = at.to_zoned_datetime(TimeZone::fixed(offset)).strftime("%F %T").to_string();
        let path = env!("CARGO_MANIFEST_DIR").to_owned() + "/retention/main.rs";
        self.run(&fixed, &["backup", &path, "--time", &local, "--tag", tags, "--host", "one"]);
    }

    /// The times that it keeps by the rules.
    fn keeps(&self, rules: &str, over: Over) -> BTreeSet<Timestamp> {
        let tag = format!("{over:?}").to_lowercase();
        let mut args = vec!["forget", "--dry-run", "--json", "--group-by", "", "--tag", &tag];
        let rules: Vec<String> = rules.split(',').map(|rule| format!("--keep-{rule}")).collect();
        args.extend(rules.iter().map(String::as_str));
        let said: Value = serde_json::from_str(&self.run(ZONE, &args)).expect("restic's JSON");
        let [group] = said.as_array().expect("groups").as_slice() else { panic!("{said}") };
        let kept = group["keep"].as_array().expect("what it keeps");
        kept.iter().map(|snapshot| time(snapshot["time"].as_str().expect("a time"))).collect()
    }

    fn run(&self, zone: &str, args: &[&str]) -> String {
        let mut command = Command::new("restic");
        command.args(["--no-cache", "--quiet"]).args(args).env("TZ", zone);
        command.env("RESTIC_REPOSITORY", &self.repository).env("RESTIC_PASSWORD", "no secret");
        let run = command.output().expect("restic is installed");
        assert!(run.status.success(), "restic {args:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).expect("UTF-8")
    }
}
