//! How long things take in this Azure: as recorded, or as it is assumed.
//! It never draws lots: a thing takes as long each time.

use jiff::SignedDuration;

/// How long things take, in milliseconds before the factor.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// Scales all of them, in thousandths: 1000 is as recorded.
    pub factor_permille: u32,
    /// A machine from `PUT` to `Succeeded` (recorded: 14.5 s).
    pub machine_create_ms: u32,
    /// From `PUT` until the guest agent reports (recorded: 26.7 s).
    pub agent_ready_ms: u32,
    /// A change of a machine (*assumed*, `vm-latencies`).
    pub machine_update_ms: u32,
    /// A machine's removal (*assumed*, `vm-latencies`).
    pub machine_delete_ms: u32,
    /// A crash-consistent point (recorded: 12.8 s).
    pub crash_point_ms: u32,
    /// A point of the other modes (recorded: 45.7 s).
    pub application_point_ms: u32,
    /// A point's removal (recorded: 5.1 s).
    pub point_delete_ms: u32,
    /// A collection's removal (recorded: 0.1 s).
    pub collection_delete_ms: u32,
    /// A change of a machine that brings disks (recorded: 5.9 to 9.1 s).
    pub machine_attach_ms: u32,
    /// From `powerOff` until it is stopped (recorded: 17.7 s).
    pub machine_power_off_ms: u32,
    /// From `deallocate` until it is deallocated (recorded: 20.3 s).
    pub machine_deallocate_ms: u32,
    /// A start or restart (*assumed*, `vm-start`).
    pub machine_start_ms: u32,
    /// An empty disk, or a change of one (recorded: 0.1 s).
    pub disk_create_ms: u32,
    /// A disk made from another one, a snapshot or a point (recorded: 0.8 to 0.9 s).
    pub disk_copy_ms: u32,
    /// A disk's or snapshot's removal (*assumed*, `disk-latencies`).
    pub disk_delete_ms: u32,
    /// Giving or taking a signed URL (*assumed*, `disk-latencies`).
    pub disk_access_ms: u32,
    /// A snapshot (recorded: 0.2 to 1.0 s).
    pub snapshot_create_ms: u32,
    /// The acceptance of a copy from another region (recorded: 1.6 to 1.8 s).
    pub snapshot_copy_start_ms: u32,
    /// That copy itself, and a background copy (*assumed*, `snapshot-copy-duration`: recorded is only that it is 0 percent at first).
    pub snapshot_copy_ms: u32,
    /// A vault from `PUT` to `Succeeded`, and its removal (*assumed*, `vault-sim-latencies`).
    pub vault_create_ms: u32,
    /// Protection of a machine, until it is set up (recorded: 30.6 to 40.8 s).
    pub backup_configure_ms: u32,
    /// A change of protection, or its stop (recorded: 1.4 to 4.4 s).
    pub backup_change_ms: u32,
    /// An item's removal (recorded: 101 to 112 s).
    pub backup_delete_ms: u32,
    /// A deleted item's return (*assumed*, `vault-sim-latencies`).
    pub backup_undelete_ms: u32,
    /// The first part of a backup, "Take Snapshot" (recorded: 7.6 min).
    pub backup_snapshot_ms: u32,
    /// How long the second part runs before its job says so (recorded: 2.6 to 3.5 min).
    pub backup_transfer_told_ms: u32,
    /// The second part of a backup, "Transfer data to vault" (recorded: 33.5 to 108.8 min).
    pub backup_transfer_ms: u32,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            factor_permille: 1_000,
            machine_create_ms: 14_515,
            agent_ready_ms: 26_665,
            machine_update_ms: 1_000,
            machine_delete_ms: 20_000,
            crash_point_ms: 12_844,
            application_point_ms: 45_688,
            point_delete_ms: 5_125,
            collection_delete_ms: 109,
            machine_attach_ms: 8_500,
            machine_power_off_ms: 17_735,
            machine_deallocate_ms: 20_312,
            machine_start_ms: 20_000,
            disk_create_ms: 110,
            disk_copy_ms: 850,
            disk_delete_ms: 500,
            disk_access_ms: 500,
            snapshot_create_ms: 800,
            snapshot_copy_start_ms: 1_700,
            snapshot_copy_ms: 600_000,
            vault_create_ms: 3_000,
            backup_configure_ms: 30_633,
            backup_change_ms: 1_490,
            backup_delete_ms: 111_108,
            backup_undelete_ms: 11_000,
            backup_snapshot_ms: 457_000,
            backup_transfer_told_ms: 183_000,
            backup_transfer_ms: 2_019_000,
        }
    }
}

impl Latencies {
    /// So many milliseconds, scaled.
    pub(crate) fn scaled(&self, milliseconds: u32) -> SignedDuration {
        SignedDuration::from_micros(i64::from(milliseconds) * i64::from(self.factor_permille))
    }
}
