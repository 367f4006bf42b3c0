//! The points of a file server: one is made on schedule, old ones expire with their reasons, one that is held stays, and a breaker opens
//! where a policy lets too many go. It never believes the handler: what is there and what was asked for is the simulated Azure's record.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Held, Look, Tour, counted, missed, name_of};
use crate::keep;
use crate::local::Fault;
use crate::local::control::PointSeen;
use crate::local::estate::FILE_SERVER;
use crate::local::policies::{self, Office};
use crate::local::witness::{Record, Wrong, short};
use words::{collection_of, listed, minute_of, said, stamp};

/// How long ago the moment of the schedule was: its turn in the hour after it has come, and the hour is not over.
const SLOT_AGO: SignedDuration = SignedDuration::from_mins(10);
/// Two weeks.
const KEEPS_WEEKS: &str = "{ last: 3, daily: 14 }";
/// Days whose points two weeks keep.
const KEPT_DAYS: usize = 14;
/// What somebody writes who means two weeks and forgets a digit.
const KEEPS_TOO_FEW: &str = "{ last: 3, daily: 4 }";
/// Days whose points stay then.
const TOO_FEW_DAYS: usize = 4;
/// Days of the past that have a point.
const PAST_DAYS: i64 = 20;
/// What the policy's limits let go within a day: `expirePerDay`, and one for the point that was made in that day.
const GOING_PER_DAY: usize = 9;
/// A point that a person made.
const BY_HAND: &str = "before-upgrade";
/// How long ago.
const BY_HAND_AGO: SignedDuration = SignedDuration::from_hours(40 * 24);
/// How long after its moment a point of the past was made.
const MADE_AFTER: SignedDuration = SignedDuration::from_mins(4);
/// Which point the fault of a lost one takes away, counted from the newest: one that is to stay, and not the newest.
const LOST: usize = 5;

/// The machine that has points on schedule.
#[derive(Clone, Debug)]
pub(super) struct FileServer {
    machine: String,
    office: Office,
    held: Option<String>,
}

impl Tour<'_> {
    /// A point is made on schedule.
    pub(super) async fn scheduled(&mut self) -> Result<Held> {
        let machine = self.machine(FILE_SERVER).await?;
        let slot = minute_of(self.on.world.clock().now(), SLOT_AGO)?;
        let there = self.record(&machine).await?;
        let office = Office { slot, keep: None };
        self.file_server = Some(FileServer { machine: machine.clone(), office, held: None });
        self.push(false);
        self.steps.tell(&format!(
            "{FILE_SERVER} has {} of another tool and none of Lifeboat's; somebody pushes a policy: one each day at {} UTC, {} min ago",
            counted(there.foreign(), "point", "points"),
            slot.strftime("%H:%M"),
            SLOT_AGO.as_mins()
        ));
        self.sweep("PolicySweep").await?;
        let expected =
            "one restore point for that moment and no other, within the hour, with decision and outcome in the ledger";
        let mut told = String::new();
        let made = self
            .wait(async |tour| {
                let record = tour.record(&machine).await?;
                let words: Vec<String> =
                    record.ours().iter().map(|point| format!("{}, {}", point.name, point.state)).collect();
                let words = words.join("; ");
                if words != told {
                    tour.steps.tell(&words);
                    told.clone_from(&words);
                }
                Ok(match record.ours().as_slice() {
                    [point] if point.state == "Succeeded" => Look::Yes(words),
                    [] | [_] => Look::NotYet(words),
                    _ => Look::Never(words),
                })
            })
            .await?;
        if let Err(seen) = made {
            return Ok(Err(missed(expected, seen)));
        }
        self.sweep("PolicySweep").await?;
        if let Err(seen) = self.wait_until_quiet().await? {
            return Ok(Err(missed(expected, seen)));
        }
        let record = self.record(&machine).await?;
        let ours = record.ours();
        let [point] = ours.as_slice() else {
            return Ok(Err(missed(expected, format!("{} of Lifeboat's", ours.len()))));
        };
        let ledger = self.on.control.ledger(&machine, Some(&point.name)).await?;
        let (decided, verified) = (ledger.decided && !ledger.late, ledger.verified);
        let seen = format!(
            "{}, {} ({}); {}, {}; another sweep made no other",
            short(&point.name),
            point.state,
            point.consistency.as_deref().unwrap_or("no consistency"),
            if decided { "decided in its window" } else { "not decided in its window" },
            if verified { "read and written down" } else { "its outcome is not in the ledger" },
        );
        let as_asked = decided && verified && point.name.contains(&stamp(slot)) && record.foreign() == there.foreign();
        Ok(if as_asked { Ok(seen) } else { Err(missed(expected, seen)) })
    }

    /// Points expire.
    pub(super) async fn expired(&mut self) -> Result<Held> {
        let machine = self.file_server()?.machine.clone();
        self.plant_past(&machine).await?;
        let before = self.record(&machine).await?;
        let points = before.ours();
        let (Some(oldest), Some(lost)) = (points.last(), points.get(LOST)) else { bail!("there is no past") };
        self.steps.tell(&format!(
            "as if {PAST_DAYS} days had gone by: {} of Lifeboat's since {}, and {BY_HAND}, which a person made among them",
            counted(points.len(), "point", "points"),
            oldest.time_created.strftime("%F")
        ));
        self.hold(&oldest.id).await?;
        self.change(|server| {
            server.held = Some(oldest.id.to_lowercase());
            server.office.keep = Some(KEEPS_WEEKS);
        })?;
        let (estate, due) = (self.estate().await?, self.due(&before, KEPT_DAYS)?);
        self.push(false);
        self.steps.tell(&format!("somebody pushes `keep: {KEEPS_WEEKS}`, and the sweep runs"));
        self.tell_what_keep_says(&before).await?;
        self.sweep("ExpirySweep").await?;
        let gone = self.gone(&estate, &due).await?;
        let expected = format!(
            "{} go, asked of Azure, with their reasons in the ledger; all else stays: the newer ones, the held one, and what others made",
            due.len()
        );
        if let Err(seen) = gone {
            return Ok(Err(missed(&expected, seen)));
        }
        // Behind Lifeboat's back.
        match self.fault {
            Some(Fault::LostPoint) => self.on.control.remove_point(&lost.id).await?,
            Some(Fault::ForeignGone) => {
                let by_hand = format!("{}/restorePoints/{BY_HAND}", collection_of(&oldest.id));
                self.on.control.remove_point(&by_hand).await?;
            }
            _ => {}
        }
        let wrong = self.wrong(&estate, &due).await?;
        let reasons = match self.reasons(&machine, &before, &due).await? {
            Ok(reasons) => reasons,
            Err(point) => return Ok(Err(missed(&expected, format!("{point} is gone, and no decision says why")))),
        };
        let first = before.ours().into_iter().rev().find(|point| due.contains(&point.id.to_lowercase()));
        let seen = format!(
            "{} gone from {} on, oldest first ({reasons}); {} stays, held; {} of Lifeboat's and {} of others are there",
            due.len(),
            first.map(|point| short(&point.name)).unwrap_or_default(),
            short(&oldest.name),
            self.record(&machine).await?.ours().len(),
            self.estate().await?.foreign(),
        );
        Ok(if wrong.is_empty() { Ok(seen) } else { Err(missed(&expected, listed(&wrong))) })
    }

    /// A breaker opens.
    pub(super) async fn breaker(&mut self) -> Result<Held> {
        let machine = self.file_server()?.machine.clone();
        let (before, estate) = (self.record(&machine).await?, self.estate().await?);
        let deletes = self.on.control.point_deletes().await?;
        let deleted = deletes.iter().map(|one| one.path.to_lowercase()).collect::<BTreeSet<_>>().len();
        self.change(|server| server.office.keep = Some(KEEPS_TOO_FEW))?;
        self.push(false);
        let wanted = self.due(&before, TOO_FEW_DAYS)?;
        self.steps.tell(&format!(
            "somebody means `daily: {KEPT_DAYS}` and pushes `daily: {TOO_FEW_DAYS}`: {} points are due at once; {deleted} went today, and {GOING_PER_DAY} may",
            wanted.len()
        ));
        let mut due = BTreeSet::new();
        let oldest_first = before.ours().into_iter().rev().map(|point| point.id.to_lowercase());
        due.extend(oldest_first.filter(|id| wanted.contains(id)).take(GOING_PER_DAY.saturating_sub(deleted)));
        let expected = format!(
            "the {} oldest go, then the breaker is open and told of, and nothing more goes until a person closes it",
            due.len()
        );
        self.sweep("ExpirySweep").await?;
        if let Err(seen) = self.gone(&estate, &due).await? {
            return Ok(Err(missed(&expected, seen)));
        }
        let Some(alarm) = self.alarm().await? else {
            return Ok(Err(missed(&expected, "/api/status says nothing of it".to_owned())));
        };
        self.steps.tell(&format!("{} went; /api/status: {alarm}", due.len()));
        self.sweep("ExpirySweep").await?;
        let wrong = self.wrong(&estate, &due).await?;
        if !wrong.is_empty() {
            return Ok(Err(missed(&expected, listed(&wrong))));
        }
        self.steps.tell("another sweep: nothing more went");
        let order = json!({ "reason": "it is in the way" });
        let answer = self.on.ask(Method::POST, "breaker", Some(&order)).await?;
        self.steps.tell(&format!(
            "somebody asks to close it with the key alone: {} ({})",
            said(&answer.body),
            answer.status
        ));
        let refused = answer.status == 403 && self.alarm().await?.is_some();
        self.change(|server| server.office.keep = Some(KEEPS_WEEKS))?;
        self.push(false);
        self.sweep("ExpirySweep").await?;
        let wrong = self.wrong(&estate, &due).await?;
        let seen = format!(
            "{} of {} due points went, and with the policy mended the other {} stay; the breaker is open",
            due.len(),
            wanted.len(),
            wanted.len() - due.len()
        );
        Ok(match (wrong.is_empty(), refused) {
            (true, true) => Ok(seen),
            (true, false) => Err(missed(&expected, format!("the breaker was closed: {}", said(&answer.body)))),
            (false, _) => Err(missed(&expected, listed(&wrong))),
        })
    }

    /// Puts in force what people ask for by now.
    pub(super) fn push(&mut self, vaults: bool) {
        let office = self.file_server.as_ref().map(|server| server.office.clone());
        let shop = self.recovery.then(|| self.on.shop.url());
        self.on.push(policies::in_force(office.as_ref(), vaults, shop.as_deref()));
    }

    /// Runs a sweep now, as its timer does later.
    pub(super) async fn sweep(&mut self, name: &str) -> Result<()> {
        let run = self.on.host.fire_timer(name).await;
        run.map(drop).with_context(|| format!("the host has no timer for {name}"))
    }

    fn file_server(&self) -> Result<&FileServer> {
        self.file_server.as_ref().context("no policy asks for scheduled points")
    }

    fn change(&mut self, change: impl FnOnce(&mut FileServer)) -> Result<()> {
        self.file_server.as_mut().map(change).context("no policy asks for scheduled points")
    }

    /// The points that are older than the newest so many, but for the one that is held.
    fn due(&self, before: &Record, kept: usize) -> Result<BTreeSet<String>> {
        let held = self.file_server()?.held.clone();
        let older = before.ours().into_iter().skip(kept).map(|point| point.id.to_lowercase());
        Ok(older.filter(|id| Some(id) != held.as_ref()).collect())
    }

    async fn machine(&self, name: &str) -> Result<String> {
        let all = self.on.control.machines().await?;
        all.into_iter().find(|id| name_of(id) == name).with_context(|| format!("there is no machine {name}"))
    }

    async fn record(&self, machine: &str) -> Result<Record> {
        Ok(Record::of(self.on.control.points(machine).await?))
    }

    /// The points of all machines.
    async fn estate(&self) -> Result<Record> {
        let mut all = Vec::new();
        for machine in self.on.control.machines().await? {
            all.extend(self.on.control.points(&machine).await?);
        }
        Ok(Record::of(all))
    }

    /// Gives the file server's collection a past: a point of each day before, and one by hand.
    async fn plant_past(&mut self, machine: &str) -> Result<()> {
        let slot = self.file_server()?.office.slot;
        let record = self.record(machine).await?;
        let point = *record.ours().first().context("there is no point of Lifeboat's")?;
        let collection = collection_of(&point.id);
        let mut past = vec![(BY_HAND.to_owned(), slot.checked_sub(BY_HAND_AGO)?)];
        for days in 1..=PAST_DAYS {
            let at = slot.checked_sub(SignedDuration::from_hours(24 * days))?;
            past.push((point.name.replace(&stamp(slot), &stamp(at)), at.checked_add(MADE_AFTER)?));
        }
        for (name, made) in past {
            let order = json!({ "machine": machine, "collection": collection, "name": name, "made": made });
            self.on.control.order("/points/plant", &order).await?;
        }
        Ok(())
    }

    /// A person asks that a point stays.
    async fn hold(&mut self, point: &str) -> Result<()> {
        let order = json!({ "point": point, "reason": "the auditors ask for it" });
        let answer = self.on.ask(Method::POST, "hold", Some(&order)).await?;
        let (name, said) = (short(name_of(point)), said(&answer.body));
        self.steps.tell(&format!("somebody asks to hold {name}: {said} ({})", answer.status));
        Ok(())
    }

    /// Waits until the points that were to go are gone; what is gone besides ends it.
    async fn gone(&mut self, estate: &Record, due: &BTreeSet<String>) -> Result<Result<String, String>> {
        self.wait(async |tour| {
            let wrong = tour.wrong(estate, due).await?;
            let seen = listed(&wrong);
            Ok(match wrong.first() {
                None => Look::Yes(seen),
                Some(Wrong::StillThere { .. }) => Look::NotYet(seen),
                Some(_) => Look::Never(seen),
            })
        })
        .await
    }

    async fn wrong(&self, estate: &Record, due: &BTreeSet<String>) -> Result<Vec<Wrong>> {
        let deletes = self.on.control.point_deletes().await?;
        Ok(estate.held_against(&self.estate().await?, due, &deletes))
    }

    /// Why each of the points went, by the ledger; the first of which no decision says so.
    async fn reasons(&self, machine: &str, before: &Record, due: &BTreeSet<String>) -> Result<Result<String, String>> {
        let decided = self.on.control.expired(machine).await?;
        let mut reasons = BTreeSet::new();
        for point in before.ours().into_iter().filter(|point| due.contains(&point.id.to_lowercase())) {
            let Some(what) = decided.iter().find(|what| what.contains(&point.name)) else {
                return Ok(Err(short(&point.name)));
            };
            reasons.extend(what.split_once(", because ").map(|(_, reasons)| reasons.to_owned()));
        }
        Ok(Ok(reasons.into_iter().collect::<Vec<_>>().join(" / ")))
    }

    /// What `lifeboat keep` says of the same dates by the same policy.
    async fn tell_what_keep_says(&mut self, before: &Record) -> Result<()> {
        let FileServer { office, held, .. } = self.file_server()?;
        let line = |point: &PointSeen, mark| format!("{} restorePoint restorable {mark}\n", point.time_created);
        let held = |id: &str| if Some(id.to_lowercase()) == *held { "held" } else { "" };
        let mut dates: String = before.ours().iter().map(|point| line(point, held(&point.id))).collect();
        dates.extend(before.others().iter().map(|point| line(point, "foreign")));
        let told = keep::told(&office.text(), &dates, self.on.world.clock().now())?;
        let mut groups: BTreeMap<(String, String), usize> = BTreeMap::new();
        for verdict in told {
            *groups.entry(verdict).or_default() += 1;
        }
        for ((kind, reasons), count) in groups {
            let points = counted(count, "point", "points");
            self.steps.tell(&format!("`lifeboat keep` says of {points}: {kind} ({reasons})"));
        }
        Ok(())
    }

    /// The alarm of an open breaker, as `/api/status` tells it.
    async fn alarm(&self) -> Result<Option<String>> {
        let answer = self.on.ask(Method::GET, "status", None).await?;
        let status: Value = serde_json::from_slice(&answer.body).context("/api/status is not understood")?;
        let told = status["attention"].as_array().into_iter().flatten().filter_map(|one| one["what"].as_str());
        Ok(told.into_iter().find(|what| what.contains("policy office") && what.contains("limit")).map(str::to_owned))
    }
}
