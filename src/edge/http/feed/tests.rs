//! Clients that come and go, lag and change instances: whatever happens, each is given every event
//! once. Two instances read one topic at their own pace, each with its own order of the partitions.

use super::*;
use crate::collect::time::Timestamp;
use crate::edge::health::Health;
use crate::edge::log::ProduceRecord;
use crate::edge::log::memory::{MemberSettings, MemoryBroker, MemoryLog};
use crate::edge::metrics::registry;
use crate::edge::read_model::ReadModel;
use crate::edge::stages::deliver::{Deliver, DeliverParts};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

const TOPIC: &str = "alerts";
const PARTITIONS: i32 = 3;
/// So few that clients fall behind all the time.
const QUEUE_MAX: usize = 8;

struct Instance {
    feed: Feed,
    deliver: Deliver<MemoryLog>,
}

impl Instance {
    fn start(broker: &MemoryBroker, name: &str) -> Self {
        let metrics = DeliverMetrics::register(&registry().unwrap()).unwrap();
        let mut feed = Feed::new(QUEUE_MAX, metrics.clone());
        feed.pace = Duration::ZERO;
        let log = broker.connect(MemberSettings {
            group: name.to_owned(),
            instance: None,
            transactional_id: name.to_owned(),
            topics: Vec::new(),
        });
        let parts = DeliverParts {
            topic: TOPIC.into(),
            model: Arc::new(ReadModel::new(10_000)),
            feed: feed.clone(),
            metrics,
        };
        let deliver = Deliver::new(log, parts, Health::default().worker("deliver-0"));
        let mut instance = Self { feed, deliver };
        instance.cycles(3);
        assert!(instance.feed.is_filled());
        instance
    }

    fn cycles(&mut self, count: usize) {
        for _ in 0..count {
            self.deliver.cycle().unwrap();
        }
    }
}

struct Client {
    wish: Wish,
    instance: usize,
    subscription: Subscription,
    /// Where it began, and the id it saw last.
    start: Place,
    last: Place,
    seen: Vec<String>,
    gaps: usize,
}

impl Client {
    fn start(instances: &[Instance], number: usize, format: Format) -> Self {
        // Half of them want all, half the severe ones.
        let all: &[(&str, &str)] = &[];
        let wants = [all, &[("severity", "high,critical")]][usize::from(number > 2)];
        let filter = Filter::read(wants.iter().copied()).unwrap();
        let wish = Wish { filter, format };
        let instance = number % 2;
        let subscription = instances[instance].feed.subscribe(wish.clone(), None);
        let subscription = subscription.unwrap();
        let start = subscription.place().clone();
        Self {
            wish,
            instance,
            subscription,
            last: start.clone(),
            start,
            seen: Vec::new(),
            gaps: 0,
        }
    }

    fn move_to(&mut self, instances: &[Instance], instance: usize) {
        self.instance = instance;
        let feed = &instances[instance].feed;
        let from = Some(self.last.clone());
        self.subscription = feed.subscribe(self.wish.clone(), from).unwrap();
    }

    /// Takes at most so many pieces; whether there was none.
    fn take(&mut self, instances: &[Instance], pieces: usize) -> bool {
        for taken in 0..pieces {
            let mut context = Context::from_waker(Waker::noop());
            match self.subscription.poll_frames(&mut context) {
                Poll::Ready(Some(frames)) => self.read(&frames),
                // Cut off: it comes back at once.
                Poll::Ready(None) => self.move_to(instances, self.instance),
                Poll::Pending => return taken == 0,
            }
        }
        false
    }

    fn read(&mut self, frames: &[u8]) {
        let text = std::str::from_utf8(frames).unwrap();
        match self.wish.format {
            Format::Sse => {
                for event in text.split_terminator("\n\n") {
                    let field = |name: &str| {
                        let found = event.lines().find_map(|line| line.strip_prefix(name));
                        found.unwrap().to_owned()
                    };
                    self.event(&field("event: "), &field("id: "), &field("data: "));
                }
            }
            Format::Lines => {
                for line in text.lines() {
                    let event: serde_json::Value = serde_json::from_str(line).unwrap();
                    let field = |name: &str| event[name].as_str().unwrap();
                    self.event(field("event"), field("id"), &event["alert"].to_string());
                }
            }
        }
    }

    fn event(&mut self, name: &str, id: &str, document: &str) {
        self.last = id.parse().unwrap();
        if name == "gap" {
            self.gaps += 1;
            return;
        }
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        let uid = document["finding_info"]["uid"].as_str().unwrap();
        self.seen.push(uid.to_owned());
    }
}

/// Everything that was ever written: partition, offset, severity; and `None` where no alert lies.
#[derive(Default)]
struct World {
    broker: MemoryBroker,
    written: Vec<(i32, i64, Option<u8>)>,
}

impl World {
    fn write(&mut self, partition: i32, severity: Option<u8>) {
        let id = format!("{partition}/{}", self.written.len());
        let document = severity.map(|severity| document(&id, severity));
        let record = ProduceRecord {
            topic: TOPIC,
            partition,
            key: Some(id.as_bytes()),
            headers: &[],
            value: document.as_deref(),
        };
        let offset = self.broker.append(&record, Timestamp(0)).unwrap();
        self.written.push((partition, offset, severity));
    }

    /// What a client has to have seen, partition by partition.
    fn expected(&self, client: &Client) -> BTreeMap<i32, Vec<String>> {
        let severities = if client.wish.filter == Filter::default() {
            1..=5
        } else {
            4..=5
        };
        let mut expected: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for (n, (partition, offset, severity)) in self.written.iter().enumerate() {
            let is_wanted = severity.is_some_and(|s| severities.contains(&s));
            if is_wanted && *offset >= client.start.next(*partition) {
                let of_partition = expected.entry(*partition).or_default();
                of_partition.push(format!("{partition}/{n}"));
            }
        }
        expected
    }
}

fn document(id: &str, severity: u8) -> Vec<u8> {
    let document = serde_json::json!({
        "activity_id": 1, "class_uid": 2004, "time": 1, "severity_id": severity, "risk_score": 71,
        "status_id": 1, "metadata": {"uid": format!("{id}:1"), "sequence": 1},
        "finding_info": {"uid": id, "types": ["sequence"], "analytic": {"uid": "HDT-04"}},
        "resources": [{"uid": "id", "name": "a", "type": "identity", "criticality": "executive"}],
    });
    serde_json::to_vec(&document).unwrap()
}

fn by_partition(seen: &[String]) -> BTreeMap<i32, Vec<String>> {
    let mut found: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for uid in seen {
        let partition = uid.split_once('/').unwrap().0.parse().unwrap();
        found.entry(partition).or_default().push(uid.clone());
    }
    found
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// An alert, or a record that is none.
    Write(i32, Option<u8>),
    /// An instance works.
    Cycle(usize),
    /// A client takes some pieces.
    Take(usize, usize),
    /// A client goes to an instance with the last id that it saw.
    Move(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..PARTITIONS, proptest::option::weighted(0.9, 1u8..=5))
            .prop_map(|(partition, severity)| Step::Write(partition, severity)),
        3 => (0..2usize).prop_map(Step::Cycle),
        3 => (0..6usize, 1..6usize).prop_map(|(client, pieces)| Step::Take(client, pieces)),
        1 => (0..6usize, 0..2usize).prop_map(|(client, to)| Step::Move(client, to)),
    ]
}

fn live(steps: &[Step]) -> usize {
    let mut world = World::default();
    world.broker.create_topic(TOPIC, PARTITIONS);
    (0..4).for_each(|n| world.write(n % PARTITIONS, Some(4)));
    let mut instances = ["a", "b"].map(|name| Instance::start(&world.broker, name));
    let formats = [Format::Sse, Format::Lines].into_iter().cycle();
    let mut clients: Vec<Client> = (0..6)
        .zip(formats)
        .map(|(n, format)| Client::start(&instances, n, format))
        .collect();
    for step in steps {
        match *step {
            Step::Write(partition, severity) => world.write(partition, severity),
            Step::Cycle(instance) => instances[instance].cycles(1),
            Step::Take(client, pieces) => {
                clients[client].take(&instances, pieces);
            }
            Step::Move(client, to) => clients[client].move_to(&instances, to),
        }
    }
    // Everybody takes what is left, at its own pace: until nobody is given anything any more.
    let mut quiet = 0;
    while quiet < 5 {
        instances.iter_mut().for_each(|instance| instance.cycles(1));
        let idle = clients.iter_mut().map(|c| c.take(&instances, 3));
        let idle = idle.filter(|idle| *idle).count();
        quiet = if idle == clients.len() { quiet + 1 } else { 0 };
    }
    for client in &clients {
        assert_eq!(by_partition(&client.seen), world.expected(client));
    }
    clients.iter().map(|client| client.gaps).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn each_is_given_every_event_once(steps in proptest::collection::vec(step(), 1..400)) {
        live(&steps);
    }
}

#[test]
fn a_client_that_takes_nothing_is_told_where_to_go_on() {
    let mut steps = Vec::new();
    for n in 0..200 {
        steps.push(Step::Write(n % PARTITIONS, Some(4)));
        steps.push(Step::Cycle(0));
    }
    assert!(
        live(&steps) >= 3,
        "those of the first instance were cut off"
    );
}
