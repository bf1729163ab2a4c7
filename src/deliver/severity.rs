//! How severe an alert is, in the words of each receiver. The only such table.

/// A severity in every vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Severity {
    /// OCSF `severity_id`.
    pub id: u8,
    /// Our word.
    pub name: &'static str,
    /// PagerDuty Events v2 `payload.severity`.
    pub pagerduty: &'static str,
    /// Alertmanager label `severity`.
    pub alertmanager: &'static str,
    /// JSM Operations `priority`.
    pub jsm: &'static str,
    /// ServiceNow Event Management `severity`.
    pub servicenow: u8,
    /// CEF `Severity`, 0–10.
    pub cef: u8,
    /// Syslog severity, RFC 5424 §6.2.1.
    pub syslog: u8,
    /// Sentinel ASIM `EventSeverity`.
    pub asim: &'static str,
    /// CAEP and Okta risk level; none where nothing is to be told.
    pub caep: Option<&'static str>,
}

/// `severity_id` of what is published but never delivered.
pub const INFORMATIONAL: u8 = 1;
/// The least `severity_id` that is delivered.
pub const LOW: u8 = 2;
/// The highest `severity_id`.
pub const CRITICAL: u8 = 5;

/// In rising order; the place + 1 is the `severity_id`.
pub const TABLE: [Severity; 5] = [
    Severity {
        id: 1,
        name: "informational",
        pagerduty: "info",
        alertmanager: "info",
        jsm: "P5",
        servicenow: 5,
        cef: 2,
        syslog: 6,
        asim: "Informational",
        caep: None,
    },
    Severity {
        id: 2,
        name: "low",
        pagerduty: "warning",
        alertmanager: "warning",
        jsm: "P4",
        servicenow: 4,
        cef: 3,
        syslog: 5,
        asim: "Low",
        caep: Some("LOW"),
    },
    Severity {
        id: 3,
        name: "medium",
        pagerduty: "warning",
        alertmanager: "warning",
        jsm: "P3",
        servicenow: 3,
        cef: 5,
        syslog: 4,
        asim: "Medium",
        caep: Some("MEDIUM"),
    },
    Severity {
        id: 4,
        name: "high",
        pagerduty: "error",
        alertmanager: "critical",
        jsm: "P2",
        servicenow: 2,
        cef: 8,
        syslog: 3,
        asim: "High",
        caep: Some("HIGH"),
    },
    Severity {
        id: 5,
        name: "critical",
        pagerduty: "critical",
        alertmanager: "critical",
        jsm: "P1",
        servicenow: 1,
        cef: 10,
        syslog: 2,
        asim: "High",
        caep: Some("HIGH"),
    },
];

/// The row of a `severity_id`. What is outside 1–5 is taken for the nearest.
#[must_use]
pub const fn of(severity_id: u8) -> &'static Severity {
    let [informational, low, medium, high, critical] = &TABLE;
    match severity_id {
        0 | 1 => informational,
        2 => low,
        3 => medium,
        4 => high,
        _ => critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::filter::SEVERITIES;

    #[test]
    fn the_place_is_the_id_and_the_words_are_those_of_the_filters() {
        for (row, (id, name)) in TABLE.iter().zip((1..).zip(SEVERITIES)) {
            assert_eq!((row.id, row.name), (id, name));
            assert_eq!(of(id), row);
        }
        assert_eq!((of(0).id, of(9).id), (1, 5));
    }

    #[test]
    fn no_vocabulary_falls_where_ours_rises() {
        let rank = |word: &str| {
            ["info", "warning", "error", "critical"]
                .iter()
                .position(|w| *w == word)
        };
        for pair in TABLE.windows(2) {
            assert!(rank(pair[0].pagerduty) <= rank(pair[1].pagerduty));
            assert!(rank(pair[0].alertmanager) <= rank(pair[1].alertmanager));
            assert!(pair[0].cef < pair[1].cef && pair[0].syslog > pair[1].syslog);
            assert!(pair[0].servicenow > pair[1].servicenow && pair[0].jsm > pair[1].jsm);
        }
    }
}
