//! Each service that a failover rests on, alone: its tapes are answered as Azure answered, and a replicated item goes through the recorded
//! states. It never knows a tape by name: what a tape is of is read in its requests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::recordings::{EQUAL_PERMILLE, tapes};
use crate::replay;
use crate::report::{Played, Totals};
use crate::tape::{Line, Tape, key};
use crate::world::World;

/// A service by its name in the table of all gates, and in words; and whether a line shows that its tape is of it.
struct Service {
    name: &'static str,
    words: &'static str,
    shows: fn(&Line) -> bool,
}

/// The recorded states of an answer, and ours.
type Both = (Vec<String>, Vec<String>);

const ITEMS: &str = "/replicationprotecteditems/";
/// The services.
const SERVICES: [Service; 2] = [
    Service { name: "azureToAzure", words: "Site Recovery, Azure to Azure", shows: replicates },
    Service {
        name: "trafficManager",
        words: "Traffic Manager",
        shows: |line| line.key().contains("/providers/microsoft.network/trafficmanagerprofiles"),
    },
];

/// What begins the replication of a machine in Azure.
fn replicates(line: &Line) -> bool {
    let way = &line.request["properties"]["providerSpecificDetails"]["instanceType"];
    line.method == "PUT" && line.key().contains(ITEMS) && way == "A2A"
}

/// Plays the tapes of a service.
async fn play(service: &Service, tapes: &[Tape]) -> Vec<Played> {
    let mut played = Vec::new();
    for tape in tapes.iter().filter(|tape| tape.lines.iter().any(service.shows)) {
        played.push(replay::run(tape, &World::models(tape)).await);
    }
    played
}

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn each_service_of_a_failover_alone_answers_as_azure_answered() {
    let Some(tapes) = tapes("recordings of each service") else { return };
    let (mut counts, mut short) = (serde_json::Map::new(), Vec::new());
    for service in &SERVICES {
        let played = play(service, &tapes).await;
        let totals = Totals::of(&played);
        let told = totals.share(service.words);
        println!("{told}");
        counts.insert(service.name.to_owned(), count(&totals));
        // One tape that is answered well hides none that is not.
        let alone = played.iter().map(|one| (one.totals(), one.totals().share(&one.tape)));
        for (totals, told) in alone.chain([(totals, told)]) {
            println!("  {told}");
            if totals.compared() == 0 || totals.equal_permille() < EQUAL_PERMILLE {
                short.push(told);
            }
        }
        assert!(totals.tapes > 0, "{} is on no tape", service.words);
    }
    lifeboat_tests::gates::write("services.json", &Value::Object(counts));
    assert!(short.is_empty(), "too few are answered as Azure answered:\n{}", short.join("\n"));
}

fn count(totals: &Totals) -> Value {
    json!({ "tapes": totals.tapes, "compared": totals.compared(), "equal": totals.spoken_equal })
}

/// States one after the other, none twice in a row.
fn course(states: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut course: Vec<Vec<String>> = states.collect();
    course.dedup();
    course
}

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn a_replicated_item_goes_through_the_recorded_states_in_their_order() {
    let Some(tapes) = tapes("recordings of items") else { return };
    let mut items = 0;
    for played in play(&SERVICES[0], &tapes).await {
        let tape = tapes.iter().find(|tape| tape.name == played.tape).expect("it was played");
        let mut told: BTreeMap<String, Vec<&Both>> = BTreeMap::new();
        for (line, judged) in tape.lines.iter().zip(&played.lines) {
            // What stands after the items' own part is one item's name.
            let is_item = line.method == "GET"
                && line.key().rsplit_once('/').is_some_and(|(to, _)| to.ends_with(ITEMS.trim_end_matches('/')));
            if let Some(states) = judged.states.as_ref().filter(|_| is_item) {
                told.entry(key(line.path())).or_default().push(states);
            }
        }
        for (item, told) in told {
            let theirs = course(told.iter().map(|(theirs, _)| theirs.clone()));
            let ours = course(told.iter().map(|(_, ours)| ours.clone()));
            println!("{}: {}", tape.name, item.rsplit(ITEMS).next().unwrap_or_default());
            theirs.iter().for_each(|states| println!("  {}", words(states)));
            assert!(theirs.len() > 2, "{item} stands still: {theirs:?}");
            assert_eq!(theirs, ours, "{item}");
            items += 1;
        }
    }
    assert!(items > 1, "an item is there on either side of a failover, and {items} were seen");
}

/// The states of an item without their places.
fn words(states: &[String]) -> String {
    let own = states
        .iter()
        .filter(|state| state.starts_with("$.properties.") && !state["$.properties.".len()..].contains("]"));
    own.map(|state| state.trim_start_matches("$.properties.")).collect::<Vec<_>>().join("; ")
}
