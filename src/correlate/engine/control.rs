//! Control entries as an engine takes them: declared sources, exemptions, silences, verdicts.

use std::sync::Arc;

use crate::collect::block::ControlPlace;
use crate::collect::entity::Entity;
use crate::correlate::audit;
use crate::correlate::control::SourceDeclared;
use crate::correlate::controls::Changed;
use crate::correlate::engine::{Effects, Engine, Touched};
use crate::correlate::entity_state::NEVER_DAY;
use crate::correlate::exempt;
use crate::correlate::judge::{self, Look};
use crate::correlate::state_codec;
use crate::correlate::store::Key;

impl Engine {
    /// A record of the control topic; with its place, if this partition writes its audit record.
    pub fn handle_control(
        &mut self,
        id: &str,
        json: Option<&[u8]>,
        place: Option<&ControlPlace<'_>>,
        effects: &mut Effects,
    ) {
        self.touch_partition();
        // What is written again, or takes nothing back, decides nothing.
        let held = self.controls.records().get(id).map(Vec::as_slice);
        let place = place.filter(|_| held != json);
        let changed = Arc::make_mut(&mut self.controls).put(id, json);
        if let Some(place) = place.filter(|_| changed != Changed::Refused) {
            let entry = json.and_then(|json| exempt::control(id, json).ok());
            let record = audit::decided(id, json, entry.as_ref(), place);
            effects.audits.push(record);
        }
        match changed {
            Changed::Nothing | Changed::Assigned(_) => {}
            Changed::Refused => self.counts.control_ignored += 1,
            Changed::Sources => self.partition.declare(self.controls.sources()),
            Changed::Exemptions => {
                for entity in self.open_cases() {
                    self.look_again(&entity, effects);
                }
            }
            Changed::Disposed(disposition) => {
                let entity = disposition.entity.clone();
                let holds = self
                    .state(&entity)
                    .is_ok_and(|s| s.is_some_and(|s| s.is_open()));
                if holds {
                    self.update(&entity, effects, |state, setting, effects| {
                        judge::dispose(state, &entity, setting, &disposition, effects);
                    });
                }
            }
        }
        self.seal(effects);
    }

    /// Declares a source, or takes its declaration back.
    pub fn declare(&mut self, name: &str, source: Option<&SourceDeclared>) {
        self.touch_partition();
        let controls = Arc::make_mut(&mut self.controls);
        match source {
            Some(source) => controls.declare(source),
            None => {
                controls.put(&format!("source/{name}"), None);
            }
        }
        self.partition.declare(self.controls.sources());
    }

    /// Entities with an open case or obligation, in order.
    fn open_cases(&self) -> Vec<Entity> {
        let open = |record: &[u8]| {
            state_codec::glimpse(record).is_some_and(|seen| seen.expires_day == NEVER_DAY)
        };
        let mut keys = self.store.select(open);
        let touched = self.cycle.iter();
        let touched = touched.filter(|(_, touched)| match touched {
            Touched::State(state) => state.is_open(),
            Touched::Record(_) | Touched::Nothing => false,
        });
        keys.extend(touched.map(|(key, _)| key.clone()));
        keys.sort_unstable();
        keys.dedup();
        keys.iter().filter_map(Key::entity).collect()
    }

    fn look_again(&mut self, entity: &Entity, effects: &mut Effects) {
        self.update(entity, effects, |state, setting, effects| {
            let patterns = setting.setup.rules.all(entity.kind);
            let look = Look {
                patterns,
                cause: None,
            };
            judge::judge(state, entity, setting, look, effects);
        });
    }
}
