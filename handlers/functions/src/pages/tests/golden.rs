//! Each page as it is committed, and what a person reads in it.
//! It never writes a file unless LIFEBOAT_GOLDEN=write asks for it.

use std::path::Path;

use lifeboat_execution::saga::record::SagaRecord;
use lifeboat_execution::views::{Viewed, What};

use super::of_records::{failover, no_failover, of_failover, recovery, region, shown, start, status};
use crate::pages::{page, status as status_page};

#[expect(
    clippy::disallowed_methods,
    reason = "the environment says whether files are written; no setting of the product"
)]
fn check(name: &str, html: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/{name}.html"));
    // Without the style, which is a file of its own, and a tag a line, so that a difference can be read.
    let (head, rest) = html.split_once("<style>").expect("a style");
    let (_, body) = rest.split_once("</style>").expect("its end");
    let lines = format!("{head}{body}\n").replace("><", ">\n<");
    if std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write") {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        std::fs::write(&path, &lines).expect("it can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let again = "write it again with LIFEBOAT_GOLDEN=write cargo test -p lifeboat-functions pages";
    assert!(golden == lines, "{} is not the page: {again}", path.display());
}

fn html(viewed: &Viewed) -> String {
    page(viewed, false).into_string()
}

/// What stands in a page as text.
fn text(html: &str) -> String {
    let body = html.split("</style>").nth(1).unwrap_or(html);
    let mut text = String::new();
    for part in body.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
        text.push(' ');
    }
    let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn holds(html: &str, parts: &[&str]) {
    let text = text(html);
    for part in parts {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn every_page_is_as_it_was_committed() {
    check("start", &html(&start()));
    check("region", &html(&region()));
    check("recovery", &html(&recovery()));
    check("failover", &html(&failover()));
    check("failover-none", &html(&no_failover()));
    check("status", &status_page::page(&status()).into_string());
}

#[test]
fn the_start_lists_recovery_plans_and_what_needs_a_person() {
    let html = html(&start());
    holds(
        &html,
        &[
            "westeurope is suspected to be lost",
            "look at the evidence",
            "an incident is open since 2026-11-22 11:03:00 UTC (12m ago)",
            "NOT READY, looked at 10m ago",
            "none was ever begun",
        ],
    );
    for path in ["region/westeurope", "region/northeurope", "recovery/shop", "failover/books"] {
        assert!(html.contains(&format!("href=\"/api/pages/{path}\"")), "{path}");
    }
}

#[test]
fn a_region_shows_its_evidence_each_condition_and_the_command_that_is_awaited() {
    holds(
        &html(&region()),
        &[
            "serviceHealth reported NA0F-1 (Virtual Machines) failing",
            "the platform is to blame silent since",
            "2026-11-22 02:00:00 UTC (40m ago)",
            "window not met together since",
            "bothClasses for rules met",
            "counts as lost, a person is asked",
            "An incident is open since",
            "lifeboat approve shop --incident 2026-11-22T02:03:00Z --digest 3f0c6a1d",
            "lifeboat reject shop --incident 2026-11-22T02:03:00Z --reason 'why, in your words'",
        ],
    );
}

#[test]
fn a_recovery_plan_shows_why_it_is_not_ready_its_members_and_the_order_with_what_it_passes() {
    holds(
        &html(&recovery()),
        &[
            "westeurope → northeurope: not ready",
            "web-1: disk web-1-data is not replicated",
            "Would take about 7m30s until the workload serves, by what was recorded; after 3h at most it serves or asks a person; 1 question on the way waits for a person",
            "web-1 Standard_D2s_v5 2 of 2 not told 2026-11-22 11:01:00 UTC (14m ago)",
            "profile tm-shop : from endpoint weu-endpoint to neu-endpoint",
            "An order to fail over waits for 1 more to approve it",
            "lifeboat approve shop --order start-shop-1 --digest 3f0c6a1d",
            "lifeboat failover shop --store URL --reason 'why, in your words' --pass window --pass ready",
        ],
    );
}

#[test]
fn a_failover_shows_its_steps_whose_answer_it_awaits_and_the_command_for_each() {
    holds(
        &html(&failover()),
        &[
            "westeurope → northeurope: waits for a person",
            "It is past the point of no return",
            "Question 2: a person's answer is awaited",
            "committing deletes the other recovery points",
            "At step “word to commit”, which began 2026-11-22 10:13:50 UTC (50s ago)",
            "Go on: lifeboat send CommitFailover recoveryPlan=shop digest=",
            "Take another recovery point: lifeboat send Approve recoveryPlan=shop digest=",
            "this release does not fail back yet",
            "endpoint neu : enabled and online, as looked at",
            "endpoint weu : disabled, as looked at",
            "0 of 3 old machines known to be stopped",
            "3 of 3 new machines run",
            "1. data: db-1 not known to be stopped 2026-11-22 10:01:00 UTC (13m ago) done runs not yet not yet",
            "2. fence over, 3 gone on without began 2026-11-22 10:01:00 UTC (13m ago) 0 of 3 done",
            "15. another point nothing to do",
            "18. word to commit waits for a person",
            "19. commit not yet",
            "Point of no return, which is passed: nothing is undone any more 7. group data: running",
            "Point of no return: once one of these was accepted",
        ],
    );
}

#[test]
fn without_a_failover_it_is_said_how_one_begins_and_what_stands_in_its_way() {
    holds(
        &html(&no_failover()),
        &[
            "No failover of this recovery plan was ever begun.",
            "All changes are stopped",
            "lifeboat resume",
            "the orders that wait could not be read",
            "lifeboat failover shop --store URL --reason",
        ],
    );
}

#[test]
fn a_failover_of_a_hundred_machines_tells_first_what_is_not_done_and_how_many_more_there_are() {
    let many = |record: &mut SagaRecord| {
        let mut whole = serde_json::to_value(&*record).expect("writes");
        let web = whole["order"]["groups"][1]["members"][0].clone();
        let member = |number: usize| {
            let mut one = web.clone();
            one["name"] = format!("web-{number}").into();
            one
        };
        whole["order"]["groups"][1]["members"] = (1..=100).map(member).collect();
        *record = serde_json::from_value(whole).expect("a record");
    };
    let of = of_failover(Some(shown(many)));
    let viewed = Viewed { what: What::Failover(Box::new(of)), ..failover() };
    let html = html(&viewed);
    holds(&html, &["1 of 100 done", "and 70 more", "2. web: web-100 as it was"]);
    assert!(html.len() < 512 * 1024, "{} bytes", html.len());
}
