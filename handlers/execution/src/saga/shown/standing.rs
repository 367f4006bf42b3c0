//! How each step, and each thing in it, stands: read from the saga's progress beside its table.
//! It never decides what comes next.

use lifeboat_planning::saga::failover::{Failover, Look};
use lifeboat_planning::saga::{Ask, At, End, Lane, LanePlace, Opens, Phase, Saga, State, Step, Way};

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStands {
    /// It has not begun.
    NotYet,
    /// Steps that it needs are not done.
    Waits,
    /// It is under way.
    Going,
    /// A person is asked.
    Asks,
    /// It failed.
    Failed,
    /// It is done.
    Done,
    /// Nothing had to be done in it.
    Nothing,
    /// It will be undone.
    ToUndo,
    /// It is being undone.
    Undoing,
    /// It is undone.
    Undone,
    /// It was left to people.
    Left,
}

/// How one thing stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stands {
    /// It has not begun.
    #[default]
    NotYet,
    /// It is under way.
    Going,
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// It was gone on without.
    GivenUp,
    /// It is being undone.
    Undoing,
    /// It is undone.
    Undone,
    /// It could not be undone.
    NotUndone,
}

impl StepStands {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotYet => "not yet",
            Self::Waits => "waits",
            Self::Going => "under way",
            Self::Asks => "waits for a person",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::Nothing => "nothing to do",
            Self::ToUndo => "to be undone",
            Self::Undoing => "being undone",
            Self::Undone => "undone",
            Self::Left => "left to people",
        }
    }
}

impl Stands {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotYet => "not yet",
            Self::Going => "under way",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::GivenUp => "gone on without it",
            Self::Undoing => "being undone",
            Self::Undone => "undone",
            Self::NotUndone => "could not be undone",
        }
    }
}

/// How a step stands. Only the first lane is undone.
pub(super) fn stands(
    saga: &Saga<Failover>,
    first: bool,
    lane: &Lane<Failover>,
    place: &LanePlace,
    step: &Step<Failover>,
) -> StepStands {
    let begun = |way| saga.progress.steps.get(&(way, step.name.clone()));
    let (forward, back) = (begun(Way::Forward), begun(Way::Back));
    let tasks = step.work().map(|work| work.tasks.as_slice());
    let asked = place.question.as_ref().filter(|question| question.step == step.name && question.blocks);
    if first && let Phase::Undoing(..) | Phase::Ended(End::Undone) = saga.progress.phase {
        let undoes = tasks.is_some_and(|tasks| tasks.iter().any(|task| task.undo.is_some()));
        let here = matches!(&saga.progress.phase, Phase::Undoing(_, at) if *at == step.name);
        return match (forward, back) {
            (_, Some(back)) if back.over => StepStands::Undone,
            _ if asked.is_some() => StepStands::Failed,
            _ if here && undoes => StepStands::Undoing,
            (Some(_), _) if undoes && !saga.ended() => StepStands::ToUndo,
            (Some(begun), _) if begun.over => StepStands::Done,
            (Some(_), _) => StepStands::Failed,
            (None, _) => StepStands::NotYet,
        };
    }
    match forward {
        Some(begun) if begun.over && tasks.is_some_and(<[_]>::is_empty) => return StepStands::Nothing,
        Some(begun) if begun.over => return StepStands::Done,
        _ => {}
    }
    let here = matches!(&place.at, At::Step(at) if *at == step.name);
    let opened = lane.opens == Opens::AtOnce || saga.past_no_return();
    match (asked, forward) {
        (Some(question), _) => of_question(question.ask),
        (None, Some(_)) if saga.ended() || place.at == At::Left => StepStands::Left,
        (None, Some(_)) if here => StepStands::Going,
        (None, None) if here && opened && !step.needs.is_empty() => StepStands::Waits,
        _ => StepStands::NotYet,
    }
}

/// How a step stands at which this is asked.
fn of_question(ask: Ask) -> StepStands {
    match ask {
        Ask::Failed | Ask::FenceImpossible | Ask::LossGrew | Ask::UndoFailed | Ask::NeedMissing => StepStands::Failed,
        Ask::Approve | Ask::Recovered | Ask::Commit | Ask::OldSideSilent | Ask::ProtectBack | Ask::UnknownStep => {
            StepStands::Asks
        }
    }
}

/// How a thing of a step stands.
pub(super) fn task_stands(saga: &Saga<Failover>, step: &str, key: &str) -> Stands {
    let begun = |way| saga.progress.steps.get(&(way, step.to_owned())).and_then(|it| it.tasks.get(key));
    match (begun(Way::Forward), begun(Way::Back)) {
        (_, Some(back)) => match back.state {
            State::Done => Stands::Undone,
            State::Failed | State::GivenUp => Stands::NotUndone,
            State::Look | State::Looking | State::Changing => Stands::Undoing,
        },
        (Some(forward), None) => match forward.state {
            State::Done => Stands::Done,
            State::Failed => Stands::Failed,
            State::GivenUp => Stands::GivenUp,
            State::Look | State::Looking | State::Changing => Stands::Going,
        },
        (None, None) => Stands::NotYet,
    }
}

/// What came of the last of the begun tasks whose look is this; what was done once is not less so when it is looked at again.
pub(super) fn last(saga: &Saga<Failover>, lanes: &[Lane<Failover>], is: impl Fn(&Look) -> bool) -> Stands {
    let mut found = Stands::NotYet;
    for step in lanes.iter().flat_map(|lane| &lane.steps) {
        let tasks = step.work().into_iter().flat_map(|work| &work.tasks).filter(|task| is(&task.look));
        for task in tasks {
            match task_stands(saga, &step.name, &task.key) {
                Stands::NotYet => {}
                Stands::Going if found == Stands::Done => {}
                stands => found = stands,
            }
        }
    }
    found
}
