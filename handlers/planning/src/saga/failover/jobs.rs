//! The jobs of a member: which one answers for what was ordered, and what it tells besides.
//! It never takes a job of another kind, nor one that began before the order.

use alloc::format;
use jiff::Timestamp;

use super::seen::{JobFacts, JobKind, JobState, MemberFacts};
use super::{Failover, Member};

/// The newest job of this kind that began no earlier than this.
pub(super) fn newest_job(seen: &MemberFacts, kind: JobKind, since: Timestamp) -> Option<&JobFacts> {
    seen.jobs.iter().filter(|job| job.kind == kind && job.began_at >= since).max_by_key(|job| job.began_at)
}

/// How far a job is. What Azure says beside its success is remembered: it is told, and holds up nothing (rule 3).
pub(super) fn heard<'j>(of: &mut Failover, it: &Member, job: Option<&'j JobFacts>) -> Option<&'j JobState> {
    let job = job?;
    if job.state == JobState::Succeeded {
        let what = match job.kind {
            JobKind::Failover => "failover",
            JobKind::ChangePoint => "another recovery point",
            JobKind::Commit => "commit",
            JobKind::ProtectBack => "protecting the other way",
            JobKind::Other => "something else",
        };
        job.warnings.iter().for_each(|warning| of.memory.of_mut(&it.name).warn(&format!("{what}: {warning}")));
    }
    Some(&job.state)
}
