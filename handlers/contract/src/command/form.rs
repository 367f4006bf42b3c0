//! The form of every command as tables, which its reader follows and its JSON Schema comes from.
//! It never reads anything and never says who may order what.

use super::words::{CHOICES_APPROVE, CHOICES_REJECT, CONDITIONS, COUNTERS, MODES};
use crate::policy::form::POLICY_NAME_CHARS_MAX;

/// The longest body that is read, in bytes: CloudEvents asks every party to take 64 KiB, and a command with a token has some five.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest id, in characters: Service Bus takes no longer message ids, and the id is one.
pub const ID_CHARS_MAX: usize = 128;
/// The longest `source`, in characters: a resource id is at most about a thousand.
pub const SOURCE_CHARS_MAX: usize = 1_024;
/// The longest access token, in characters: headers of 16 KiB are what the hosts on the way take.
pub const TOKEN_CHARS_MAX: usize = 16 * 1024;
/// The longest reason, in characters: as many as the records keep.
pub const REASON_CHARS_MAX: usize = 400;
/// The longest ARM id, in characters.
pub const ARM_ID_CHARS_MAX: usize = crate::event_grid::TEXT_CHARS_MAX;
/// Digits of a digest: SHA-256 in hexadecimal.
pub const DIGEST_CHARS: usize = 64;
/// Conditions that one order may pass, at most: as many as there are.
pub const PASSES_MAX: usize = CONDITIONS.len();

/// A field of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// A command without it is refused.
    pub required: bool,
    /// What it holds.
    pub holds: Holds,
    /// What it says, for people.
    pub says: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A text that is not blank, of at most so many characters.
    Text(usize),
    /// The name of a document.
    Name,
    /// A digest.
    Digest,
    /// The ARM id of something.
    ArmId,
    /// The id of a command or an incident.
    Id,
    /// A whole number from 1.
    Number,
    /// True or false.
    Truth,
    /// `true` and nothing else.
    Yes,
    /// A moment, as RFC 3339 writes it.
    Moment,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Each of these words at most once.
    Words(&'static [&'static str]),
    /// Which recovery point: one of these words, or a moment.
    Point(&'static [&'static str]),
    /// A mapping in which exactly one of these fields stands.
    OneOf(&'static [Field]),
    /// The fields of the command that the envelope is around.
    Data,
}

/// A command: its name and what it carries.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// The last but one part of its `type`.
    pub name: &'static str,
    /// What it asks for, for people.
    pub says: &'static str,
    /// The fields of its `data`.
    pub data: &'static [Field],
}

const fn required(name: &'static str, holds: Holds, says: &'static str) -> Field {
    Field { name, required: true, holds, says }
}

const fn optional(name: &'static str, holds: Holds, says: &'static str) -> Field {
    Field { name, required: false, holds, says }
}

/// What begins the `type` of every command; its name and its version follow.
pub const TYPE_PREFIX: &str = "io.lifeboat.command.";
/// The version of the commands' forms that this release reads.
pub const TYPE_VERSION: &str = "v1";

/// The envelope. What stands here and in CloudEvents means the same; `expirytime`, `dryrun` and `token` are extensions.
pub const ENVELOPE: &[Field] = &[
    required("specversion", Holds::Word(&["1.0"]), "The version of CloudEvents."),
    required("id", Holds::Id, "The idempotency key: a command with an id that was taken before does nothing again."),
    required(
        "source",
        Holds::Text(SOURCE_CHARS_MAX),
        "Who sends it, as a URI reference. Nothing is believed because of it.",
    ),
    required("type", Holds::Text(ID_CHARS_MAX), "Which command it is."),
    required("time", Holds::Moment, "When it was given. An hour later it lapses, if nothing else is said."),
    optional("subject", Holds::Text(ARM_ID_CHARS_MAX), "What it is about; for filters alone."),
    optional("datacontenttype", Holds::Word(&["application/json"]), "The form of `data`."),
    optional("dataschema", Holds::Text(SOURCE_CHARS_MAX), "Where the schema of `data` is; passed over."),
    required("data", Holds::Data, "What the command carries."),
    optional("expirytime", Holds::Moment, "When it lapses: at most a day after `time`."),
    optional("dryrun", Holds::Truth, "Say what would be done, and do nothing."),
    optional(
        "token",
        Holds::Text(TOKEN_CHARS_MAX),
        "On the queue: an Entra access token for Lifeboat, used for no other command.",
    ),
    optional("traceparent", Holds::Text(ID_CHARS_MAX), "The trace that it belongs to; passed over."),
    optional("tracestate", Holds::Text(SOURCE_CHARS_MAX), "The same."),
];

const PLAN: Field = required("recoveryPlan", Holds::Name, "The recovery plan's name.");
const SHOWN: Field =
    required("digest", Holds::Digest, "The digest of what was shown: evidence, fence, data loss, points.");
const REASON: Field = required("reason", Holds::Text(REASON_CHARS_MAX), "Why, in a person's words.");
const REMARK: Field = optional("reason", Holds::Text(REASON_CHARS_MAX), "Why, in a person's words.");
const PASSES: Field =
    optional("passes", Holds::Words(CONDITIONS), "Conditions that are not met and that the order passes all the same.");
const PROTECT_BACK: Field = optional(
    "protectBack",
    Holds::Yes,
    "The answer, ahead of the question: once it is committed and the old disks are saved, protect the other way. Site Recovery then deletes the old machines.",
);
const POINT: Field = optional(
    "point",
    Holds::Point(super::words::POINTS),
    "Which recovery point: the latest where nothing is said; one that is not there is never replaced.",
);
const ORDER: Field = optional("order", Holds::Id, "The order with this id.");
const INCIDENT: Field = optional("incident", Holds::Id, "The declaration that waits in this incident.");
const QUESTION: Field =
    optional("question", Holds::Number, "The question of this number that a running failover asks.");
const ASSUMPTIONS: Field = optional(
    "assumptions",
    Holds::Yes,
    "The recovery plan's list of assumed behaviours, so that its rules may act alone.",
);

/// What an approval may be of.
pub const APPROVED: &[Field] = &[ORDER, INCIDENT, QUESTION, ASSUMPTIONS];
/// What a rejection may be of.
pub const REJECTED: &[Field] = &[ORDER, INCIDENT, QUESTION, ASSUMPTIONS];

/// The commands that this release reads.
pub const COMMANDS: &[Form] = &[
    Form {
        name: "StartFailover",
        says: "Fail over by a recovery plan: the order of a person is itself the approval, unless the recovery plan asks for two.",
        data: &[PLAN, SHOWN, POINT, PASSES, PROTECT_BACK, REASON],
    },
    Form {
        name: "Approve",
        says: "Say yes to an order, a declaration or a question, as it was shown.",
        data: &[
            PLAN,
            SHOWN,
            required("of", Holds::OneOf(APPROVED), "What is approved."),
            optional(
                "choice",
                Holds::Word(CHOICES_APPROVE),
                "Which answer to a question; to go on where nothing is said.",
            ),
            POINT,
            PASSES,
            PROTECT_BACK,
            REMARK,
        ],
    },
    Form {
        name: "Reject",
        says: "Say no to an order, a declaration or a question.",
        data: &[
            PLAN,
            required("of", Holds::OneOf(REJECTED), "What is rejected."),
            optional(
                "choice",
                Holds::Word(CHOICES_REJECT),
                "Which answer to a question; to undo where nothing is said.",
            ),
            REASON,
        ],
    },
    Form {
        name: "Abort",
        says: "Undo a running failover; refused past the point of no return.",
        data: &[PLAN, REASON],
    },
    Form {
        name: "CommitFailover",
        says: "The failover is good: its other recovery points go.",
        data: &[PLAN, SHOWN, REMARK],
    },
    Form {
        name: "Hold",
        says: "Keep a point until a person releases it.",
        data: &[required("point", Holds::ArmId, "ARM id of a restore point or a snapshot."), REASON],
    },
    Form {
        name: "ReleaseHold",
        says: "Let a held point go by its rules again.",
        data: &[required("point", Holds::ArmId, "ARM id of a restore point or a snapshot."), REASON],
    },
    Form {
        name: "CloseBreaker",
        says: "Close a breaker that opened; what was counted stays counted.",
        data: &[
            required("policy", Holds::Name, "The policy's name."),
            required("counter", Holds::Word(COUNTERS), "Which of its counters."),
            REASON,
        ],
    },
    Form {
        name: "SetMode",
        says: "Follow a policy in another mode than its document says.",
        data: &[
            required("policy", Holds::Name, "The policy's name."),
            required("mode", Holds::Word(MODES), "asWritten: as the document says."),
            REASON,
        ],
    },
    Form {
        name: "Freeze",
        says: "Stop deletions, repairs and vault policy writes, or let them go on; points are made all the same.",
        data: &[required("frozen", Holds::Truth, "Whether they are stopped from now on."), REASON],
    },
    Form { name: "StopChanges", says: "Stop all changes.", data: &[REASON] },
    Form { name: "ResumeChanges", says: "Let changes go on.", data: &[REASON] },
];

/// Commands that are agreed and that this release does not take.
pub const PLANNED: &[&str] = &[
    "BackUpNow",
    "RestoreMachine",
    "RestoreDisks",
    "RestoreFiles",
    "CaptureImage",
    "StopProtection",
    "ResumeProtection",
    "Undelete",
    "AdoptPoint",
    "ApplyPlan",
    "StartFailback",
    "StartDrill",
    "TakeOver",
];

/// The longest name of a recovery plan or a policy, in characters.
pub const NAME_CHARS_MAX: usize = POLICY_NAME_CHARS_MAX;
