//! A small deployment: the engine of one partition, and the alert of every revision it publishes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use deskwarden::collect::block::SourceWatermark;
use deskwarden::collect::entity::{Entity, EntityKind, copies};
use deskwarden::collect::event::*;
use deskwarden::collect::time::{DAY_MS, SECOND_MS, Timestamp};
use deskwarden::correlate::alert::{Alert, Given};
use deskwarden::correlate::case::Revision;
use deskwarden::correlate::contact::ContactState;
use deskwarden::correlate::control::SourceDeclared;
use deskwarden::correlate::engine::{self, Effects, Engine, Setup};
use deskwarden::correlate::entity_state::EntityState;
use deskwarden::correlate::exempt::{InForce, control};
use deskwarden::correlate::fact::Fact;
use deskwarden::correlate::ocsf;
use deskwarden::correlate::relay::Relay;
use deskwarden::correlate::rules::{self, RuleSet, rule::Evidence};
use deskwarden::correlate::ticket::{self, TicketState};
use deskwarden::correlate::view::View;

use crate::support::timeline::parse;
use deskwarden::correlate::rules::story::START;

pub const EVIDENCE: [Evidence; 4] = [
    Evidence::Ticket,
    Evidence::Verify,
    Evidence::Callback,
    Evidence::Approval,
];
const TOPIC: &str = "story";

/// One published revision: its alert and the bytes of its record.
#[derive(Debug, Clone)]
pub struct Published {
    pub entity: Entity,
    pub alert: Alert,
    pub bytes: Vec<u8>,
}

impl Published {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }
}

pub struct World {
    pub engine: Engine,
    pub rules: Arc<RuleSet>,
    pub in_force: InForce,
    pub log_ts: Timestamp,
    pub published: Vec<Published>,
}

/// The events of a story, with names as `collect` stamps them: keyed values, masked forms.
pub fn events(story: &str) -> Vec<Event> {
    let mut events = parse(story).events;
    for event in &mut events {
        dress(event);
    }
    events
}

fn dress(event: &mut Event) {
    event.source.system = match event.action.as_str().split('.').next().unwrap() {
        "ticket" | "approval" | "review" => "servicenow".into(),
        "contact" | "callback" | "verify" => "amazon_connect".into(),
        _ => "okta".into(),
    };
    event.source.topic = format!("{}.events", event.source.system).into();
    event.source.partition = 3;
    let roles = [
        &mut event.target,
        &mut event.requester,
        &mut event.agent,
        &mut event.approver,
    ];
    for role in roles.into_iter().flatten() {
        let name = role.identity.clone().unwrap_or_default().to_lowercase();
        role.handles.push(Handle {
            kind: HandleKind::Email,
            value: format!("canary-{name}@example.com").into(),
            masked: Some(format!("{}…@example.com", &name[..1]).into()),
            issuer: None,
        });
    }
    if let Some(ani) = event.phone.as_mut().and_then(|phone| phone.ani.as_mut()) {
        ani.masked = Some("+1•••0100".into());
    }
    if let Some(ticket) = &mut event.ticket_ref {
        ticket.key = Some(format!("INC-{}", ticket.id).into());
        ticket.kind = Some("incident".into());
    }
    if event.device.is_some() {
        let network = event.network.get_or_insert_with(Box::default);
        network.ip = Some("keyed-address".into());
        network.ip_masked = Some("203.0.113.•".into());
    }
}

impl World {
    pub fn new() -> Self {
        let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
        let rules = Arc::new(rules);
        let mut engine = Engine::new(Arc::new(Setup::new("acme", Arc::clone(&rules))));
        engine.declare(
            "story",
            Some(&SourceDeclared::new("story", TOPIC, &EVIDENCE)),
        );
        Self {
            engine,
            rules,
            in_force: InForce::new(),
            log_ts: START,
            published: Vec::new(),
        }
    }

    /// A whole story, its obligations decided at its end.
    pub fn told(story: &str) -> Self {
        let mut world = Self::new();
        for event in events(story) {
            world.take(&event);
        }
        world.pass(START.plus(DAY_MS));
        world
    }

    pub fn permit(&mut self, id: &str, json: &str) {
        self.in_force
            .put(id, control(id, json.as_bytes()).unwrap())
            .unwrap();
    }

    /// An event arrives; what it causes is published.
    pub fn take(&mut self, event: &Event) {
        self.log_ts = self.log_ts.plus(SECOND_MS);
        let mut effects = Effects::default();
        self.engine.advance(self.log_ts, &mut effects);
        for entity in copies(event) {
            self.engine.handle_event(&entity, event, &mut effects);
        }
        self.apply(effects);
    }

    /// The sources have passed a moment.
    pub fn pass(&mut self, watermark: Timestamp) {
        self.engine.handle_watermarks(&[SourceWatermark {
            topic: TOPIC.into(),
            partition: 0,
            domains: Vec::new(),
            watermark,
            at_end: false,
        }]);
        self.log_ts = self.log_ts.plus(60 * SECOND_MS);
        let mut effects = Effects::default();
        self.engine.advance(self.log_ts, &mut effects);
        self.apply(effects);
    }

    fn apply(&mut self, effects: Effects) {
        self.publish(&effects.alerts);
        let mut relays: VecDeque<(Entity, Relay)> = effects.relays.into();
        while let Some((to, relay)) = relays.pop_front() {
            let mut effects = Effects::default();
            self.engine.handle_relay(&to, relay, &mut effects);
            self.publish(&effects.alerts);
            relays.extend(effects.relays);
        }
    }

    fn publish(&mut self, alerts: &[engine::Published]) {
        for engine::Published {
            entity, revision, ..
        } in alerts
        {
            let alert = self.alert(entity, revision);
            let bytes = ocsf::encode(&alert);
            self.published.push(Published {
                entity: entity.clone(),
                alert,
                bytes,
            });
        }
    }

    /// The alert of a revision.
    pub fn alert(&self, entity: &Entity, revision: &Revision) -> Alert {
        let known = self.known(entity);
        let view = known.view(entity);
        let relayed: Vec<&Fact> = known
            .state
            .pivot_findings
            .values()
            .flat_map(|pivot| &pivot.facts)
            .collect();
        Alert::of(&Given {
            tenant: "acme",
            topic: "deskwarden.alerts.v1",
            page: Some("https://desk.example.com"),
            rules: self.rules.rules(),
            in_force: &self.in_force,
            declared: &EVIDENCE,
            entity,
            view: &view,
            relayed: &relayed,
            revision,
            late: false,
            bounds: &[],
        })
    }

    pub fn known(&self, entity: &Entity) -> Known {
        let state = self.engine.state(entity).unwrap().unwrap_or_default();
        let contacts = state.contacts.values().cloned().collect();
        let tickets = if entity.kind == EntityKind::Ticket {
            ticket::fold(state.window.facts()).into_iter().collect()
        } else {
            state.tickets.values().cloned().collect()
        };
        Known {
            state,
            contacts,
            tickets,
        }
    }

    /// The last revision of an entity.
    pub fn last(&self, kind: EntityKind, id: &str) -> &Published {
        let entity = Entity::new(kind, id);
        let of = |published: &&Published| published.entity == entity;
        self.published.iter().rfind(of).expect("a revision")
    }

    /// The last revision of every entity.
    pub fn newest(&self) -> BTreeMap<Entity, &Published> {
        let row = |published| -> (Entity, &Published) {
            let published: &Published = published;
            (published.entity.clone(), published)
        };
        self.published.iter().map(row).collect()
    }
}

/// What is known of one entity.
pub struct Known {
    pub state: EntityState,
    pub contacts: Vec<ContactState>,
    pub tickets: Vec<TicketState>,
}

impl Known {
    pub fn view<'a>(&'a self, entity: &'a Entity) -> View<'a> {
        let kept = if entity.kind == EntityKind::Ticket {
            &[]
        } else {
            self.state.window.facts()
        };
        View::new(
            entity,
            kept,
            &self.contacts,
            &self.tickets,
            &self.state.baseline,
        )
    }
}

pub fn person(id: &str) -> Entity {
    Entity::new(EntityKind::Identity, id)
}
