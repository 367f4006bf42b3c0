//! Leases in each of their states: actions, writes and reads under them, and when they end.
//! It never waits by the wall.

use super::*;

/// A blob whose lease A is in the state; fixed leases have 60 s.
async fn blob_with_lease(state: LeaseState) -> Blobs {
    let blobs = account();
    put(&blobs, "/box/b", &[], "1").await;
    if state == LeaseState::Available {
        return blobs;
    }
    let taken = lease(&blobs, "acquire", &[("x-ms-proposed-lease-id", A), ("x-ms-lease-duration", "60")]).await;
    is(&taken, 201, "", "acquire");
    match state {
        LeaseState::Expired => advance(60).await,
        LeaseState::Breaking => is(&lease(&blobs, "break", &[]).await, 202, "", "break"),
        LeaseState::Broken => is(&lease(&blobs, "break", &[("x-ms-lease-break-period", "0")]).await, 202, "", "break"),
        LeaseState::Available | LeaseState::Leased => {}
    }
    assert_eq!(blobs.blob("box", "b").unwrap().lease, state);
    blobs
}

const STATES: [LeaseState; 5] =
    [LeaseState::Available, LeaseState::Leased, LeaseState::Breaking, LeaseState::Broken, LeaseState::Expired];

#[tokio::test(start_paused = true)]
async fn lease_actions_have_the_documented_outcome_in_every_state() {
    let sixty = ("x-ms-lease-duration", "60");
    let mismatch = (409, "LeaseIdMismatchWithLeaseOperation");
    let absent = (409, "LeaseNotPresentWithLeaseOperation");
    let present = (409, "LeaseAlreadyPresent");
    let changing = (409, "LeaseIsBreakingAndCannotBeChanged");
    let broken = (409, "LeaseIsBrokenAndCannotBeRenewed");
    type Row<'a> = (&'a str, Vec<(&'a str, &'a str)>, [(u16, &'a str); 5]);
    let created = (201, "");
    let ok = (200, "");
    let accepted = (202, "");
    // Columns: available, leased, breaking, broken, expired, each by A.
    let rows: [Row<'_>; 12] = [
        ("acquire", vec![sixty], [created, present, present, created, created]),
        (
            "acquire",
            vec![sixty, ("x-ms-proposed-lease-id", A)],
            [created, created, (409, "LeaseIsBreakingAndCannotBeAcquired"), created, created],
        ),
        ("acquire", vec![sixty, ("x-ms-proposed-lease-id", B)], [created, present, present, created, created]),
        ("break", vec![("x-ms-lease-break-period", "0")], [absent, accepted, accepted, accepted, accepted]),
        ("break", vec![("x-ms-lease-break-period", "10")], [absent, accepted, accepted, accepted, accepted]),
        ("change", vec![("x-ms-lease-id", A), ("x-ms-proposed-lease-id", B)], [absent, ok, changing, absent, absent]),
        ("change", vec![("x-ms-lease-id", B), ("x-ms-proposed-lease-id", A)], [absent, ok, changing, absent, absent]),
        (
            "change",
            vec![("x-ms-lease-id", B), ("x-ms-proposed-lease-id", C)],
            [absent, mismatch, mismatch, absent, absent],
        ),
        ("renew", vec![("x-ms-lease-id", A)], [mismatch, ok, broken, broken, ok]),
        ("renew", vec![("x-ms-lease-id", B)], [mismatch; 5]),
        ("release", vec![("x-ms-lease-id", A)], [mismatch, ok, ok, ok, ok]),
        ("release", vec![("x-ms-lease-id", B)], [mismatch; 5]),
    ];
    for (action, headers, outcomes) in rows {
        for (state, (status, code)) in STATES.into_iter().zip(outcomes) {
            let blobs = blob_with_lease(state).await;
            let etag = blobs.blob("box", "b").unwrap().etag;
            let seen = lease(&blobs, action, &headers).await;
            is(&seen, status, code, &format!("{action} {headers:?} on {state:?}"));
            assert_eq!(blobs.blob("box", "b").unwrap().etag, etag, "a lease action leaves the ETag");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn writes_and_reads_under_a_lease_have_the_documented_outcome_in_every_state() {
    let created = (201, "");
    let missing = (412, "LeaseIdMissing");
    let mismatch = (412, "LeaseIdMismatchWithBlobOperation");
    let absent = (412, "LeaseNotPresentWithBlobOperation");
    let lost = (412, "LeaseLost");
    let ok = (200, "");
    let rows = [
        ("PUT", Some(A), [absent, created, created, lost, lost]),
        ("PUT", Some(B), [absent, mismatch, mismatch, mismatch, mismatch]),
        ("PUT", None, [created, missing, missing, created, created]),
        ("GET", Some(A), [absent, ok, ok, lost, lost]),
        ("GET", Some(B), [absent, mismatch, mismatch, mismatch, mismatch]),
        ("GET", None, [ok; 5]),
    ];
    for (method, id, outcomes) in rows {
        for (state, (status, code)) in STATES.into_iter().zip(outcomes) {
            let blobs = blob_with_lease(state).await;
            let mut headers = vec![("x-ms-blob-type", "BlockBlob")];
            headers.extend(id.map(|id| ("x-ms-lease-id", id)));
            let seen = send(&blobs, method, "/box/b", &headers, "2").await;
            is(&seen, status, code, &format!("{method} with {id:?} on {state:?}"));
            if status == 201 && id.is_none() {
                assert_eq!(blobs.blob("box", "b").unwrap().lease, LeaseState::Available, "{state:?} after a write");
                is(
                    &lease(&blobs, "renew", &[("x-ms-lease-id", A)]).await,
                    409,
                    "LeaseIdMismatchWithLeaseOperation",
                    "renew",
                );
            }
        }
    }
    for state in [LeaseState::Broken, LeaseState::Expired] {
        let blobs = blob_with_lease(state).await;
        is(&send(&blobs, "PUT", "/box/b?comp=metadata", &[], "").await, 200, "", "metadata");
        assert_eq!(blobs.blob("box", "b").unwrap().lease, LeaseState::Available, "{state:?} after metadata");
    }
    let blobs = blob_with_lease(LeaseState::Leased).await;
    is(&send(&blobs, "DELETE", "/box/b", &[], "").await, 412, "LeaseIdMissing", "delete");
    is(&send(&blobs, "PUT", "/box/b?comp=metadata", &[], "").await, 412, "LeaseIdMissing", "metadata");
    is(&send(&blobs, "DELETE", "/box/b", &[("x-ms-lease-id", A)], "").await, 202, "", "delete");
    assert!(blobs.names("box").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_exactly_when_its_term_is_over_and_a_renewal_starts_it_again() {
    let blobs = account();
    put(&blobs, "/box/b", &[], "1").await;
    for (duration, status) in [("14", 400), ("61", 400), ("0", 400), ("x", 400), ("-1", 201)] {
        let seen = lease(&blobs, "acquire", &[("x-ms-lease-duration", duration), ("x-ms-proposed-lease-id", A)]).await;
        assert_eq!(seen.status, status, "{duration}");
    }
    is(&lease(&blobs, "acquire", &[]).await, 400, "MissingRequiredHeader", "no duration");
    is(
        &lease(&blobs, "acquire", &[("x-ms-lease-duration", "15"), ("x-ms-proposed-lease-id", "me")]).await,
        400,
        "InvalidHeaderValue",
        "id",
    );
    is(&lease(&blobs, "break", &[("x-ms-lease-break-period", "61")]).await, 400, "InvalidHeaderValue", "period");
    advance(1_000_000).await;
    let seen = send(&blobs, "HEAD", "/box/b", &[], "").await;
    assert_eq!((seen.header("x-ms-lease-state"), seen.header("x-ms-lease-duration")), ("leased", "infinite"));
    is(&lease(&blobs, "release", &[("x-ms-lease-id", A)]).await, 200, "", "release");
    let taken = lease(&blobs, "acquire", &[("x-ms-lease-duration", "15")]).await;
    let id = taken.header("x-ms-lease-id").to_owned();
    assert!(is_guid(&id));
    advance(14).await;
    is(&lease(&blobs, "renew", &[("x-ms-lease-id", &id)]).await, 200, "", "renew");
    tokio::time::advance(Duration::from_millis(14_999)).await;
    is(&put(&blobs, "/box/b", &[], "2").await, 412, "LeaseIdMissing", "just before the end");
    tokio::time::advance(Duration::from_millis(1)).await;
    is(&put(&blobs, "/box/b", &[("x-ms-lease-id", &id)], "2").await, 412, "LeaseLost", "at the end");
    is(&lease(&blobs, "renew", &[("x-ms-lease-id", &id)]).await, 200, "", "renewed, as nobody wrote");
    let seen = lease(&blobs, "break", &[("x-ms-lease-break-period", "10")]).await;
    assert_eq!((seen.status, seen.header("x-ms-lease-time")), (202, "10"));
    advance(3).await;
    assert_eq!(lease(&blobs, "break", &[("x-ms-lease-break-period", "60")]).await.header("x-ms-lease-time"), "7");
    advance(7).await;
    is(&lease(&blobs, "acquire", &[("x-ms-lease-duration", "15")]).await, 201, "", "broken, so free");
    advance(5).await;
    let seen = lease(&blobs, "break", &[("x-ms-lease-break-period", "60")]).await;
    assert_eq!((seen.status, seen.header("x-ms-lease-time")), (202, "10"), "what is left of the term is shorter");
}

#[test]
fn a_clock_that_jumps_ends_a_lease_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let blobs = blob_with_lease(LeaseState::Leased).await;
        blobs.clock.jump(SignedDuration::from_secs(60));
        assert_eq!(blobs.blob("box", "b").unwrap().lease, LeaseState::Expired);
    });
}
