//! Bodies that are nonsense, sent to the real process by everybody who can send it something: the process lives, nothing is lost.
//! It never asks the handler whether it is well: the kernel's process id and the next good event say so.

use std::io;

use async_trait::async_trait;
use lifeboat_simulator::bus::Message;
use lifeboat_simulator::host::{Connect, Connections, HandlerStream, RawRequest, RawResponse};
use lifeboat_tests::rig::QUEUE;
use tokio::net::TcpStream;

use crate::site::{Site, SiteOptions};
use crate::{PATIENCE, one_process, settle};

/// Deliveries before a message is dead: few, because each is the same.
const DELIVERIES: u32 = 3;
/// A body over the handler's bound of 8 MiB.
const HUGE_BYTES: usize = 9 * 1024 * 1024;
/// Deeper than any parser's recursion limit, within a message of the standard tier.
const DEPTH: usize = 100_000;

/// Nonsense, by its kind.
fn nonsense() -> Vec<(&'static str, Vec<u8>)> {
    let deep = [vec![b'['; DEPTH], vec![b']'; DEPTH]].concat();
    let deep_object = br#"{"machine":"#.repeat(DEPTH / 10);
    vec![
        ("empty", Vec::new()),
        ("no JSON", b"hello".to_vec()),
        ("cut", br#"{"v":1,"machine":"/subscr"#.to_vec()),
        ("another type", b"[1,2,3]".to_vec()),
        ("no text", vec![0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28]),
        ("no text in a text", b"{\"machine\":\"\xc3\x28\"}".to_vec()),
        ("deep", deep),
        ("deep and cut", deep_object),
        ("huge", vec![b'x'; HUGE_BYTES]),
    ]
}

struct ToProcess(u16);

#[async_trait]
impl Connect for ToProcess {
    async fn connect(&self) -> io::Result<Box<dyn HandlerStream>> {
        Ok(Box::new(TcpStream::connect(("127.0.0.1", self.0)).await?))
    }
}

/// A good creation still works, in the same process.
async fn assert_works(site: &Site, pid: u32, dead: usize) {
    let machine = site.create("vm-good");
    settle(site, "a good event after nonsense").await;
    let points = site.world.points_of(&machine);
    assert!(points.len() == 1 && points[0].state == "Succeeded", "{points:#?}");
    assert_eq!(site.dead_letters(), dead);
    assert_eq!(site.hosts[0].handler_pid(), Some(pid), "it is the same process");
}

async fn site() -> (Site, u32) {
    let site =
        Site::start(&SiteOptions { deliveries: DELIVERIES, message_bytes: 2 * HUGE_BYTES, ..one_process() }).await;
    let pid = site.hosts[0].handler_pid().expect("a process runs");
    (site, pid)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_nonsense_is_delivered_again_and_then_dead_and_seen_and_the_process_lives() {
    let (site, pid) = site().await;
    let nonsense = nonsense();
    for (kind, body) in &nonsense {
        site.world.bus().send(QUEUE, Message::new(body.clone())).unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    assert!(
        site.wait_until(PATIENCE, |site| site.dead_letters() == nonsense.len()).await,
        "{} are dead",
        site.dead_letters()
    );
    let mut dead = site.world.bus().dead_letters(QUEUE);
    dead.sort_by_key(|letter| letter.sequence_number);
    for (letter, (kind, body)) in dead.iter().zip(&nonsense) {
        assert!(letter.message.body == body, "{kind}: the message is as it was sent");
        assert_eq!(letter.delivery_count, DELIVERIES, "{kind}");
    }
    assert_works(&site, pid, nonsense.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_nonsense_is_refused_or_ignored_and_the_process_lives() {
    let (site, pid) = site().await;
    let webhooks = ["VmWritten", "VmDeleted"].map(lifeboat_tests::azure::webhook);
    for (kind, body) in nonsense() {
        let ways = [("aeg-event-type", "Notification"), ("ce-type", "none")];
        for (webhook, (name, value)) in webhooks.iter().flat_map(|webhook| ways.map(|way| (webhook, way))) {
            let mut request = RawRequest::new("POST", webhook.clone()).with("Host", "127.0.0.1").with(name, value);
            request = request.with("Content-Type", "application/json").with("Content-Length", body.len().to_string());
            request.body = body.clone().into();
            let answer: Option<RawResponse> = site.hosts[0].call(&request).await;
            assert!(answer.is_some(), "{kind}: the host answers");
        }
    }
    assert_works(&site, pid, 0).await;
}

/// The host never sends these; whoever else reaches the port does not end the process either.
#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_of_nonsense_is_never_done_and_never_ends_the_process() {
    let (site, pid) = site().await;
    let process = Connections::new(ToProcess(site.hosts[0].handler_port()));
    for (kind, body) in nonsense() {
        for function in ["VmWritten", "VmDeleted", "Reconcile", "PolicySweep"] {
            let bare = RawRequest { body: body.clone().into(), ..RawRequest::new("POST", format!("/{function}")) };
            let sized = bare.clone().with("Host", "h").with("Content-Length", body.len().to_string());
            let chunked = bare.with("Host", "h").with("Transfer-Encoding", "chunked");
            for request in [sized, chunked] {
                // A server that refuses a body may close before all of it is sent: then there is no answer to be had.
                if let Ok(answer) = process.send(&request).await {
                    let swept = function == "PolicySweep" && answer.status == 200;
                    assert!(swept || answer.status >= 500, "{kind} to {function}: {}", answer.status);
                }
            }
        }
    }
    assert_works(&site, pid, 0).await;
}
