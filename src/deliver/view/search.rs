//! Search: a word in ids, names and titles.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::deliver::alert::AlertRecord;
use crate::deliver::mention::{Kind, Mention};
use crate::deliver::trail::Trail;

/// Results of one answer.
const RESULTS_MAX: usize = 50;

/// One of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// `alert`, or the kind of what alerts or audit records mention.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// The name under which people know it; empty where there is none.
    pub name: String,
    /// Of an alert its title.
    pub detail: String,
}

/// What holds a word in its id, name or title, in any case; what is it or begins with it stands first.
/// Alerts are given newest first.
#[must_use]
pub fn search(trail: &Trail, alerts: &[&AlertRecord], word: &str) -> Vec<Found> {
    let word = word.trim().to_lowercase();
    // 0 the id itself, 1 its begin, 2 anywhere.
    let rank = |texts: [&str; 3]| {
        let place = |text: &str| {
            let text = text.to_lowercase();
            match text.find(&word)? {
                0 if text.len() == word.len() => Some(0_u8),
                0 => Some(1),
                _ => Some(2),
            }
        };
        texts.into_iter().filter_map(place).min()
    };
    let mut found: Vec<(u8, Found)> = Vec::new();
    for alert in alerts {
        let name = &alert.subject.name;
        if let Some(rank) = rank([&alert.id, name, &alert.title]) {
            let one = Found {
                kind: "alert",
                id: alert.id.clone(),
                name: name.clone(),
                detail: alert.title.clone(),
            };
            found.push((rank, one));
        }
    }
    let mut mentioned: BTreeMap<(Kind, String), String> = BTreeMap::new();
    let subjects = alerts.iter().filter_map(|alert| {
        Some(Mention {
            kind: alert.subject.kind.parse().ok()?,
            id: alert.subject.id.clone(),
            name: alert.subject.name.clone(),
        })
    });
    let named = alerts
        .iter()
        .flat_map(|alert| alert.mentions.iter().cloned());
    for Mention { kind, id, name } in subjects.chain(named).chain(trail.mentions()) {
        if rank([&id, &name, ""]).is_some() {
            let known = mentioned.entry((kind, id)).or_default();
            if known.is_empty() {
                *known = name;
            }
        }
    }
    for ((kind, id), name) in mentioned {
        if let Some(rank) = rank([&id, &name, ""]) {
            let kind = kind.as_str();
            let detail = String::new();
            found.push((
                rank,
                Found {
                    kind,
                    id,
                    name,
                    detail,
                },
            ));
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.truncate(RESULTS_MAX);
    found.into_iter().map(|(_, found)| found).collect()
}
