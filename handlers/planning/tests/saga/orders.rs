//! Failovers as they are ordered: the shapes that a recovery plan can have.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::saga::failover::{Action, FailoverOrder, Fence, Group, Member, PointChoice, Traffic};

fn member(name: &str) -> Arc<Member> {
    Arc::new(Member {
        name: name.into(),
        item: format!("/items/{name}"),
        old: format!("/old/{name}"),
        old_vm_id: format!("old-{name}"),
        old_networks: vec![format!("/networks/{name}")],
        target: format!("/new/{name}"),
        not_carried: vec![],
    })
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// Two groups with actions, one profile; all is asked for.
pub fn shop() -> FailoverOrder {
    let minutes = SignedDuration::from_mins;
    FailoverOrder {
        id: "shop/1".into(),
        plan: "shop".into(),
        from: "westeurope".into(),
        to: "northeurope".into(),
        ordered_at: at("2026-11-26T03:00:00Z"),
        groups: vec![
            Group {
                name: "data".into(),
                before: Vec::new(),
                members: vec![member("db-1"), member("db 2")],
                after: vec![Action::Wait(minutes(2))],
            },
            Group {
                name: "web".into(),
                before: vec![Action::Approve("database verified?".into())],
                members: vec![member("web-1")],
                after: Vec::new(),
            },
        ],
        traffic: vec![Arc::new(Traffic {
            profile: "/profiles/tm-shop".into(),
            from: "weu".into(),
            to: "neu".into(),
            verify: Some(("https://shop.example/healthz".into(), minutes(5))),
        })],
        point: PointChoice::Latest,
        fence: Fence::Required,
        stopped_serving_at: at("2026-11-26T02:50:00Z"),
        loss_max: minutes(15),
        passed: Vec::new(),
        protect_back: None,
    }
}

/// One machine, no traffic, the fence not insisted on, the last question answered with the order.
pub fn lone() -> FailoverOrder {
    let mut order = shop();
    order.groups =
        vec![Group { name: "all".into(), before: Vec::new(), members: vec![member("vm")], after: Vec::new() }];
    (order.traffic, order.fence) = (Vec::new(), Fence::ImpossibleAccepted);
    (order.point, order.protect_back) = (PointChoice::ApplicationConsistent, Some("ops".into()));
    order
}

/// A hundred machines in four groups.
pub fn hundred() -> FailoverOrder {
    let mut order = shop();
    let group = |at: usize| Group {
        name: format!("g{at}"),
        before: Vec::new(),
        members: (0..25).map(|of| member(&format!("vm-{at}-{of}"))).collect(),
        after: Vec::new(),
    };
    order.groups = (1..=4).map(group).collect();
    order
}
