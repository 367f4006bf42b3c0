//! What signals remember, as plain values: taken out to be stored between looks, and put in again as it was.
//! It never decides what counts; it forgets only what no later word could be measured against any more.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;

use super::{About, FORGOTTEN_AFTER, Origin, STALE_AFTER, Signals, State, Thread};

/// A thread with what it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptThread {
    /// The region.
    pub region: String,
    /// Who says it.
    pub origin: Origin,
    /// About what.
    pub about: About,
    /// What stands.
    pub thread: Thread,
}

/// All that signals remember.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The threads.
    pub threads: Vec<KeptThread>,
    /// The ids of messages that were heard, with when, oldest first.
    pub heard: Vec<(Timestamp, Origin, String)>,
    /// When Resource Health last answered whole.
    pub read_at: Option<Timestamp>,
    /// When a probe of a region last was answered well.
    pub good_probe_at: Vec<(String, Timestamp)>,
}

impl Signals {
    /// All that is remembered, in a fixed order.
    pub fn remembered(&self) -> Remembered {
        let kept = |((region, origin, about), thread): (&(String, Origin, About), &Thread)| KeptThread {
            region: region.clone(),
            origin: *origin,
            about: about.clone(),
            thread: thread.clone(),
        };
        Remembered {
            threads: self.threads.iter().map(kept).collect(),
            heard: self.heard.iter().cloned().collect(),
            read_at: self.read_at,
            good_probe_at: self.good_probe_at.iter().map(|(region, at)| (region.clone(), *at)).collect(),
        }
    }

    /// Signals that remember this.
    pub fn of(remembered: Remembered) -> Self {
        let Remembered { threads, heard, read_at, good_probe_at } = remembered;
        let heard_ids = heard.iter().map(|(at, origin, id)| ((*origin, id.clone()), *at)).collect();
        let threads = threads.into_iter().map(|kept| ((kept.region, kept.origin, kept.about), kept.thread)).collect();
        Self {
            threads,
            heard: heard.into_iter().collect(),
            heard_ids,
            read_at,
            good_probe_at: good_probe_at.into_iter().collect(),
        }
    }

    /// Signals of several regions as one. All of them were read whole when the one that was read longest ago was; one that never
    /// was makes it never.
    pub fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::default();
        let mut read_at: Option<Option<Timestamp>> = None;
        for part in parts {
            read_at = Some(match read_at {
                None => part.read_at,
                Some(before) => before.min(part.read_at),
            });
            whole.threads.extend(part.threads);
            whole.heard.extend(part.heard);
            whole.heard_ids.extend(part.heard_ids);
            whole.good_probe_at.extend(part.good_probe_at);
        }
        whole.read_at = read_at.flatten();
        whole
    }

    /// Drops what says nothing any more: silent threads, ids of messages so old that a repeat of them counts as stale, and of
    /// machines that are well and have been for longer than a message may be late, all but so many.
    ///
    /// A fleet is counted by the machines that are known of it, so that a machine that is well need not be among the threads; some
    /// of them are kept so that it shows that they speak.
    pub fn forget(&mut self, well_machines: usize, now: Timestamp) {
        self.age(now);
        let old = |at: &Timestamp| now.duration_since(*at) > FORGOTTEN_AFTER;
        self.heard.retain(|(at, _, _)| !old(at));
        self.heard_ids.retain(|_, at| !old(at));
        let mut kept = 0;
        self.threads.retain(|(_, _, about), thread| {
            let settled = matches!(about, About::Machine(_))
                && thread.state == State::Well
                && now.duration_since(thread.said_at) > STALE_AFTER;
            kept += usize::from(settled);
            !settled || kept <= well_machines
        });
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;
    use jiff::SignedDuration;

    use super::super::super::{Signal, Told};
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        let base: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        base.checked_add(SignedDuration::from_mins(minutes)).unwrap()
    }

    fn machine(name: &str, state: State, said: i64) -> Signal {
        Signal {
            origin: Origin::ResourceHealth,
            region: "westeurope".into(),
            about: About::Machine(name.into()),
            state,
            since: None,
            said_at: at(said),
            told: Told::Message(format!("{name}-{said}")),
        }
    }

    #[test]
    fn what_is_taken_out_is_put_in_as_it_was() {
        let mut signals = Signals::default();
        signals.take(&[machine("/a", State::Unavailable, 0)], at(0));
        signals.take(&[machine("/a", State::PlatformFault, 2), machine("/b", State::Well, 1)], at(2));
        let probe = About::Region { matter: "front".into(), service: String::new() };
        let probe = Signal { origin: Origin::Probe, about: probe, ..machine("", State::Well, 3) };
        signals.take(&[probe], at(3));
        signals.read_whole(at(3));
        assert_eq!(Signals::of(signals.remembered()), signals);
        let mut again = Signals::of(signals.remembered());
        let repeat = [machine("/a", State::Unavailable, 0)];
        assert_eq!(again.take(&repeat, at(4)), vec![super::super::Taken::Repeated], "ids are remembered too");
    }

    #[test]
    fn regions_together_were_read_when_the_one_read_longest_ago_was() {
        let read = |at: Option<Timestamp>| Signals { read_at: at, ..Signals::default() };
        assert_eq!(Signals::joined([read(Some(at(2))), read(Some(at(1)))]).read_at, Some(at(1)));
        assert_eq!(Signals::joined([read(Some(at(2))), read(None)]).read_at, None);
        assert_eq!(Signals::joined([read(None), read(Some(at(2)))]).read_at, None);
        assert_eq!(Signals::joined([]).read_at, None);
    }

    #[test]
    fn of_machines_that_are_well_few_are_kept_and_none_that_a_late_message_could_still_be_about() {
        let mut signals = Signals::default();
        for n in 0..10 {
            signals.take(&[machine(&format!("/old-{n}"), State::Well, 0)], at(0));
        }
        signals.take(&[machine("/new", State::Well, 50), machine("/bad", State::Unavailable, 0)], at(50));
        signals.forget(3, at(60));
        let left = signals.remembered().threads.len();
        assert_eq!(left, 3 + 1, "a stale word made no thread, and the young one stays");
    }
}
