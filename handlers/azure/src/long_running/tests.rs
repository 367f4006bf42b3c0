//! The shapes of long-running operations and their lies, in paused time.
//!
//! It never asks Azure.

use super::{Accepted, Acted, OperationState, Settled};
use crate::{
    ArmClient, Error, machines, restore_points,
    scripted::{Reply, Scripted},
    transport::{Answer, Latest},
};
use azure_core::http::headers::Headers;
use jiff::Timestamp;
use serde_json::json;
use std::{sync::Arc, time::Duration};

const STATUS: &str = "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/l/operations/o?t=1&s=secret%2Bsignature";
const RESULT: &str = "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/l/operations/o?monitor=true&s=secret%2Bsignature";
const MACHINE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m";

fn client(replies: impl IntoIterator<Item = Reply>) -> (ArmClient, Arc<Scripted>) {
    let scripted = Scripted::new(replies);
    (ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access()).unwrap(), scripted)
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
    let mut map = Headers::new();
    headers.iter().for_each(|(name, value)| map.insert((*name).to_owned(), (*value).to_owned()));
    Answer { status, headers: map, body: bytes::Bytes::new() }
}

fn accepted(headers: &[(&str, &str)]) -> Accepted {
    Accepted::read(&answer(202, headers), Timestamp::MIN).unwrap()
}

#[test]
fn an_order_is_done_begun_or_has_nothing_to_act_on() {
    let both = [("azure-asyncoperation", STATUS), ("location", RESULT)];
    for (operation, status, headers, expected) in [
        (&machines::START, 200, &both[..0], "Done"),
        (&machines::START, 204, &both[..0], "Done"),
        (&machines::START, 202, &both[..0], "Begun(None)"),
        (&machines::START, 202, &both[..], "Begun(Some"),
        (&machines::START, 200, &both[..1], "Begun(Some"),
        (&machines::START, 202, &both[1..], "Begun(Some"),
        (&restore_points::DELETE, 204, &both[..0], "NotThere"),
        (&restore_points::DELETE, 200, &both[..0], "Done"),
        (&restore_points::DELETE, 202, &both[..], "Begun(Some"),
    ] {
        let acted = format!("{:?}", Acted::read(operation, &answer(status, headers), Timestamp::MIN));
        assert!(acted.starts_with(expected), "{status}: {acted}");
        assert!(!acted.contains("secret"), "{acted}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_lies_or_is_forgotten_is_unclear() {
    let gone = || Reply::json(404, &json!({ "error": { "code": "NotFound", "message": "m" } }));
    let without = || Reply::json(200, &json!({ "name": "o" }));
    let (one, both) = (accepted(&[("azure-asyncoperation", STATUS)]), {
        accepted(&[("azure-asyncoperation", STATUS), ("location", RESULT)])
    });
    let running = OperationState::Running { retry_after: None };
    for (accepted, replies, expected) in [
        (&one, vec![without()], OperationState::Unclear),
        (&one, vec![gone()], OperationState::Unclear),
        (&one, vec![Reply::text(204, "")], OperationState::Unclear),
        (&one, vec![Reply::text(202, "")], running.clone()),
        (&one, vec![Reply::json(202, &json!({ "status": "InProgress" }))], running.clone()),
        (&one, vec![Reply::json(200, &json!({ "status": "Cancelled" }))], OperationState::Canceled),
        (&one, vec![Reply::json(200, &json!({ "status": "Something new" }))], running.clone()),
        (&both, vec![without(), Reply::text(202, "")], running),
        (&both, vec![gone(), Reply::text(204, "")], OperationState::Succeeded),
        (&both, vec![gone(), gone()], OperationState::Unclear),
    ] {
        let asked = replies.len();
        let (arm, scripted) = client(replies);
        assert_eq!((arm.operation_state(accepted).await.unwrap(), scripted.count()), (expected, asked));
    }
}

#[tokio::test(start_paused = true)]
async fn the_resource_is_the_truth() {
    let status = |word: &str| Reply::json(200, &json!({ "status": word }));
    let accepted = accepted(&[("azure-asyncoperation", STATUS)]);
    let at_most = Duration::from_secs(60);
    // It says `Succeeded`, and the resource comes with the third look.
    let (arm, _) = client([status("InProgress"), status("Succeeded")]);
    let mut looks = 0;
    let look = async || {
        looks += 1;
        Ok((looks == 3).then_some("there"))
    };
    assert_eq!(arm.settle(Some(&accepted), at_most, look).await.unwrap(), Settled::There("there"));
    assert_eq!(looks, 3);
    // It says `Succeeded`, and the resource never comes.
    let (arm, _) = client([status("Succeeded")]);
    let never = async || Ok::<Option<()>, Error>(None);
    assert_eq!(arm.settle(Some(&accepted), at_most, never).await.unwrap(), Settled::Running);
    // The status is not kept any more, and the resource is there.
    let (arm, _) = client([Reply::text(404, "")]);
    let there = async || Ok(Some(1));
    assert_eq!(arm.settle(Some(&accepted), at_most, there).await.unwrap(), Settled::There(1));
    // It failed: nothing is looked at.
    let (arm, _) = client([Reply::json(200, &json!({ "status": "Failed", "error": { "code": "C" } }))]);
    let failed = OperationState::Failed { code: Some("C".to_owned()), message: None };
    assert_eq!(arm.settle(Some(&accepted), at_most, never).await.unwrap(), Settled::Ended(failed));
}

#[tokio::test(start_paused = true)]
async fn a_signed_url_gets_into_no_text() {
    let accepted = accepted(&[("azure-asyncoperation", STATUS), ("location", RESULT)]);
    assert!(!format!("{accepted:?}").contains("secret"));
    let message = format!("see {STATUS}");
    let refused = || Reply::json(400, &json!({ "error": { "code": "C", "message": message } }));
    let (arm, _) = client([refused(), refused(), Reply::Broken, Reply::Broken, Reply::Broken, Reply::Broken]);
    for _ in 0..2 {
        let error = arm.operation_state(&accepted).await.unwrap_err();
        let chain: String = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
            .map(|error| format!("{error} {error:?}"))
            .collect();
        assert!(!chain.contains("secret"), "{chain}");
    }
    let elsewhere = Accepted { status_url: "https://evil.example/x?s=secret".to_owned(), ..accepted };
    let (arm, scripted) = client([]);
    let error = arm.operation_state(&elsewhere).await.unwrap_err();
    assert!(!format!("{error:?}").contains("secret") && scripted.count() == 0);
}

#[tokio::test(start_paused = true)]
async fn machines_are_stopped_and_started_by_their_documents_calls() {
    let id = MACHINE.parse().unwrap();
    let latest = || Latest::after(Duration::from_secs(10));
    let begun = || Reply::text(202, "").with("azure-asyncoperation", STATUS).with("location", RESULT);
    let (arm, scripted) = client([
        begun(),
        Reply::text(503, ""),
        Reply::text(200, ""),
        Reply::Unreachable,
        begun(),
        Reply::text(500, ""),
    ]);
    assert!(matches!(machines::deallocate(&arm, &id, latest()).await.unwrap(), Acted::Begun(Some(_))));
    assert_eq!(machines::start(&arm, &id, latest()).await.unwrap(), Acted::Done);
    assert!(matches!(machines::power_off(&arm, &id, latest()).await.unwrap(), Acted::Begun(Some(_))), "repeated");
    assert!(machines::power_off(&arm, &id, latest()).await.unwrap_err().maybe_done(), "it may have been done");
    let asked: Vec<String> = scripted
        .asked()
        .iter()
        .map(|asked| format!("{} {}", asked.method, asked.url.as_str().rsplit_once('/').unwrap().1))
        .collect();
    let version = "api-version=2025-04-01";
    let off = format!("POST powerOff?skipShutdown=false&{version}");
    let start = format!("POST start?{version}");
    let deallocate = format!("POST deallocate?{version}");
    assert_eq!(asked, [&*deallocate, &*start, &*start, &*off, &*off, &*off]);

    let machine = json!({ "id": MACHINE, "location": "l", "etag": "\"7\"", "properties": { "vmId": "v" } });
    let (arm, scripted) = client([Reply::json(200, &machine)]);
    let read = machines::read(&machine).unwrap();
    let tags = [("a".to_owned(), "b".to_owned())].into();
    machines::set_tags(&arm, &read, &tags, latest()).await.unwrap();
    let asked = &scripted.asked()[0];
    assert_eq!((asked.header("if-match"), asked.json()), ("\"7\"", json!({ "tags": { "a": "b" } })));
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_asked_about_until_it_ends_and_no_longer_than_told() {
    let url =
        "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/l/operations/o?t=1&s=a%2Bb";
    let accepted = |header: &str| accepted(&[(header, url), ("retry-after", "5")]);
    let status =
        |status: &str| Reply::json(200, &json!({ "status": status, "error": { "code": "C", "message": "m" } }));
    let failed = OperationState::Failed { code: Some("C".to_owned()), message: Some("m".to_owned()) };
    let refused = OperationState::Failed { code: Some("C".to_owned()), message: Some("no".to_owned()) };
    for (header, replies, expected) in [
        (
            "azure-asyncoperation",
            vec![status("InProgress"), status("Updating"), status("Succeeded")],
            OperationState::Succeeded,
        ),
        ("azure-asyncoperation", vec![status("InProgress"), status("failed")], failed),
        ("azure-asyncoperation", vec![status("Canceled")], OperationState::Canceled),
        ("location", vec![Reply::text(202, ""), Reply::text(204, "")], OperationState::Succeeded),
        (
            "location",
            vec![Reply::text(202, ""), Reply::json(409, &json!({ "error": { "code": "C", "message": "no" } }))],
            refused,
        ),
    ] {
        let polls = replies.len();
        let (arm, scripted) = client(replies);
        let ended = arm.wait(&accepted(header), Duration::from_secs(300)).await.unwrap();
        assert_eq!((ended, scripted.count()), (expected, polls), "{header}");
        assert!(scripted.asked().iter().all(|asked| asked.url.as_str() == url), "verbatim");
    }
    let (arm, scripted) = client(vec![status("InProgress"); 9]);
    let running = arm.wait(&accepted("azure-asyncoperation"), Duration::from_secs(60)).await.unwrap();
    assert_eq!((running, scripted.count()), (OperationState::Running { retry_after: None }, 6));
    assert!(!format!("{:?}", accepted("location")).contains("operations"), "a status URL is signed and not shown");
}
