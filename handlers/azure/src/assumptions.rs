//! The gate of assumptions: what could destroy, stop or move something is not sent while it rests on an *assumed* belief.
//!
//! It never looks at the request, only at what its operation says of itself; it never approves anything. Approvals by a
//! person do not exist yet: until they do, what is refused here is done by hand.

use crate::{
    error::{Error, ErrorKind},
    evidence::{self, Grade},
    operations::{Harm, Operation},
};

/// The belief that stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it rests on `{0}`, which nothing shows; it was not sent")]
pub(crate) struct RestsOn(pub &'static str);

/// Refuses an operation that can do harm and rests on an assumption. An entry that the register does not have is one.
pub(crate) fn check(operation: &'static Operation) -> Result<(), Error> {
    let assumed = |id: &&&str| evidence::find(id).is_none_or(|entry| entry.grade == Grade::Assumed);
    match operation.evidence.iter().find(assumed) {
        Some(id) if operation.harm != Harm::Nothing => {
            Err(Error::because(ErrorKind::Assumed, operation.action, RestsOn(id)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::{
        arm::Call,
        error::ErrorKind,
        operations::{self, Harm, Operation},
        retry::Repeat,
        scripted::{Reply, Scripted},
    };

    const HARMLESS: Operation = Operation {
        action: "Planted/things/action",
        method: "POST",
        path: "/subscriptions/{subscriptionId}",
        api_version: "1",
        document: "",
        harm: Harm::Nothing,
        evidence: &["arm-404-gone", "arm-5xx"],
    };
    const HARMFUL: Operation = Operation { harm: Harm::Stops, ..HARMLESS };
    const KNOWN: Operation = Operation { harm: Harm::Destroys, evidence: &["arm-404-gone"], ..HARMLESS };
    const UNHEARD_OF: Operation = Operation { harm: Harm::Moves, evidence: &["no-such-entry"], ..HARMLESS };

    #[tokio::test(start_paused = true)]
    async fn harm_that_rests_on_an_assumption_is_refused_before_anything_is_sent() {
        for (operation, assumption) in
            [(&HARMLESS, None), (&HARMFUL, Some("arm-5xx")), (&KNOWN, None), (&UNHEARD_OF, Some("no-such-entry"))]
        {
            let scripted = Scripted::new([Reply::text(200, "{}")]);
            let arm = crate::ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access());
            let arm = arm.unwrap();
            let url = arm.url(operation, &["s"], &[]).unwrap();
            let sent = arm.send(&Call::change(operation, url, None, Repeat::IfNotDone, None)).await;
            let refused = sent.as_ref().err().map(|error| (error.kind, error.assumption(), error.maybe_done()));
            assert_eq!(refused, assumption.map(|id| (ErrorKind::Assumed, Some(id), false)));
            let tokens = scripted.tokens.load(std::sync::atomic::Ordering::Relaxed);
            let expected = usize::from(assumption.is_none());
            assert_eq!((scripted.count(), tokens), (expected, expected), "not even a token is asked for");
        }
    }

    #[test]
    fn nothing_that_is_spoken_today_is_refused() {
        let refused: Vec<(&str, &str)> = operations::ALL
            .iter()
            .filter_map(|operation| check(operation).err().map(|error| (operation.action, error.assumption().unwrap())))
            .collect();
        assert_eq!(refused, []);
    }
}
