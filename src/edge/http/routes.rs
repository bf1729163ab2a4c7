//! Every route of the API with the role it needs, in one table, and the router made of it.

use super::access::Access;
use super::gate::{enter, require};
use super::problem::Problem;
use super::serve::{ApiParts, protect};
use super::{
    api, assign, audit, control, dead_letters, logs, openapi, page, records, standing, stream,
    views,
};
use axum::Router;
use axum::http::Method;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodRouter, delete, get, post, put};

/// One route.
struct Route {
    method: Method,
    path: &'static str,
    /// The least role that may take it.
    access: Access,
    serve: MethodRouter<ApiParts>,
}

fn read(path: &'static str, serve: MethodRouter<ApiParts>) -> Route {
    Route {
        method: Method::GET,
        path,
        access: Access::Viewer,
        serve,
    }
}

fn inspect(path: &'static str, serve: MethodRouter<ApiParts>) -> Route {
    Route {
        access: Access::Admin,
        ..read(path, serve)
    }
}

fn administer(method: Method, path: &'static str, serve: MethodRouter<ApiParts>) -> Route {
    Route {
        method,
        ..inspect(path, serve)
    }
}

fn end(path: &'static str, serve: MethodRouter<ApiParts>) -> Route {
    Route {
        method: Method::DELETE,
        ..decide(path, serve)
    }
}

fn decide(path: &'static str, serve: MethodRouter<ApiParts>) -> Route {
    Route {
        method: Method::POST,
        path,
        access: Access::Analyst,
        serve,
    }
}

fn table() -> Vec<Route> {
    vec![
        read("/api/v1/alerts", get(api::list)),
        read("/api/v1/alerts/stream", get(stream::stream)),
        read("/api/v1/alerts/{id}", get(api::newest)),
        read("/api/v1/alerts/{id}/revisions", get(api::revisions)),
        read("/api/v1/alerts/{id}/explain", get(api::explain)),
        decide(
            "/api/v1/alerts/{id}/disposition",
            post(control::disposition),
        ),
        Route {
            method: Method::PUT,
            ..decide("/api/v1/alerts/{id}/assignee", put(assign::assign))
        },
        read("/api/v1/assignments", get(assign::assignments)),
        read("/api/v1/openapi.json", get(openapi::document)),
        read("/api/v1/me", get(views::me)),
        read("/api/v1/identities/{id}", get(views::identity)),
        read("/api/v1/agents/{id}", get(views::agent)),
        read("/api/v1/pivots/{kind}/{id}", get(views::pivot)),
        read("/api/v1/search", get(views::search)),
        read("/api/v1/patterns", get(views::patterns)),
        read("/api/v1/sources", get(standing::sources)),
        read("/api/v1/pipeline", get(standing::pipeline)),
        inspect("/api/v1/audit", get(audit::audit)),
        inspect("/api/v1/config", get(standing::config)),
        inspect("/api/v1/log-level", get(logs::level)),
        administer(Method::PUT, "/api/v1/log-level", put(logs::set_level)),
        inspect("/api/v1/dead-letters", get(dead_letters::list)),
        administer(
            Method::POST,
            "/api/v1/dead-letters/replay",
            post(dead_letters::replay),
        ),
        Route {
            access: Access::Analyst,
            ..read(
                "/api/v1/records/{topic}/{partition}/{offset}",
                get(records::record),
            )
        },
        read("/api/v1/silences", get(control::silences)),
        decide("/api/v1/silences", post(control::silence)),
        end("/api/v1/silences/{id}", delete(control::end_silence)),
        read("/api/v1/exemptions", get(control::exemptions)),
        decide("/api/v1/exemptions", post(control::exemption)),
        end("/api/v1/exemptions/{id}", delete(control::end_exemption)),
    ]
}

/// Method, path and least role of every route of the API.
#[must_use]
pub fn served() -> Vec<(String, &'static str, Access)> {
    let of = |route: Route| (route.method.to_string(), route.path, route.access);
    table().into_iter().map(of).collect()
}

/// What the API listener serves.
pub(super) fn routes(parts: ApiParts) -> Router {
    let mut router = Router::new();
    for route in table() {
        let guarded = from_fn_with_state(route.access, require);
        router = router.route(route.path, route.serve.route_layer(guarded));
    }
    router
        .merge(page::routes())
        .fallback(async || Problem::not_found("see /api/v1/alerts, or / for the page"))
        .method_not_allowed_fallback(async || Problem::method())
        .layer(from_fn_with_state(parts.clone(), enter))
        .layer(map_response(protect))
        .with_state(parts)
}

#[cfg(test)]
mod tests {
    /// What is served beside the table would be served without a role.
    #[test]
    fn routes_are_made_of_the_table_and_of_the_page_alone() {
        let files = [
            ("api.rs", include_str!("api.rs"), 0),
            ("assign.rs", include_str!("assign.rs"), 0),
            ("audit.rs", include_str!("audit.rs"), 0),
            ("control.rs", include_str!("control.rs"), 0),
            ("dead_letters.rs", include_str!("dead_letters.rs"), 0),
            ("format.rs", include_str!("format.rs"), 0),
            ("gate.rs", include_str!("gate.rs"), 0),
            ("logs.rs", include_str!("logs.rs"), 0),
            ("older.rs", include_str!("older.rs"), 0),
            ("openapi.rs", include_str!("openapi.rs"), 0),
            ("page.rs", include_str!("page.rs"), 3),
            ("records.rs", include_str!("records.rs"), 0),
            ("serve.rs", include_str!("serve.rs"), 0),
            ("standing.rs", include_str!("standing.rs"), 0),
            ("stream.rs", include_str!("stream.rs"), 0),
            ("turns.rs", include_str!("turns.rs"), 0),
            ("views.rs", include_str!("views.rs"), 0),
        ];
        let adds = |text: &str| {
            [".route(", ".nest(", ".merge(", "_service("]
                .iter()
                .map(|call| text.matches(call).count())
                .sum::<usize>()
        };
        for (name, text, count) in files {
            assert_eq!(adds(text), count, "{name}");
        }
        let own = include_str!("routes.rs");
        let production = own.split("#[cfg(test)]").next().unwrap_or_default();
        assert_eq!(adds(production), 2, "one for the table, one for the page");
    }
}
