//! Plans over any facts: performed, planned again, and never doubled.
//! It never performs anything but in a world of plain values.

use super::*;

/// The simplest world that obeys effects: what was asked for is there, in progress.
fn perform(facts: &Facts, plan: &Plan, now: i64) -> Facts {
    let mut after = facts.clone();
    for effect in &plan.effects {
        match effect {
            Effect::Protection(_)
            | Effect::Point(
                PointEffect::CreateSnapshot { .. }
                | PointEffect::ExpireRestorePoint { .. }
                | PointEffect::ExpireSnapshot { .. },
            ) => {}
            Effect::Point(PointEffect::EnsureGroup { .. }) => after.collection = CollectionSeen::Absent,
            Effect::Point(PointEffect::EnsureCollection { .. }) => after.collection = with_points(&[]).collection,
            Effect::Point(PointEffect::CreateRestorePoint { point, .. }) => {
                if let CollectionSeen::Present(collection) = &mut after.collection {
                    let state = PointState::InProgress;
                    let point = Point {
                        name: point.clone(),
                        state,
                        created_at: Some(at(now)),
                        consistency: None,
                        disks: Vec::new(),
                    };
                    collection.points.push(point);
                }
            }
        }
    }
    after
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let state = prop_oneof![
        Just(PointState::Succeeded),
        Just(PointState::Failed),
        Just(PointState::InProgress),
        Just(PointState::Deleting)
    ];
    let point = (prop_oneof![(1u32..5).prop_map(name), Just("foreign".to_string())], state, -600i64..600);
    let collection = prop_oneof![Just(None), proptest::collection::vec(point, 0..5).prop_map(Some),];
    let machine = (-3000i64..3000, 0usize..3, any::<bool>(), any::<bool>(), any::<bool>());
    (machine, collection, any::<bool>(), proptest::option::of(-3000i64..3000)).prop_map(
        |((created, provisioning, ready, ultra, ephemeral), points, group, known)| {
            let mut facts = with_machine(|m| {
                m.created_at = at(created);
                m.provisioning =
                    [Provisioning::Settled, Provisioning::InProgress, Provisioning::Deleting][provisioning];
                m.agent = if ready { Agent::Ready } else { Agent::NotReady };
                m.disks = DiskSupport { ephemeral_os: ephemeral, no_crash_consistent: ultra };
            });
            facts.known_since = known.map(at);
            facts.collection = match points {
                Some(points) => with_points(&points).collection,
                None if group => CollectionSeen::Absent,
                None => CollectionSeen::GroupAbsent,
            };
            facts
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_seen_the_audit_accepts_the_plan_and_planning_again_changes_nothing(facts in any_facts(), now in -100i64..5000) {
        let first = decided(&facts, now);
        let after = perform(&facts, &first, now);
        let again = decided(&after, now);
        if !first.effects.is_empty() {
            prop_assert_eq!(again.effects, vec![]);
            prop_assert!(again.look_again_at.is_some());
        }
        prop_assert_eq!(first.effects.iter().filter(|e| format!("{e}").contains("restore point lb-")).count(), first.effects.len().min(1));
    }
}
