//! The catalogue held to sentences and properties: whoever comes when, the newest reading stands; nothing grows without a bound.

use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("a time")
}

fn point(n: i64) -> Seen {
    let name = format!("lb-daily-20261122t0200z-1-0123456789abcdef-{n:016x}");
    Seen(name, 1_700_000_000 - n * 43_200, State::Succeeded, Consistency::Application)
}

fn entry(n: u32, read_at: i64, points: i64) -> Entry {
    Entry {
        vm_id: format!("0a8d2b7e-0000-4000-8000-{n:012}"),
        machine: format!(
            "/subscriptions/00000000-0000-4000-8000-00000000000a/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-{n}"
        ),
        collection: format!(
            "/subscriptions/00000000-0000-4000-8000-00000000000a/resourceGroups/lifeboat-points-westeurope/providers/\
             Microsoft.Compute/restorePointCollections/lb-{n:016x}"
        ),
        read_at: at(read_at),
        look_at: at(read_at + 3_600),
        total: u32::try_from(points).expect("few"),
        points: (0..points).map(point).collect(),
    }
}

#[test]
fn version_1_reads_as_it_was_written() {
    let golden = include_bytes!("../../golden/catalogue-v1.jsonl");
    let shard = Shard::decode(0, golden).expect("reads");
    assert_eq!(shard.machines.len(), 2);
    assert_eq!(String::from_utf8_lossy(&shard.encode()), String::from_utf8_lossy(golden));
}

#[test]
fn a_shard_that_cannot_be_read_is_an_empty_one_and_a_later_releases_is_told_apart() {
    assert!(matches!(Shard::decode(0, b"{\"version\":2}\n"), Err(RecordError::TooNew { .. })));
    assert!(Shard::decode(0, b"{\"version\":1}\n{").is_err());
    assert_eq!(decoded(0, b"nonsense"), Shard::default());
}

#[test]
fn the_fullest_shard_stays_within_what_the_store_takes_and_keeps_the_newest_points() {
    let mut shard = Shard::default();
    for n in 0..1_200 {
        shard.take(&Reading::Seen(entry(n, 0, 80)));
    }
    let bytes = shard.encode();
    assert!(bytes.len() <= SHARD_BYTES_MAX, "{} bytes", bytes.len());
    let read = Shard::decode(0, &bytes).expect("reads");
    let first = read.machines.values().next().expect("a machine");
    assert_eq!((read.machines.len(), first.total), (1_200, 80));
    assert!(!first.points.is_empty() && first.points.len() <= POINTS_MAX);
    assert_eq!(first.points[0], point(0), "the newest");
}

#[test]
fn a_hundred_thousand_machines_spread_evenly() {
    let mut counts = vec![0u32; SHARDS];
    for n in 0..100_000 {
        counts[shard_of(&entry(n, 0, 0).vm_id)] += 1;
    }
    let (least, most) = (counts.iter().min().expect("shards"), counts.iter().max().expect("shards"));
    assert!(*least > 300 && *most < 500, "{least} to {most}");
}

#[test]
#[ignore = "a measurement: `cargo test -p lifeboat-execution -- --ignored --nocapture a_hundred_thousand_machines_are`"]
fn a_hundred_thousand_machines_are_written_and_read() {
    let mut shards = vec![Shard::default(); SHARDS];
    for n in 0..100_000 {
        let entry = entry(n, 0, 30);
        shards[shard_of(&entry.vm_id)].take(&Reading::Seen(entry));
    }
    let start = tokio::time::Instant::now();
    let stored: Vec<Vec<u8>> = shards.iter().map(Shard::encode).collect();
    let (written, bytes) = (start.elapsed(), stored.iter().map(Vec::len).sum::<usize>());
    let largest = stored.iter().map(Vec::len).max().unwrap_or_default();
    let start = tokio::time::Instant::now();
    let read: usize = stored.iter().map(|bytes| Shard::decode(0, bytes).expect("reads").machines.len()).sum();
    println!(
        "100,000 machines with 30 points each: {} MB in {SHARDS} shards, the largest {} kB; written in {written:?}, read in {:?}",
        bytes / 1_000_000,
        largest / 1_000,
        start.elapsed()
    );
    assert_eq!(read, 100_000);
    assert!(largest <= SHARD_BYTES_MAX);
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let one = (0u32..6, 0i64..40, 0i64..5, any::<bool>()).prop_map(|(n, read_at, points, gone)| {
        let entry = entry(n, read_at, points);
        if gone {
            Reading::Gone { vm_id: entry.vm_id, machine: entry.machine, read_at: entry.read_at }
        } else {
            Reading::Seen(entry)
        }
    });
    proptest::collection::vec(one, 0..40)
}

proptest! {
    /// The model remembers the newest reading of each machine, and nothing else.
    #[test]
    fn in_whatever_order_readings_come_no_older_one_takes_the_place_of_a_newer(readings in readings()) {
        let mut shard = Shard::default();
        for reading in &readings {
            let before = shard.clone();
            shard.take(reading);
            let known = before.machines.get(&reading.key());
            let now = shard.machines.get(&reading.key());
            match (known, now) {
                (Some(known), Some(now)) => prop_assert!(now.read_at >= known.read_at),
                (Some(known), None) => match reading {
                    Reading::Gone { read_at, .. } => prop_assert!(*read_at > known.read_at),
                    Reading::Seen(_) => prop_assert!(false, "a reading took a machine away"),
                },
                (None, _) => {}
            }
            let other = |shard: &Shard| shard.machines.iter().filter(|(at, _)| **at != reading.key()).count();
            prop_assert_eq!(other(&before), other(&shard));
        }
        for reading in &readings {
            let mut again = shard.clone();
            again.take(reading);
            let stands = shard.machines.get(&reading.key()).map(|known| known.read_at);
            if matches!(reading, Reading::Seen(entry) if stands >= Some(entry.read_at)) {
                prop_assert_eq!(&again, &shard, "what comes late changes nothing");
            }
        }
        prop_assert_eq!(Shard::decode(0, &shard.encode()).expect("reads"), shard);
    }
}
