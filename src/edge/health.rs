//! How the process feels: what the loops say about themselves, and what liveness, readiness and
//! `/status` make of it.

use crate::edge::clock;
use crate::edge::log::Partition;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A worker that says nothing for this long is stuck. The longest call is the commit of a transaction
/// while the brokers are away: 15 s until what is in flight is given up, then 15 s of repetitions, the
/// last of which takes 7.5 s.
pub const HEARTBEAT_MAX: Duration = Duration::from_secs(45);
/// Something gathered that is not committed for this long: the brokers or we are in trouble.
pub const COMMIT_AGE_MAX: Duration = Duration::from_secs(60);

/// What a loop tells of one of its partitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionHealth {
    /// Its state has been read back; what needs no restore is restored.
    pub is_restored: bool,
    /// Records restored so far.
    pub restored_records: u64,
    /// Records behind the end of the log, where known.
    pub lag_records: Option<u64>,
    /// How far the watermark is behind the clock, ms, where there is one.
    pub watermark_delay_ms: Option<u64>,
    /// Why it stands still, where its records cannot be read.
    pub refused: Option<String>,
}

#[derive(Debug)]
struct Beat {
    last: Instant,
    has_metadata: bool,
    is_started: bool,
    pending_since: Option<Instant>,
    /// What stands against its work now; mended without a restart.
    fault: Option<String>,
    /// What goes on and is wrong all the same, by what it is about.
    degraded: BTreeMap<String, String>,
    partitions: BTreeMap<Partition, PartitionHealth>,
}

#[derive(Debug, Default)]
struct State {
    workers: BTreeMap<String, Beat>,
    fatal: Option<String>,
    is_stopping: bool,
}

/// The shared state behind the health endpoints. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<State>>);

/// What one worker says. It is gone from the state when dropped.
#[derive(Debug)]
pub struct Worker {
    health: Health,
    name: String,
}

/// The answer to one question: what stands against it. Nothing means yes.
pub type Faults = Vec<String>;

impl Health {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a worker, e.g. `correlate-0`.
    #[must_use]
    pub fn worker(&self, name: impl Into<String>) -> Worker {
        let name = name.into();
        let beat = Beat {
            last: clock::monotonic(),
            has_metadata: false,
            is_started: false,
            pending_since: None,
            fault: None,
            degraded: BTreeMap::new(),
            partitions: BTreeMap::new(),
        };
        self.lock().workers.insert(name.clone(), beat);
        let health = self.clone();
        Worker { health, name }
    }

    /// Something that only a restart mends: not live any more.
    pub fn fatal(&self, what: impl Into<String>) {
        self.lock().fatal = Some(what.into());
    }

    /// The process is draining: not ready any more, so that no new request comes.
    pub fn stopping(&self) {
        self.lock().is_stopping = true;
    }

    /// Whether the process should go on living.
    #[must_use]
    pub fn live(&self) -> Faults {
        self.live_at(clock::monotonic())
    }

    /// Whether it can do its work.
    #[must_use]
    pub fn ready(&self) -> Faults {
        self.ready_at(clock::monotonic())
    }

    /// Whether every worker had its first assignment.
    #[must_use]
    pub fn started(&self) -> Faults {
        let state = self.lock();
        let waiting = state.workers.iter().filter(|(_, beat)| !beat.is_started);
        let mut faults: Faults = waiting
            .map(|(name, _)| format!("{name}: no assignment yet"))
            .collect();
        if state.workers.is_empty() {
            faults.push("no worker yet".to_owned());
        }
        faults
    }

    fn live_at(&self, now: Instant) -> Faults {
        let state = self.lock();
        let mut faults: Faults = state.fatal.iter().cloned().collect();
        for (name, beat) in &state.workers {
            let silent = now.saturating_duration_since(beat.last);
            if silent >= HEARTBEAT_MAX {
                faults.push(format!("{name}: silent for {} s", silent.as_secs()));
            }
        }
        faults
    }

    fn ready_at(&self, now: Instant) -> Faults {
        let mut faults = self.live_at(now);
        faults.extend(self.started());
        let state = self.lock();
        if state.is_stopping {
            faults.push("stopping".to_owned());
        }
        for (name, beat) in &state.workers {
            if !beat.has_metadata {
                faults.push(format!("{name}: no metadata of the brokers yet"));
            }
            faults.extend(beat.fault.iter().map(|fault| format!("{name}: {fault}")));
            let mut restoring = 0;
            for (partition, p) in &beat.partitions {
                match &p.refused {
                    Some(why) => faults.push(format!("{name}: {partition} refused: {why}")),
                    None => restoring += usize::from(!p.is_restored),
                }
            }
            if restoring > 0 {
                faults.push(format!("{name}: {restoring} partitions not restored"));
            }
            let age = beat.pending_since.map(|s| now.saturating_duration_since(s));
            if let Some(age) = age.filter(|age| *age >= COMMIT_AGE_MAX) {
                faults.push(format!("{name}: nothing committed for {} s", age.as_secs()));
            }
        }
        faults
    }

    /// Everything, as JSON, for `/status`. It names topics and threads, nothing of any person.
    #[must_use]
    pub fn status(&self) -> String {
        self.status_at(clock::monotonic())
    }

    fn status_at(&self, now: Instant) -> String {
        let (live, ready) = (self.live_at(now), self.ready_at(now));
        let started = self.started();
        let state = self.lock();
        let workers: BTreeMap<&str, serde_json::Value> = state
            .workers
            .iter()
            .map(|(name, beat)| (name.as_str(), beat.json(now)))
            .collect();
        serde_json::json!({
            "live": live.is_empty(), "ready": ready.is_empty(), "started": started.is_empty(),
            "faults": ready, "degraded": state.degraded(), "workers": workers,
        })
        .to_string()
    }
}

impl State {
    /// What goes on and is wrong all the same.
    fn degraded(&self) -> Vec<String> {
        let of = |(name, beat): (&String, &Beat)| {
            let told = beat.degraded.values();
            told.map(|what| format!("{name}: {what}"))
                .collect::<Vec<_>>()
        };
        self.workers.iter().flat_map(of).collect()
    }
}

impl Beat {
    fn json(&self, now: Instant) -> serde_json::Value {
        let ms = |since: Instant| {
            u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX)
        };
        let partitions = self.partitions.iter();
        let partitions: BTreeMap<String, serde_json::Value> = partitions
            .map(|(partition, p)| {
                let told = serde_json::json!({
                    "restored": p.is_restored, "restored_records": p.restored_records,
                    "lag_records": p.lag_records, "watermark_delay_ms": p.watermark_delay_ms,
                    "refused": p.refused,
                });
                (partition.to_string(), told)
            })
            .collect();
        serde_json::json!({
            "silent_ms": ms(self.last), "started": self.is_started, "metadata": self.has_metadata,
            "uncommitted_ms": self.pending_since.map(ms), "partitions": partitions,
        })
    }
}

impl Worker {
    fn with(&self, change: impl FnOnce(&mut Beat)) {
        if let Some(beat) = self.health.lock().workers.get_mut(&self.name) {
            change(beat);
        }
    }

    /// Still here. Once per cycle.
    pub fn beat(&self) {
        self.with(|beat| beat.last = clock::monotonic());
    }

    /// The brokers answered.
    pub fn metadata_seen(&self) {
        self.with(|beat| beat.has_metadata = true);
    }

    /// The first assignment is there, if only an empty one.
    pub fn started(&self) {
        self.with(|beat| {
            beat.has_metadata = true;
            beat.is_started = true;
        });
    }

    /// What stands against its work now; `None` once it is mended.
    pub fn set_fault(&self, fault: Option<String>) {
        self.with(|beat| beat.fault = fault);
    }

    /// What goes on and is wrong all the same; `None` once it is right again.
    pub fn set_degraded(&self, about: &str, what: Option<String>) {
        self.with(|beat| match what {
            Some(what) => drop(beat.degraded.insert(about.to_owned(), what)),
            None => drop(beat.degraded.remove(about)),
        });
    }

    /// What is to be known of all of its partitions: it has no others.
    pub fn partitions(&self, partitions: BTreeMap<Partition, PartitionHealth>) {
        self.with(|beat| beat.partitions = partitions);
    }

    /// What is to be known of one of its partitions.
    pub fn partition(&self, partition: &Partition, health: PartitionHealth) {
        self.with(|beat| {
            beat.partitions.insert(partition.clone(), health);
        });
    }

    /// Something is gathered that is not committed. Repeating it does not move the beginning.
    pub fn commit_pending(&self) {
        self.with(|beat| {
            beat.pending_since.get_or_insert_with(clock::monotonic);
        });
    }

    /// Everything gathered is committed.
    pub fn committed(&self) {
        self.with(|beat| beat.pending_since = None);
    }

    /// Something that only a restart mends.
    pub fn fatal(&self, what: &str) {
        self.health.fatal(format!("{}: {what}", self.name));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.health.lock().workers.remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> Partition {
        Partition::new("deskwarden.events.v1", 3)
    }

    fn restored() -> PartitionHealth {
        PartitionHealth {
            is_restored: true,
            ..PartitionHealth::default()
        }
    }

    #[test]
    fn readiness_waits_for_assignment_and_restore() {
        let health = Health::default();
        assert_eq!(health.started(), ["no worker yet"]);
        let worker = health.worker("correlate-0");
        assert!(health.live().is_empty());
        assert_eq!(health.ready().len(), 2);
        worker.started();
        worker.partition(&partition(), PartitionHealth::default());
        assert_eq!(health.ready(), ["correlate-0: 1 partitions not restored"]);
        worker.partition(&partition(), restored());
        assert!(health.ready().is_empty() && health.started().is_empty());
        worker.set_fault(Some("events 32, state 16 partitions".into()));
        assert_eq!(
            health.ready(),
            ["correlate-0: events 32, state 16 partitions"]
        );
        worker.set_fault(None);
        let refused = PartitionHealth {
            refused: Some("version 9".into()),
            ..PartitionHealth::default()
        };
        worker.partition(&partition(), refused);
        assert_eq!(
            health.ready(),
            ["correlate-0: deskwarden.events.v1/3 refused: version 9"]
        );
        worker.partition(&partition(), restored());
        health.stopping();
        assert_eq!(health.ready(), ["stopping"]);
        assert!(health.live().is_empty());
    }

    #[test]
    fn silence_ends_life_and_old_gatherings_end_readiness() {
        let health = Health::default();
        let worker = health.worker("collect-0");
        worker.started();
        worker.commit_pending();
        let now = clock::monotonic();
        assert!(health.ready_at(now).is_empty());
        let late = now + HEARTBEAT_MAX + Duration::from_secs(1);
        assert_eq!(health.live_at(late).len(), 1);
        worker.beat();
        let later = now + COMMIT_AGE_MAX + Duration::from_secs(1);
        let stale = |faults: &Faults| faults.iter().any(|f| f.contains("nothing committed"));
        assert!(stale(&health.ready_at(later)));
        worker.committed();
        assert!(!stale(&health.ready_at(later)));
    }

    #[test]
    fn a_fatal_error_is_the_end() {
        let health = Health::default();
        let worker = health.worker("collect-0");
        worker.fatal("the producer is fenced");
        assert_eq!(health.live(), ["collect-0: the producer is fenced"]);
        drop(worker);
        assert_eq!(health.started(), ["no worker yet"]);
    }

    #[test]
    fn the_status_names_every_partition() {
        let health = Health::default();
        let worker = health.worker("correlate-0");
        worker.started();
        worker.partition(&partition(), restored());
        worker.commit_pending();
        let status: serde_json::Value = serde_json::from_str(&health.status()).unwrap();
        assert_eq!(status["ready"], true);
        let told = &status["workers"]["correlate-0"];
        assert_eq!(
            told["partitions"]["deskwarden.events.v1/3"]["restored"],
            true
        );
        assert!(told["uncommitted_ms"].is_u64());
        worker.partitions(BTreeMap::new());
        assert!(!health.status().contains("events.v1/3"));
        worker.set_degraded("okta", Some("nearly everything is a dead letter".into()));
        let status: serde_json::Value = serde_json::from_str(&health.status()).unwrap();
        assert_eq!(
            status["degraded"][0],
            "correlate-0: nearly everything is a dead letter"
        );
        assert_eq!(status["ready"], true, "it goes on");
        worker.set_degraded("okta", None);
        assert!(health.status().contains("\"degraded\":[]"));
    }
}
