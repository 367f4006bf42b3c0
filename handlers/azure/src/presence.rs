//! Whether something is there, *gone*, or *unknown*: the one place that says *gone*.
//!
//! It never asks Azure; it judges answers. It never takes absence for *gone*: what changes nothing if it is wrong is
//! *unknown*.
//!
//! ```text
//! 200                                                            there
//! 404 ResourceNotFound | ResourceGroupNotFound, sub. Enabled     gone
//! restore point: any 404, and its collection reads without it    gone
//! all else: 401, 403, another 404, subscription not enabled      unknown
//! ```

use crate::{
    error::{Error, ErrorKind, Gone},
    id::ResourceId,
    restore_points::Collection,
    subscriptions::Subscription,
};

/// What one look at something says.
#[derive(Debug)]
pub enum Presence<T> {
    /// It is there.
    There(T),
    /// It is gone.
    Gone,
    /// Nobody knows, and why the reading failed.
    Unknown(Error),
}

/// Judges a reading of a resource by what its subscription answers in the same look.
pub fn of<T>(read: Result<T, Error>, id: &ResourceId, subscription: &Result<Subscription, Error>) -> Presence<T> {
    let error = match read {
        Ok(there) => return Presence::There(there),
        Err(error) => error,
    };
    let by_arm = matches!(error.gone(), Some(Gone::Resource | Gone::ResourceGroup));
    let answers =
        subscription.as_ref().is_ok_and(|own| own.is_enabled() && own.id.eq_ignore_ascii_case(id.subscription()));
    if by_arm && answers { Presence::Gone } else { Presence::Unknown(error) }
}

/// Judges a reading of a restore point by its collection, read after it with its points: a point's own 404 is the
/// provider's, whose code no source shows.
pub fn of_point<T>(read: Result<T, Error>, id: &ResourceId, collection: &Result<Collection, Error>) -> Presence<T> {
    let error = match read {
        Ok(there) => return Presence::There(there),
        Err(error) => error,
    };
    let without_it = collection.as_ref().is_ok_and(|collection| {
        id.parent().is_some_and(|parent| parent == collection.id)
            && !collection.points.iter().any(|point| point.id == *id)
    });
    if error.kind == ErrorKind::NotFound && without_it { Presence::Gone } else { Presence::Unknown(error) }
}

#[cfg(test)]
mod tests {
    use super::{Presence, of, of_point};
    use crate::{
        error::{Error, ErrorKind},
        id::ResourceId,
        restore_points,
        subscriptions::{self, Subscription},
        transport::Answer,
    };
    use azure_core::http::headers::Headers;
    use serde_json::json;

    const POINTS: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/restorePointCollections/c";

    fn refusal(status: u16, code: &str) -> Error {
        let body = json!({ "error": { "code": code, "message": "no" } }).to_string().into();
        Error::from_answer("test", &Answer { status, headers: Headers::new(), body }, None)
    }

    fn subscription(id: &str, state: &str) -> Result<Subscription, Error> {
        Ok(subscriptions::read(&json!({ "subscriptionId": id, "state": state })).unwrap())
    }

    #[test]
    fn only_arms_own_404_in_an_enabled_subscription_says_gone() {
        let id: ResourceId = POINTS.parse().unwrap();
        let gone = |error, subscription| matches!(of::<()>(Err(error), &id, &subscription), Presence::Gone);
        for code in ["ResourceNotFound", "resourcegroupnotfound"] {
            assert!(gone(refusal(404, code), subscription("S", "Enabled")), "{code}");
            for state in ["Disabled", "Warned", "PastDue", "Deleted", "", "New"] {
                assert!(!gone(refusal(404, code), subscription("s", state)), "{code} {state}");
            }
            assert!(!gone(refusal(404, code), Err(refusal(403, "AuthorizationFailed"))), "{code}");
            assert!(!gone(refusal(404, code), subscription("another", "Enabled")), "{code}");
        }
        for (status, code) in
            [(404, "NotFound"), (404, "SubscriptionNotFound"), (401, "ResourceNotFound"), (403, "x"), (500, "x")]
        {
            assert!(!gone(refusal(status, code), subscription("s", "Enabled")), "{status} {code}");
        }
        assert!(matches!(of(Ok(1), &id, &subscription("s", "Disabled")), Presence::There(1)));
    }

    #[test]
    fn a_point_is_gone_when_its_collection_reads_without_it() {
        let id = |name: &str| format!("{POINTS}/restorePoints/{name}").parse::<ResourceId>().unwrap();
        let points = [json!({ "id": id("P").as_str().to_uppercase().replace("SUBSCRIPTIONS", "subscriptions") })];
        let collection = json!({ "id": POINTS, "properties": { "restorePoints": points } });
        let collection = Ok(restore_points::read_collection(&collection).unwrap());
        let gone = |name: &str, error, collection: &Result<_, _>| {
            matches!(of_point::<()>(Err(error), &id(name), collection), Presence::Gone)
        };
        assert!(gone("q", refusal(404, "NotFound"), &collection));
        assert!(!gone("p", refusal(404, "ResourceNotFound"), &collection), "it is still listed");
        assert!(!gone("q", refusal(403, "x"), &collection));
        assert!(!gone("q", refusal(404, "NotFound"), &Err(Error::new(ErrorKind::Forbidden, "test"))));
    }
}
