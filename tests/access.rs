//! Who may do what over HTTP: every route with every role, limits, and no token anywhere.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::collections::BTreeSet;

use deskwarden::edge::http::{Access, Credentials, Gate, Limits, Token, served, token_hash};
use deskwarden::edge::log::memory::MemoryBroker;
use serving::{Answer, Serving, Setup, get, request};

#[path = "support/serving.rs"]
mod serving;

const VIEWER: &str = "dw_canary-of-the-viewer";
const ANALYST: &str = "dw_canary-of-the-analyst";
const ADMIN: &str = "dw_canary-of-the-admin";

fn tokens() -> Vec<Token> {
    [
        ("vera", Access::Viewer, VIEWER),
        ("anna", Access::Analyst, ANALYST),
        ("adam", Access::Admin, ADMIN),
    ]
    .map(|(name, access, token)| Token {
        name: name.into(),
        access,
        sha256: token_hash(token),
    })
    .to_vec()
}

fn guarded(limits: Limits) -> Serving {
    let credentials = Credentials {
        tokens: tokens(),
        ..Credentials::default()
    };
    let gate = Gate::new(credentials, limits);
    Serving::guarded(MemoryBroker::default(), Setup::default(), gate)
}

/// Enough for a test that asks all it wants.
const GENEROUS: Limits = Limits {
    requests_per_second: 100_000,
    streams: 1_000,
};

fn authorization(token: &str) -> String {
    format!("Bearer {token}")
}

fn ask(serving: &Serving, line: (&str, &str), token: Option<&str>) -> Answer {
    let value = token.map(authorization);
    let headers: Vec<(&str, &str)> = value
        .iter()
        .map(|value| ("authorization", value.as_str()))
        .collect();
    request(serving.api, line, &headers, b"")
}

fn problem(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    kind.rsplit(':').next().unwrap().to_owned()
}

/// Every route, and the least role that may take it. One that is served and not listed here, or with
/// another role, fails the test.
const MATRIX: [(&str, &str, Access); 29] = [
    ("GET", "/api/v1/alerts", Access::Viewer),
    ("GET", "/api/v1/alerts/{id}", Access::Viewer),
    ("GET", "/api/v1/alerts/{id}/revisions", Access::Viewer),
    ("GET", "/api/v1/alerts/{id}/explain", Access::Viewer),
    ("POST", "/api/v1/alerts/{id}/disposition", Access::Analyst),
    ("PUT", "/api/v1/alerts/{id}/assignee", Access::Analyst),
    ("GET", "/api/v1/assignments", Access::Viewer),
    ("GET", "/api/v1/openapi.json", Access::Viewer),
    ("GET", "/api/v1/me", Access::Viewer),
    ("GET", "/api/v1/identities/{id}", Access::Viewer),
    ("GET", "/api/v1/agents/{id}", Access::Viewer),
    ("GET", "/api/v1/pivots/{kind}/{id}", Access::Viewer),
    ("GET", "/api/v1/search", Access::Viewer),
    ("GET", "/api/v1/patterns", Access::Viewer),
    ("GET", "/api/v1/sources", Access::Viewer),
    ("GET", "/api/v1/pipeline", Access::Viewer),
    ("GET", "/api/v1/audit", Access::Admin),
    ("GET", "/api/v1/config", Access::Admin),
    ("GET", "/api/v1/log-level", Access::Admin),
    ("PUT", "/api/v1/log-level", Access::Admin),
    ("GET", "/api/v1/dead-letters", Access::Admin),
    ("POST", "/api/v1/dead-letters/replay", Access::Admin),
    (
        "GET",
        "/api/v1/records/{topic}/{partition}/{offset}",
        Access::Analyst,
    ),
    ("GET", "/api/v1/silences", Access::Viewer),
    ("POST", "/api/v1/silences", Access::Analyst),
    ("DELETE", "/api/v1/silences/{id}", Access::Analyst),
    ("GET", "/api/v1/exemptions", Access::Viewer),
    ("POST", "/api/v1/exemptions", Access::Analyst),
    ("DELETE", "/api/v1/exemptions/{id}", Access::Analyst),
];
/// Answers without end: its status is looked at, not its body.
const STREAM: (&str, &str, Access) = ("GET", "/api/v1/alerts/stream", Access::Viewer);

#[test]
fn every_route_with_every_role() {
    let listed: BTreeSet<(String, &str, Access)> = MATRIX
        .iter()
        .chain([&STREAM])
        .map(|(method, path, access)| ((*method).to_owned(), *path, *access))
        .collect();
    assert_eq!(served().into_iter().collect::<BTreeSet<_>>(), listed);
    let serving = guarded(GENEROUS);
    for (method, path, least) in MATRIX {
        let path = path.replace("{id}", "a1").replace("{kind}", "ticket");
        let line = (method, path.as_str());
        for wrong in [None, Some("dw_nobody"), Some("")] {
            let answer = ask(&serving, line, wrong);
            assert_eq!(answer.status, 401, "{method} {path} {wrong:?}");
            assert_eq!(problem(&answer), "unauthenticated");
            let scheme = answer.header("www-authenticate");
            assert_eq!(scheme, "Bearer realm=\"deskwarden\"");
        }
        for (has, token) in [
            (Access::Viewer, VIEWER),
            (Access::Analyst, ANALYST),
            (Access::Admin, ADMIN),
        ] {
            let answer = ask(&serving, line, Some(token));
            if has < least {
                assert_eq!(answer.status, 403, "{method} {path} {has:?}");
                assert_eq!(problem(&answer), "forbidden");
            } else {
                let is_refused = matches!(answer.status, 401 | 403 | 405);
                assert!(!is_refused, "{method} {path} {has:?}: {}", answer.status);
            }
        }
    }
    let stream = |token: &str| {
        let value = authorization(token);
        serving.stream("", &[("authorization", &value)]).status
    };
    assert_eq!(serving.stream("", &[]).status, 401);
    assert_eq!(stream("dw_nobody"), 401);
    for token in [VIEWER, ANALYST, ADMIN] {
        assert_eq!(stream(token), 200);
    }
}

#[test]
fn what_is_not_served_says_so_only_to_those_who_are_known() {
    let serving = guarded(GENEROUS);
    for line in [
        ("GET", "/api/v1/none"),
        ("GET", "/api/v2"),
        ("GET", "/metrics"),
        ("POST", "/"),
        ("DELETE", "/ui/main.js"),
        ("POST", "/api/v1/alerts"),
        ("GET", "//ui/main.js"),
        ("GET", "/UI/main.js"),
    ] {
        assert_eq!(ask(&serving, line, None).status, 401, "{line:?}");
        let known = ask(&serving, line, Some(VIEWER)).status;
        assert!(matches!(known, 404 | 405), "{line:?}: {known}");
    }
    let other = ask(&serving, ("DELETE", "/api/v1/silences"), Some(VIEWER));
    assert_eq!(
        (other.status, other.header("allow")),
        (405, "GET,HEAD,POST")
    );
    // The files of the page are for everybody; they hold nothing.
    for path in ["/", "/ui/main.js", "/ui/none.js", "/ui/alerts/9f1c"] {
        let status = ask(&serving, ("GET", path), None).status;
        assert!(matches!(status, 200 | 307 | 404), "{path}: {status}");
    }
    // Health and metrics have their own listener, and ask nobody.
    assert_eq!(get(serving.ops, "/metrics", &[]).status, 200);
}

#[test]
fn a_token_stands_behind_the_word_bearer_and_nowhere_else() {
    let serving = guarded(GENEROUS);
    let status =
        |header: &str, value: &str| get(serving.api, "/api/v1/alerts", &[(header, value)]).status;
    assert_eq!(status("authorization", &authorization(VIEWER)), 200);
    assert_eq!(status("authorization", &format!("bearer {VIEWER}")), 200);
    assert_eq!(status("authorization", VIEWER), 401);
    assert_eq!(status("authorization", &format!("Basic {VIEWER}")), 401);
    assert_eq!(status("cookie", &format!("token={VIEWER}")), 401);
    let query = format!("/api/v1/alerts?token={VIEWER}&access_token={VIEWER}");
    assert_eq!(get(serving.api, &query, &[]).status, 401);
}

#[test]
fn a_client_that_asks_too_much_is_told_when_to_ask_again() {
    let serving = guarded(Limits::default());
    let ask_one = |token| ask(&serving, ("GET", "/api/v1/alerts"), token);
    // A quarter more than a second's worth, and a machine may need several seconds for them.
    let mut refused = None;
    for _ in 0..5_000 {
        let answer = ask_one(Some(VIEWER));
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200);
    }
    let refused = refused.unwrap();
    assert_eq!(problem(&refused), "too-many");
    assert_eq!(refused.header("retry-after"), "1");
    // Others at the same address are not held up, nor is who has no token yet.
    assert_eq!(ask_one(Some(ANALYST)).status, 200);
    assert_eq!(ask_one(None).status, 401);
}

#[test]
fn guessing_is_limited_too() {
    let serving = guarded(Limits {
        requests_per_second: 5,
        streams: 1,
    });
    let statuses: BTreeSet<u16> = (0..200)
        .map(|n| {
            let guess = format!("dw_{n}");
            ask(&serving, ("GET", "/api/v1/alerts"), Some(&guess)).status
        })
        .collect();
    assert_eq!(statuses, [401, 429].into());
}

#[test]
fn a_client_has_so_many_streams() {
    let serving = guarded(Limits::default());
    let open = |token: &str| {
        let value = authorization(token);
        serving.stream("", &[("authorization", &value)])
    };
    let many: Vec<_> = (0..10).map(|_| open(VIEWER)).collect();
    assert!(many.iter().all(|stream| stream.status == 200));
    let refused = open(VIEWER);
    assert_eq!(refused.status, 429);
    assert!(
        refused
            .headers
            .iter()
            .any(|(name, _)| name == "retry-after")
    );
    assert_eq!(open(ANALYST).status, 200);
    drop(many);
    // The server notices when it next writes, or the connection ends: that takes a moment.
    let opens_again = (0..10_000).any(|_| open(VIEWER).status == 200);
    assert!(opens_again);
}

#[test]
fn who_asks_is_asked_where_the_host_may_be_any() {
    let serving = guarded(GENEROUS);
    let value = authorization(VIEWER);
    let headers = [("host", "desk.example.com"), ("authorization", &value)];
    assert_eq!(get(serving.api, "/api/v1/alerts", &headers).status, 200);
}

#[test]
fn no_token_is_in_status_or_metrics() {
    let serving = guarded(GENEROUS);
    for token in [VIEWER, ANALYST, ADMIN, "dw_canary-of-nobody"] {
        ask(&serving, ("GET", "/api/v1/alerts"), Some(token));
        let path = format!("/api/v1/alerts/{token}");
        ask(&serving, ("GET", &path), None);
    }
    for path in ["/metrics", "/status", "/readyz"] {
        let text = get(serving.ops, path, &[]).text();
        assert!(!text.contains("canary"), "{path}: {text}");
    }
}
