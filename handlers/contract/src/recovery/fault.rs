//! What is wrong with a recovery plan and with no other document.
//! It never finds any of it; whoever reads or judges does.

use std::fmt;

use crate::policy::problem::{First, Weight, quoted};

/// What is wrong with a recovery plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoveryFault {
    /// It leads into the region that it leads out of.
    SameRegion(String),
    /// An action that says nothing.
    EmptyAction,
    /// Several actions in one place, whose order nothing says.
    SeveralActions(usize),
    /// Who belongs to a group would change with the age of points.
    AgeOfPoints,
    /// It moves traffic from an endpoint to the same one.
    SameEndpoint(String),
    /// An endpoint that an item before it moves too.
    EndpointTwice {
        /// The endpoint.
        endpoint: String,
        /// Its profile.
        profile: String,
        /// The line of the first.
        first_line: u32,
    },
    /// A text that is no URL to be asked from outside.
    NoUrl(NoUrl),
    /// An origin that is in the list twice, which still is one origin.
    OriginTwice {
        /// The origin.
        origin: String,
        /// The line of the first.
        first_line: u32,
    },
    /// A text that is neither the name of an alert rule nor the ARM id of one, or of a resource.
    NoAlert,
    /// An alert rule or resource that is in the list twice.
    AlertTwice {
        /// It.
        alert: String,
        /// The line of the first.
        first_line: u32,
    },
    /// Alert rules are named, and no alerts count.
    AlertsUncounted,
    /// More origins are asked for than are listed.
    TooFewOrigins {
        /// How many are asked for.
        asked: u32,
        /// How many are listed.
        listed: usize,
    },
    /// Rules would declare by what Azure reports alone.
    RulesWithoutMeasured,
    /// Rules would declare by what is measured alone.
    RulesWithoutReported,
    /// Another time than the one in which readiness is asked.
    OtherRhythm(String),
    /// Machines of one group are members of another too.
    InTwoGroups {
        /// The other group's name.
        group: String,
        /// Where it is.
        first: First,
        /// The two are for the very same machines.
        same: bool,
    },
    /// An address that is not asked from outside.
    AskedInside,
    /// No machine of the region can be a member.
    MembersElsewhere {
        /// The region.
        from: String,
    },
}

/// Why a text is no URL to be asked from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoUrl {
    /// It does not begin with `https://`, `http://` or `tcp://`.
    Scheme,
    /// There is no host in it, or none that can be one.
    Host,
    /// The port is none.
    Port,
    /// A name or password stands before the host.
    Credentials,
    /// A part behind `#`, which is never sent.
    Fragment,
    /// A sign that no URL has.
    Sign,
    /// A connection alone, and more than a host and a port.
    TcpMore,
    /// An address behind which nobody's workload is: Azure's own on the link, or a reserved one.
    Nobodys,
}

impl RecoveryFault {
    /// How much it weighs.
    pub fn weight(&self) -> Weight {
        match self {
            Self::AskedInside => Weight::Warning,
            _ => Weight::Error,
        }
    }
}

impl fmt::Display for RecoveryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameRegion(region) => write!(f, "this leads from {} into the same region", quoted(region)),
            Self::EmptyAction => f.write_str("this action says nothing"),
            Self::SeveralActions(count) => write!(f, "there are {count} actions in one place, in no order"),
            Self::AgeOfPoints => f.write_str("who is a member would change with the age of points"),
            Self::SameEndpoint(endpoint) => write!(f, "traffic is moved from `{0}` to `{0}`", quoted(endpoint)),
            Self::EndpointTwice { endpoint, profile, first_line } => write!(
                f,
                "the endpoint `{}` of the profile `{}` is moved twice, first in line {first_line}",
                quoted(endpoint),
                quoted(profile)
            ),
            Self::NoUrl(why) => why.fmt(f),
            Self::OriginTwice { origin, first_line } => {
                write!(f, "`{}` is there twice, first in line {first_line}, and counts once", quoted(origin))
            }
            Self::NoAlert => f.write_str("this names neither an alert rule nor a resource"),
            Self::AlertTwice { alert, first_line } => {
                write!(f, "`{}` is there twice, first in line {first_line}", quoted(alert))
            }
            Self::AlertsUncounted => {
                f.write_str("alerts are named, and `measured` leaves `metricAlert` out: none would count")
            }
            Self::TooFewOrigins { listed: 1, .. } => {
                f.write_str("one origin is listed, and one source of evidence never suffices")
            }
            Self::TooFewOrigins { asked, listed } => {
                write!(f, "{asked} origins are asked for and {listed} are listed")
            }
            Self::RulesWithoutMeasured => f.write_str("rules would declare by what Azure reports alone"),
            Self::RulesWithoutReported => f.write_str("rules would declare by what is measured alone"),
            Self::OtherRhythm(time) => write!(f, "readiness is not asked every {}", quoted(time)),
            Self::InTwoGroups { group, first, same: true } => {
                write!(f, "these are the machines of the group `{}` ({first})", quoted(group))
            }
            Self::InTwoGroups { group, first, same: false } => {
                write!(f, "machines of this group are members of `{}` too ({first})", quoted(group))
            }
            Self::AskedInside => {
                f.write_str("this is asked inside a network, which a deployment does only where its settings say so")
            }
            Self::MembersElsewhere { from } => write!(f, "no machine in {} can be a member", quoted(from)),
        }
    }
}

impl fmt::Display for NoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "this URL does not begin with https://, http:// or tcp://",
            Self::TcpMore => "a connection has a host and a port, and nothing behind them",
            Self::Host => "this URL has no host, or none that can be one",
            Self::Port => "the port of this URL is none",
            Self::Credentials => "there are credentials in this URL, and no secret has its place in a document",
            Self::Fragment => "the part behind # is never sent",
            Self::Sign => "there is a sign in this URL that none has",
            Self::Nobodys => "no workload is at this address",
        })
    }
}
