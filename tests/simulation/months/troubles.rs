//! What goes wrong on order, how it is seen that it did, and how it is mended.
//! It never strikes by chance: a trouble is ordered, and counted only where it was met.

use jiff::Timestamp;
use lifeboat_execution::estate::{BLOB as ESTATE_BLOB, Estate};
use lifeboat_execution::policies::CURRENT;
use lifeboat_simulator::azure::blobs::{BlobFault, BlobFaultEffect};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect, EventEffect, EventOrder, JobFailure, JobOperation, JobPart};
use lifeboat_simulator::bus::{BusFault, BusFaultEffect};
use lifeboat_tests::rig::{CONTAINER, DEPLOYMENT, ESTATE, GROUP, QUEUE, SECOND, SUBSCRIPTION};
use lifeboat_tests::tap::{Call, Fate, Service};

use crate::model::history::What;

use super::cases::{At, Fault, Kill};
use super::play::Play;
use super::policies::VAULT;

/// By how much a clock is wrong that is wrong, in seconds: more than what is let pass.
pub const SKEW_SECS: i64 = 601;
/// How much later an answer of a slow store comes, in seconds.
const SLOW_SECS: u32 = 4;
/// How many calls a passing fault spoils at most.
const TIMES_MAX: u64 = 6;
/// The record of another estate.
const OTHER: &str = "00000000-0000-4000-8000-0000000000ff";

/// What tells whether a trouble was met.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    deaths: usize,
    wrong: usize,
    failed: usize,
    told: usize,
    jobs: usize,
    calls: usize,
}

impl Play {
    /// What there is now of what tells.
    pub fn seen(&mut self) -> Seen {
        self.record.observe(&self.rig);
        let events = self.rig.azure.events.events();
        let jobs = self.rig.azure.arm.vault_jobs();
        Seen {
            deaths: self.rig.wire.deaths(),
            wrong: self.record.wrong + self.rig.wire.wrong(),
            failed: self.record.failed,
            told: events.iter().filter(|event| event.operation_name.ends_with("virtualMachines/write")).count(),
            jobs: jobs.iter().filter(|job| job.status == "Failed").count(),
            calls: self.rig.wire.count(),
        }
    }

    /// Whether the handler died where it was to.
    pub fn died(&mut self, before: Seen) -> bool {
        self.rig.wire.deaths() > before.deaths
    }

    /// Whether a fault was met since.
    pub fn struck(&mut self, fault: Fault, before: Seen) -> bool {
        let now = self.seen();
        match fault {
            Fault::BackupsFail => now.jobs > before.jobs,
            Fault::PointsFail => now.failed > before.failed,
            Fault::EventLost | Fault::EventTwice | Fault::EventLate => now.told > before.told,
            // A send was answered well and forgotten.
            Fault::MessageLost => self.calls_since(before).iter().any(|call| call.service == Service::Bus),
            // It was asked whether the vault takes the machine, or to take it.
            Fault::VaultFull => self.calls_since(before).iter().any(|call| {
                let path = call.path.to_lowercase();
                path.ends_with("/backupprevalidateprotection")
                    || (call.method == "PUT" && path.contains("/protecteditems/"))
            }),
            Fault::StoreSlow | Fault::LockAppears | Fault::ClockAhead | Fault::ClockBehind => now.calls > before.calls,
            Fault::StoreWiped | Fault::StoreReplaced | Fault::HostLost => true,
            Fault::Throttled
            | Fault::Error500
            | Fault::ResetBefore
            | Fault::ResetAfter
            | Fault::StoreError
            | Fault::StoreReset
            | Fault::QueueError
            | Fault::PermissionLost
            | Fault::PermissionLostInOne => now.wrong > before.wrong,
        }
    }

    fn calls_since(&self, before: Seen) -> Vec<Call> {
        self.rig.wire.calls_from(before.calls)
    }

    /// Orders what goes wrong, and where the handler dies.
    pub async fn trouble(&mut self, fault: Option<Fault>, kill: Option<Kill>) {
        if let Some(fault) = fault {
            self.order(fault).await;
        }
        if kill.is_some_and(|kill| kill.at == At::Token) {
            // Who has just started has no token yet.
            self.rig.kill_handler();
        }
        self.arm(fault, kill);
    }

    /// Orders a fault.
    async fn order(&mut self, fault: Fault) {
        let times = 1 + u32::try_from(self.dice.below(TIMES_MAX)).unwrap_or(0);
        let now = self.rig.clock.now();
        let (arm, events) = (self.rig.azure.arm.clone(), self.rig.azure.events.clone());
        match fault {
            Fault::BackupsFail => arm.order_job_failure(job_failure()),
            Fault::PointsFail => {
                let code = "VMRestorePointInternalError".to_owned();
                let effect = ArmFaultEffect::OperationFails { after_seconds: times * 20, code };
                arm.fault(ArmFault::new(effect).on_method("PUT").on_path("/restorePoints/").times(times + 2));
            }
            Fault::ClockAhead | Fault::ClockBehind => {
                self.rig.set_skew(if fault == Fault::ClockAhead { SKEW_SECS } else { -SKEW_SECS });
                self.rig.kill_handler();
                self.record.tell(now, What::ClocksApart { apart: true });
            }
            Fault::EventLost => events.order(EventOrder::machine_write(EventEffect::Drop)),
            Fault::EventTwice => {
                events.order(EventOrder::machine_write(EventEffect::Duplicate { copies: 1 + times }));
            }
            Fault::EventLate => events.order(EventOrder::machine_write(EventEffect::Delay { seconds: times * 300 })),
            Fault::MessageLost => self.rig.bus.drop_next(QUEUE, times),
            Fault::Throttled => {
                let effect = ArmFaultEffect::TooManyRequests { retry_after_seconds: Some(times * 20) };
                arm.fault(ArmFault::new(effect).after(times).times(times));
            }
            Fault::Error500 => arm.fault(ArmFault::new(ArmFaultEffect::InternalServerError).after(times).times(times)),
            Fault::ResetBefore => arm.fault(ArmFault::new(ArmFaultEffect::ResetBefore).after(times).times(times)),
            Fault::ResetAfter => {
                // The first that may be lost are what is made, and what is deleted.
                arm.fault(ArmFault::new(ArmFaultEffect::ResetAfter).on_path("/restorePoints/").times(times));
            }
            Fault::StoreError => {
                let fault = BlobFault::new(BlobFaultEffect::InternalError).after(times * 5).times(times);
                self.rig.blobs.fault(fault);
            }
            Fault::StoreReset => {
                let effect = if times % 2 == 0 { BlobFaultEffect::ResetAfter } else { BlobFaultEffect::ResetBefore };
                self.rig.blobs.fault(BlobFault::new(effect).after(times * 5).times(times));
            }
            Fault::QueueError => self.rig.bus.fault(BusFault::new(BusFaultEffect::ServerBusy).times(times)),
            Fault::VaultFull => drop(arm.set_vault_full(&vault_id(), true)),
            Fault::PermissionLost => {
                self.rig.azure.take_right("*");
                self.permission(true, &self.subscriptions.clone());
            }
            Fault::PermissionLostInOne => {
                self.rig.azure.take_rights_in(SECOND);
                self.permission(true, &[SECOND]);
            }
            Fault::LockAppears => self.lock(true),
            Fault::HostLost => self.rig.host_off(true).await,
            Fault::StoreWiped => self.wipe(),
            Fault::StoreReplaced => {
                self.rig.blobs.put(CONTAINER, ESTATE_BLOB, Estate::new("lb-other", OTHER, now).to_bytes());
                self.record.tell(now, What::StoreLost);
            }
            // The tap does it.
            Fault::StoreSlow => {}
        }
    }

    /// Lets the handler die at the first call of a kind, and the store be slow.
    fn arm(&mut self, fault: Option<Fault>, kill: Option<Kill>) {
        let slow = fault == Some(Fault::StoreSlow);
        let frequent = kill.is_some_and(|kill| kill.at.is_frequent());
        let ledger = kill.is_some_and(|kill| kill.at == At::LedgerEntry);
        let mut passing = if frequent { self.dice.below(if ledger { 4 } else { 12 }) } else { 0 };
        let mut left = kill;
        self.rig.wire.decide(Box::new(move |call| {
            if let Some(kill) = left.filter(|kill| kill.at.is(call)) {
                if passing == 0 {
                    left = None;
                    return kill.fate();
                }
                passing -= 1;
            }
            let late = slow && call.service == Service::Blobs;
            if late { Fate::Slow(SLOW_SECS) } else { Fate::Live }
        }));
    }

    /// Mends what the fault broke.
    pub async fn mend(&mut self, fault: Option<Fault>) {
        self.rig.wire.stop_deciding();
        self.rig.azure.arm.clear_faults();
        self.rig.blobs.clear_faults();
        self.rig.bus.clear_faults();
        self.rig.azure.events.clear_orders();
        let now = self.rig.clock.now();
        match fault {
            Some(Fault::BackupsFail) => self.rig.azure.arm.clear_job_failures(),
            Some(Fault::ClockAhead | Fault::ClockBehind) => {
                self.rig.set_skew(0);
                self.rig.kill_handler();
                self.record.tell(now, What::ClocksApart { apart: false });
            }
            Some(Fault::VaultFull) => drop(self.rig.azure.arm.set_vault_full(&vault_id(), false)),
            Some(Fault::PermissionLost) => {
                self.rig.azure.give_rights_back();
                self.permission(false, &self.subscriptions.clone());
            }
            Some(Fault::PermissionLostInOne) => {
                self.rig.azure.give_rights_back();
                self.permission(false, &[SECOND]);
            }
            Some(Fault::LockAppears) => self.lock(false),
            Some(Fault::StoreWiped | Fault::StoreReplaced) => self.adopt(now),
            _ => {}
        }
        self.rig.host_on().await;
    }

    fn permission(&mut self, lost: bool, subscriptions: &[&str]) {
        let now = self.rig.clock.now();
        for subscription in subscriptions {
            let subscription = (*subscription).to_owned();
            self.record.tell(now, What::PermissionLost { subscription, lost });
        }
    }

    fn wipe(&mut self) {
        for name in self.rig.blobs.names(CONTAINER) {
            self.rig.blobs.remove(CONTAINER, &name);
        }
        let now = self.rig.clock.now();
        self.wiped_at = Some(now);
        self.record.tell(now, What::StoreLost);
    }

    /// What `init --adopt` writes, and policies pushed again where they are lost; a switch that was lost is turned no more.
    fn adopt(&mut self, now: Timestamp) {
        let estate = Estate { adopted_at: Some(now), ..Estate::new(DEPLOYMENT, ESTATE, now) };
        self.rig.blobs.put(CONTAINER, ESTATE_BLOB, estate.to_bytes());
        if self.rig.blobs.bytes(CONTAINER, CURRENT).is_none() {
            self.push();
        }
        self.record.tell(now, What::StoreBack);
        let lost = self.rig.blobs.bytes(CONTAINER, lifeboat_execution::stop::BLOB).is_none();
        if self.stopped && lost {
            self.stopped = false;
            self.record.tell(now, What::Stopped { stopped: false });
        }
    }
}

fn vault_id() -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.RecoveryServices/vaults/{VAULT}")
}

fn job_failure() -> JobFailure {
    JobFailure {
        machine: None,
        operation: JobOperation::Backup,
        part: JobPart::Snapshot,
        code: 400_001,
        title: "UserErrorGuestAgentStatusUnavailable".to_owned(),
        message: "It failed on order.".to_owned(),
        recommendations: Vec::new(),
        only_warns: false,
        times: None,
    }
}
