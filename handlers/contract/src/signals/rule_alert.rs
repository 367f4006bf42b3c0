//! Reads alerts of metric and log rules. Their `monitorCondition` is their state, and they carry no mark of being a test.
//! It never counts one whose rule and resource nobody named: only what a recovery plan names, or a machine of the estate.

use std::collections::BTreeSet;

use lifeboat_planning::signal::{About, Origin, Signal, State, Told};

use super::alert::Alert;
use super::fields::{text, texts, time, word};
use super::reason::{NotCounted, RawBecause};
use super::{Known, Reading};

/// Reads an alert.
///
/// *Assumed*, `alert-one-id`: `Fired` and `Resolved` of one alert carry one `alertId`; where not, the alert ends by silence.
pub(super) fn read(alert: &Alert<'_>, known: &Known) -> Reading {
    let essentials = alert.essentials;
    let fired_at = time(essentials, "firedDateTime");
    let (state, said_at) = match word(essentials, "monitorCondition").as_deref() {
        Some("fired") => (State::Failing, fired_at),
        // It repeats when it fired; when it was resolved stands apart.
        Some("resolved") => (State::Well, time(essentials, "resolvedDateTime")),
        _ => return Reading::raw(RawBecause::UnknownState, alert.body),
    };
    let Some(id) = text(essentials, "alertId") else { return Reading::raw(RawBecause::NoId, alert.body) };
    let rules = [text(essentials, "alertRuleID"), text(essentials, "alertRule")];
    let targets = texts(essentials, "alertTargetIDs");
    let names: BTreeSet<&str> = rules.into_iter().flatten().chain(targets.iter().copied()).collect();
    let named: Vec<_> = names.into_iter().filter_map(|name| known.named(name)).collect();
    let about = |region: &str, about| Signal {
        origin: Origin::MetricAlert,
        region: region.to_owned(),
        about,
        state,
        since: fired_at,
        said_at: said_at.unwrap_or(alert.at),
        told: Told::Message(format!("{id} {} {}", state.word(), said_at.unwrap_or(alert.at))),
    };
    // Which recovery plan hears it goes by the name: what one names is nothing that another goes by.
    let by_name = named.iter().flat_map(|(name, regions)| regions.iter().map(move |region| (*name, region)));
    let matter = |name: &str| About::Region { matter: id.to_owned(), service: name.to_owned() };
    let mut signals: Vec<Signal> = by_name.map(|(name, region)| about(region, matter(name))).collect();
    // And a machine is part of its region's share for all.
    let of_machine = |id: &&str| known.machine(id).map(|region| about(region, About::Machine(id.to_lowercase())));
    signals.extend(targets.iter().filter_map(of_machine));
    if signals.is_empty() {
        return Reading::uncounted(alert.name(), NotCounted::UnknownTarget);
    }
    Reading { signals, ..Reading::default() }
}
