//! The page: static files, part of the program, so that nothing is asked of the internet.

use super::problem::Problem;
use super::serve::ApiParts;
use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

/// Name, type and content of every file of `ui/`.
const FILES: &[(&str, &str, &[u8])] = &[
    ("index.html", HTML, include_bytes!("../../../ui/index.html")),
    ("icon.svg", SVG, include_bytes!("../../../ui/icon.svg")),
    ("base.css", CSS, include_bytes!("../../../ui/base.css")),
    ("case.css", CSS, include_bytes!("../../../ui/case.css")),
    ("views.css", CSS, include_bytes!("../../../ui/views.css")),
    ("print.css", CSS, include_bytes!("../../../ui/print.css")),
    ("alert.js", JS, include_bytes!("../../../ui/alert.js")),
    ("assign.js", JS, include_bytes!("../../../ui/assign.js")),
    ("audit.js", JS, include_bytes!("../../../ui/audit.js")),
    ("case.js", JS, include_bytes!("../../../ui/case.js")),
    ("decide.js", JS, include_bytes!("../../../ui/decide.js")),
    ("dialog.js", JS, include_bytes!("../../../ui/dialog.js")),
    ("dom.js", JS, include_bytes!("../../../ui/dom.js")),
    ("evidence.js", JS, include_bytes!("../../../ui/evidence.js")),
    ("exempt.js", JS, include_bytes!("../../../ui/exempt.js")),
    ("export.js", JS, include_bytes!("../../../ui/export.js")),
    ("frame.js", JS, include_bytes!("../../../ui/frame.js")),
    ("keep.js", JS, include_bytes!("../../../ui/keep.js")),
    ("keys.js", JS, include_bytes!("../../../ui/keys.js")),
    ("letters.js", JS, include_bytes!("../../../ui/letters.js")),
    ("linked.js", JS, include_bytes!("../../../ui/linked.js")),
    ("list.js", JS, include_bytes!("../../../ui/list.js")),
    ("main.js", JS, include_bytes!("../../../ui/main.js")),
    ("patterns.js", JS, include_bytes!("../../../ui/patterns.js")),
    ("pin.js", JS, include_bytes!("../../../ui/pin.js")),
    ("queue.js", JS, include_bytes!("../../../ui/queue.js")),
    ("record.js", JS, include_bytes!("../../../ui/record.js")),
    ("records.js", JS, include_bytes!("../../../ui/records.js")),
    ("replay.js", JS, include_bytes!("../../../ui/replay.js")),
    ("route.js", JS, include_bytes!("../../../ui/route.js")),
    ("row.js", JS, include_bytes!("../../../ui/row.js")),
    ("search.js", JS, include_bytes!("../../../ui/search.js")),
    ("session.js", JS, include_bytes!("../../../ui/session.js")),
    ("silence.js", JS, include_bytes!("../../../ui/silence.js")),
    ("silences.js", JS, include_bytes!("../../../ui/silences.js")),
    ("sse.js", JS, include_bytes!("../../../ui/sse.js")),
    ("store.js", JS, include_bytes!("../../../ui/store.js")),
    ("subject.js", JS, include_bytes!("../../../ui/subject.js")),
    ("system.js", JS, include_bytes!("../../../ui/system.js")),
    ("time.js", JS, include_bytes!("../../../ui/time.js")),
    ("timeline.js", JS, include_bytes!("../../../ui/timeline.js")),
    (
        "waterfall.js",
        JS,
        include_bytes!("../../../ui/waterfall.js"),
    ),
    ("words.js", JS, include_bytes!("../../../ui/words.js")),
];
const HTML: &str = "text/html; charset=utf-8";
const SVG: &str = "image/svg+xml";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// The routes of the page.
pub(super) fn routes() -> Router<ApiParts> {
    Router::new()
        .route("/", get(async || file("index.html")))
        .route("/ui/alerts/{id}", get(alert))
        .route(
            "/ui/{name}",
            get(async |Path(name): Path<String>| file(&name)),
        )
}

/// The address that alerts and their deliveries name.
async fn alert(Path(id): Path<String>) -> Result<Redirect, Problem> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Problem::not_found(
            "the id of an alert has letters and digits only",
        ));
    }
    Ok(Redirect::temporary(&format!("/#/alerts/{id}")))
}

fn file(name: &str) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, content)) => ([(header::CONTENT_TYPE, *kind)], *content).into_response(),
        None => Problem::not_found("the page has no such file").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_is_part_of_the_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/ui");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let known: BTreeSet<String> = FILES.iter().map(|(name, ..)| (*name).to_owned()).collect();
        assert_eq!(there, known);
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        for (name, _, content) in FILES {
            let text = std::str::from_utf8(content).unwrap();
            for mark in [
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "eval(",
                " style=\"",
                "<style",
            ] {
                assert!(!text.contains(mark), "{name}: {mark}");
            }
            let addresses = text.matches("http://").count() + text.matches("https://").count();
            let namespaces = text.matches("http://www.w3.org/").count();
            assert_eq!(addresses, namespaces, "{name} names an address");
        }
    }
}
