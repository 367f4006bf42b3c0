//! Plays a scenario: does what each line asks for, writes down what was seen, and checks at the end that nothing was lost.
//! It never bends what it sees: what the simulator did is told as it did it.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_execution::estate::{BLOB, Estate as Record};
use lifeboat_execution::stop::{self, Stop};
use lifeboat_simulator::azure::blobs::{BlobFault, BlobFaultEffect};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect, EventEffect, EventOrder, MachineSeed, Os};
use lifeboat_simulator::bus::{BusFault, BusFaultEffect};
use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::policy::document;
use lifeboat_tests::rig::{CONTAINER, DEPLOYMENT, ESTATE, QUEUE};
use lifeboat_tests::tap::Fate;

use crate::expiry::Collections;
use crate::language::{Command, Estate, Events, Expect, Fault, Line, Policy, Property, Service, What};
use crate::onlook;
use crate::people;
use crate::show::Shown;
use crate::{disks, regions, topic, vaults};

/// A name for what manages a machine.
const MANAGER: &str = "/subscriptions/00000000-0000-4000-8000-00000000000a/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachineScaleSets/set-1";
/// The id of a record that is not the one under which the points were made.
const OTHER_ESTATE: &str = "00000000-0000-4000-8000-0000000000ff";
/// The object id of a person.
const PERSON: &str = "7c0a3f0e-90a4-4a3f-8a7e-5f2f6c1d9b10";
/// A region that the deployment does not own.
const ELSEWHERE: &str = "northeurope";
/// How long a machine's deletion takes at most, before the next of its name is made.
const DELETED_WITHIN: Duration = Duration::from_secs(60);

struct Play {
    rig: Rig,
    shown: Shown,
    dead_letters: usize,
    work_waits: bool,
    collections: Collections,
}

/// Plays all lines; the text of what was seen.
pub async fn play(lines: &[Line]) -> Result<String, String> {
    let rig = Rig::new(7).await;
    let mut play =
        Play { rig, shown: Shown::default(), dead_letters: 0, work_waits: false, collections: Collections::default() };
    for line in lines {
        let Some(command) = &line.command else {
            play.shown.say(&line.text);
            continue;
        };
        play.shown.say(&format!("> {}", line.text));
        play.act(command).await.map_err(|problem| format!("line {}: {problem}", line.number))?;
        play.shown.calls(&play.rig);
    }
    play.end()?;
    Ok(play.shown.text())
}

impl Play {
    async fn act(&mut self, command: &Command) -> Result<(), String> {
        match command {
            Command::Policy(policy) => self.write_policy(policy),
            Command::Estate(state) => self.write_estate(*state),
            Command::Stop => self.stop().await,
            Command::Resume => self.resume(),
            Command::Events { .. } | Command::Resend { .. } | Command::Schema { .. } => self.events(command)?,
            Command::Fault(fault) => self.order(fault),
            Command::FaultsClear => {
                self.rig.azure.arm.clear_faults();
                self.rig.blobs.clear_faults();
                self.rig.bus.clear_faults();
            }
            Command::Subscription { enabled } => self.rig.azure.set_enabled(*enabled),
            Command::TakeRight(action) => self.rig.azure.take_right(action),
            Command::GiveRightsBack => self.rig.azure.give_rights_back(),
            Command::HostOff { .. } | Command::HostOn | Command::Kill | Command::KillAt { .. } => {
                self.host(command).await
            }
            Command::Disks(line) => {
                let shown = disks::act(&self.rig, line).await?;
                self.say(shown);
            }
            Command::Expiry(line) => {
                let shown = self.collections.act(&self.rig, line).await?;
                self.shown.calls(&self.rig);
                self.say(shown);
            }
            Command::People(line) => {
                let shown = people::act(&self.rig, line).await?;
                self.say(shown);
            }
            Command::Regions(line) => {
                let shown = regions::act(&mut self.rig, line).await?;
                self.shown.calls(&self.rig);
                self.say(shown);
            }
            Command::Vaults(line) => {
                for line in vaults::act(&self.rig, line)? {
                    self.shown.say(&line);
                }
            }
            Command::Onlook(line) => {
                let shown = onlook::act(&self.rig, line).await?;
                self.say(shown);
            }
            Command::Topic(line) => self.topic(line).await,
            Command::Sweep => self.rig.sweep().await,
            Command::Run(length) => self.rig.run(*length).await,
            Command::Settle(at_most) => {
                if !self.rig.settle(*at_most).await {
                    self.shown.say("  (still at work)");
                }
            }
            Command::Points(name) => self.shown.points(&self.rig, name),
            Command::Ledger(name) => self.shown.ledger(&self.rig, name)?,
            Command::Queue => self.shown.queue(&self.rig),
            Command::Status => self.shown.status(&self.rig).await,
            Command::Calls => self.shown.counts(&self.rig),
            Command::Expect(expect) => self.expect(expect)?,
            Command::Machine { .. }
            | Command::Create { .. }
            | Command::Update(_)
            | Command::Delete(_)
            | Command::Recreate(_)
            | Command::Agent { .. } => self.machine(command).await?,
        }
        Ok(())
    }

    async fn topic(&mut self, line: &topic::Topic) {
        let shown = topic::act(&mut self.rig, line).await;
        self.shown.calls(&self.rig);
        self.say(shown);
    }

    fn say(&mut self, lines: Vec<String>) {
        for line in lines {
            self.shown.say(&self.shown.neat(&self.rig, &line));
        }
    }

    async fn machine(&self, command: &Command) -> Result<(), String> {
        let arm = &self.rig.azure.arm;
        match command {
            Command::Machine { name, ago, properties } => {
                let mut seed = with(Azure::seed(name), properties);
                let ago = SignedDuration::try_from(*ago).map_err(|error| error.to_string())?;
                seed.created_at = self.rig.clock.now().checked_sub(ago).ok();
                arm.add_machine(&seed);
            }
            Command::Create { name, properties } => {
                arm.create_machine(&with(Azure::seed(name), properties))?;
            }
            Command::Update(name) => {
                arm.tag_machine(&Azure::id(name), serde_json::json!({ "env": "prod", "touched": "yes" }))?
            }
            Command::Delete(name) => arm.delete_machine(&Azure::id(name))?,
            Command::Recreate(name) => {
                arm.delete_machine(&Azure::id(name))?;
                self.rig.run(DELETED_WITHIN).await;
                arm.create_machine(&Azure::seed(name))?;
            }
            Command::Agent { name, ready } => {
                let known = arm.set_agent(&Azure::id(name), *ready);
                return if known { Ok(()) } else { Err(format!("there is no machine {name}")) };
            }
            _ => {}
        }
        Ok(())
    }

    fn write_policy(&self, policy: &Policy) {
        match policy {
            Policy::Mode { mode, within } => self.rig.write_policy(&document(mode, within)),
            Policy::Keep { mode, within, rule, value, limit } => {
                let keep = format!("      keep: {{ {rule}: {value} }}\n");
                let limits = limit.map_or(String::new(), |limit| {
                    format!("  limits: {{ expirePerDay: {limit}, expirePercentPerDay: 1 }}\n")
                });
                self.rig.write_policy(&(document(mode, within) + &keep + &limits));
            }
            Policy::Snapshots => {
                let daily = "{ cron: \"0 12 * * *\", timezone: UTC }";
                let text = document("enforce", "24h").replace("kind: restorePoint", "kind: snapshot");
                let text = text.replace("onCreate: { within: 24h }", &format!("schedule: {daily}"));
                self.rig.write_policy(&(text + "      keep: { last: 1 }\n"));
            }
            Policy::Broken => self.rig.write_policy("apiVersion: lifeboat/v1\nkind: BackupPolicy\nspec: [\n"),
            Policy::Missing => self.rig.remove_policy(),
            Policy::Equal => {
                let one = document("enforce", "24h");
                let other = one.replace("name: production", "name: another");
                self.rig.write_policies(&[("another.yaml", &other), ("production.yaml", &one)]);
            }
        }
    }

    async fn stop(&mut self) {
        let reason = serde_json::json!({ "reason": "disks are moved" });
        let (status, _) = self.rig.order("/api/stop", &reason).await;
        self.shown.say(&format!("  Api answers {status}"));
    }

    fn resume(&self) {
        let now = self.rig.clock.now();
        let stop = Stop { resumed_at: Some(now), resumed_by: Some(PERSON.to_owned()), ..Stop::new("", now) };
        self.rig.blobs.put(CONTAINER, stop::BLOB, serde_json::to_vec(&stop).expect("a record"));
    }

    fn write_estate(&self, state: Estate) {
        let begun = |deployment: &str, id: &str| Record::new(deployment, id, self.rig.epoch).to_bytes();
        let put = |bytes: Vec<u8>| self.rig.blobs.put(CONTAINER, BLOB, bytes);
        match state {
            Estate::Mine => put(begun(DEPLOYMENT, ESTATE)),
            Estate::Missing => {
                self.rig.blobs.remove(CONTAINER, BLOB);
            }
            Estate::Broken => put(b"{".to_vec()),
            Estate::Foreign => put(begun("lb-neu", ESTATE)),
            Estate::OtherId => put(begun(DEPLOYMENT, OTHER_ESTATE)),
        }
    }

    fn events(&self, command: &Command) -> Result<(), String> {
        let events = &self.rig.azure.events;
        match command {
            Command::Schema { cloud_events } => self.rig.azure.subscribe_events(&self.rig.gateway, *cloud_events),
            Command::Events { effect, about, always } => {
                let effect = match effect {
                    Events::Drop => EventEffect::Drop,
                    Events::Duplicate(copies) => EventEffect::Duplicate { copies: *copies },
                    Events::Delay(by) => {
                        EventEffect::Delay { seconds: u32::try_from(by.as_secs()).unwrap_or(u32::MAX) }
                    }
                    Events::Reorder => EventEffect::Reorder,
                };
                let mut order = EventOrder::machine_write(effect);
                if let Some(name) = about {
                    order = order.about(format!("virtualMachines/{name}"));
                }
                events.order(if *always { order.always() } else { order });
            }
            Command::Resend { name, copies, after } => {
                let after = SignedDuration::try_from(*after).map_err(|error| error.to_string())?;
                let id = self.rig.azure.writes_of(name).into_iter().next().ok_or(format!("no event told of {name}"))?;
                events.send_again(&id, *copies, after);
            }
            _ => {}
        }
        Ok(())
    }

    async fn host(&mut self, command: &Command) {
        match command {
            Command::HostOff { at_once } => self.rig.host_off(*at_once).await,
            Command::HostOn => self.rig.host_on().await,
            Command::Kill => {
                self.rig.kill_handler();
            }
            Command::KillAt { method, path, after } => {
                let (method, path) = (method.clone(), path.to_ascii_lowercase());
                let fate = if *after { Fate::DieAfter } else { Fate::DieBefore };
                let mut done = false;
                self.rig.wire.decide(Box::new(move |call| {
                    let here = call.method == method && call.path.to_ascii_lowercase().contains(&path);
                    if done || !here {
                        return Fate::Live;
                    }
                    done = true;
                    fate
                }));
            }
            _ => {}
        }
    }

    fn order(&self, fault: &Fault) {
        let times = fault.times;
        match fault.service {
            Service::Arm => self.rig.azure.arm.fault(arm_fault(fault)),
            Service::Blobs => {
                let effect = match fault.what {
                    What::Error500 => BlobFaultEffect::InternalError,
                    What::ResetBefore => BlobFaultEffect::ResetBefore,
                    What::ResetAfter => BlobFaultEffect::ResetAfter,
                    What::Hang => BlobFaultEffect::Hang,
                    What::Throttle(_) | What::Error503 | What::Busy | What::Fails(_) => BlobFaultEffect::ServerBusy,
                };
                let mut order = BlobFault::new(effect).on_names(fault.on.clone().unwrap_or_default()).after(fault.skip);
                if let Some(method) = fault.method.as_deref().and_then(|method| method.parse().ok()) {
                    order = order.on_method(method);
                }
                self.rig.blobs.fault(times.map_or(order.clone().always(), |times| order.times(times)));
            }
            Service::Queue => {
                let effect = match fault.what {
                    What::Throttle(_) => BusFaultEffect::TooManyRequests,
                    What::ResetBefore => BusFaultEffect::ResetBefore,
                    What::ResetAfter => BusFaultEffect::ResetAfter,
                    What::Hang => BusFaultEffect::Hang,
                    What::Error500 | What::Error503 | What::Busy | What::Fails(_) => BusFaultEffect::ServerBusy,
                };
                let order = BusFault::new(effect).on_queue(QUEUE).after(fault.skip);
                self.rig.bus.fault(times.map_or(order.clone().always(), |times| order.times(times)));
            }
        }
    }

    fn expect(&mut self, expect: &Expect) -> Result<(), String> {
        match expect {
            Expect::Points { name, succeeded } => {
                let points = self.rig.azure.points(name);
                let found = points.iter().filter(|point| point.state == "Succeeded").count();
                if found != *succeeded {
                    self.shown.calls(&self.rig);
                    self.shown.points(&self.rig, name);
                    return Err(format!("{found} points of {name} succeeded, not {succeeded}\n{}", self.shown.text()));
                }
            }
            Expect::DeadLetters(count) => self.dead_letters = *count,
            Expect::Waiting => self.work_waits = true,
        }
        Ok(())
    }

    /// What holds at the end of every scenario, unless it said otherwise.
    fn end(&mut self) -> Result<(), String> {
        let counts = self.rig.bus.counts(QUEUE);
        let waiting = counts.active + counts.scheduled + counts.locked;
        let so_far = self.shown.text();
        if counts.dead != self.dead_letters {
            return Err(format!("{} dead letters, not {}\n{so_far}", counts.dead, self.dead_letters));
        }
        if (waiting > 0) != self.work_waits {
            return Err(format!("{waiting} messages wait at the end\n{so_far}"));
        }
        let ledgers = self.rig.read_ledgers().map_err(|fault| format!("{fault}\n{so_far}"))?;
        for ledger in &ledgers {
            if !ledger.unanswered().is_empty() {
                return Err(format!(
                    "{}: effects without an outcome: {:?}\n{so_far}",
                    ledger.name,
                    ledger.unanswered()
                ));
            }
        }
        let early = self.rig.azure.arm.counts().inside_retry_after;
        self.shown.say(&format!(
            "= {waiting} messages wait, {} dead letters; {} ledgers verify, every effect has its outcome; {early} calls inside a \
             Retry-After; {} points made in all",
            counts.dead,
            ledgers.len(),
            self.rig.azure.arm.restore_points_created()
        ));
        Ok(())
    }
}

fn with(mut seed: MachineSeed, properties: &[Property]) -> MachineSeed {
    for property in properties {
        match property {
            Property::Windows => seed.os = Os::Windows,
            Property::NoAgent => seed.agent_ready = false,
            Property::Elsewhere => seed.location = ELSEWHERE.to_owned(),
            Property::Managed => seed.managed_by = Some(MANAGER.to_owned()),
            Property::Disk(name) => seed = disks::with_disk(seed, name),
            Property::Tag(name, value) => seed = seed.tag(name, value),
        }
    }
    seed
}

fn arm_fault(fault: &Fault) -> ArmFault {
    let effect = match &fault.what {
        What::Throttle(after) => ArmFaultEffect::TooManyRequests { retry_after_seconds: *after },
        What::Error500 => ArmFaultEffect::InternalServerError,
        What::Error503 => ArmFaultEffect::ServiceUnavailable,
        What::ResetBefore => ArmFaultEffect::ResetBefore,
        What::ResetAfter => ArmFaultEffect::ResetAfter,
        What::Hang => ArmFaultEffect::Hang,
        What::Busy => ArmFaultEffect::AnotherOperation,
        What::Fails(after) => ArmFaultEffect::OperationFails {
            after_seconds: u32::try_from(after.as_secs()).unwrap_or(u32::MAX),
            code: "VMRestorePointInternalError".to_owned(),
        },
    };
    let mut order = ArmFault::new(effect).after(fault.skip);
    if let Some(method) = &fault.method {
        order = order.on_method(method);
    }
    if let Some(path) = &fault.on {
        order = order.on_path(path.clone());
    }
    fault.times.map_or(order.clone().always(), |times| order.times(times))
}
