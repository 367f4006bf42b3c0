//! Closed lists of words: each has a short word that is stored, and a sentence that is shown.
//! It decides nothing. A word that was ever stored is never given another meaning.

/// An enum whose variants have a stored word and a shown sentence.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $(#[doc = $text] $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that is stored.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one whose stored word this is.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.word() == word)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
    };
}

words! {
    /// Why a task failed, or a saga is undone.
    WhyKind {
        Refused "refused" "Azure refused it",
        AttemptsUsedUp "attempts" "it was tried as often as it may be",
        BoundPassed "bound" "the time for it has passed",
        JobFailed "job" "its job failed",
        Aborted "aborted" "a person ordered it to be stopped",
        Recovered "recovered" "the region came back",
        NotReady "not-ready" "it is not ready to be failed over",
        NotAllowed "not-allowed" "Azure does not allow the failover of it now",
        InMultiVmGroup "multi-vm" "it is a member of a multi-VM group and cannot be failed over alone",
        TargetTaken "target-taken" "a machine of the target's name is there already",
        TargetNotFound "target-not-found" "the new machine cannot be told among those in the target group",
        TargetNotUsable "target-not-usable" "the target's vault, group, network or quota is not as it must be",
        NoPointOfThatKind "no-point" "there is no recovery point of the kind that was asked for",
        LossGrew "loss-grew" "more would be lost than was approved",
        NothingIsFailedOver "not-failed-over" "it is not failed over, so there is nothing to act on",
        ProfileNotUsable "profile" "the traffic profile is not as it must be",
        LastEndpoint "last-endpoint" "it would be the last enabled endpoint of its profile",
        CannotProtectBack "cannot-protect-back" "what protecting the other way needs is not there",
    }
}

words! {
    /// What a person is asked.
    Ask {
        Approve "approve" "the recovery plan asks for a person's word here",
        Failed "failed" "a step failed past the point of no return: how shall it go on?",
        FenceImpossible "fence-impossible" "old machines cannot be stopped: their region does not answer, or Azure refuses it; go on without the fence?",
        LossGrew "loss-grew" "the newest usable point loses more than was approved; go on with it?",
        Recovered "recovered" "the region came back before anything was failed over: go on, or undo?",
        UndoFailed "undo-failed" "a step could not be undone",
        Commit "commit" "is the failover good? committing deletes the other recovery points; until then another one can be chosen",
        OldSideSilent "old-side-silent" "the old side does not answer, and its machines would start by themselves when it does; the watch goes on until it is ended",
        ProtectBack "protect-back" "protecting the other way turns off and deletes the old machines; what they wrote and did not replicate stays in the points made of their disks alone; go on?",
        NeedMissing "need-missing" "what this step needs was gone on without, so that it can never be done; the rest is for people",
        UnknownStep "unknown-step" "the saga's progress names a step that this release does not know; nothing is done until a person decides",
    }
}

words! {
    /// What a person may answer.
    Choice {
        GoOn "go-on" "go on",
        Again "again" "try it again",
        AnotherPoint "another-point" "take another recovery point",
        Undo "undo" "undo what was done",
        End "end" "end it here and leave the rest to people",
        FailBack "fail-back" "fail back to the old region",
    }
}

words! {
    /// Whether a change has begun in Azure.
    Begun {
        No "no" "it has not begun",
        Perhaps "perhaps" "whether it has begun is not known",
        Yes "yes" "it has begun",
    }
}

words! {
    /// How far a task is.
    State {
        Look "look" "to be looked at",
        Looking "looking" "being looked at",
        Changing "changing" "its change is being sent",
        Done "done" "done",
        Failed "failed" "failed",
        GivenUp "given-up" "given up, and gone on without it",
    }
}

words! {
    /// How a saga ended.
    End {
        Done "done" "all of it was done",
        Undone "undone" "all of it was undone",
        Left "left" "it was left to people",
    }
}

/// Why, with what Azure said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The reason.
    pub kind: WhyKind,
    /// Azure's code, or what exactly is not as it must be.
    pub code: Option<alloc::string::String>,
}

impl Why {
    /// With a code.
    pub fn with(kind: WhyKind, code: &str) -> Self {
        Self { kind, code: Some(code.into()) }
    }
}

impl From<WhyKind> for Why {
    fn from(kind: WhyKind) -> Self {
        Self { kind, code: None }
    }
}

impl core::fmt::Display for Why {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} ({code})", self.kind),
            None => self.kind.fmt(f),
        }
    }
}
