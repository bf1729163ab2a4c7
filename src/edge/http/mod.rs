//! The HTTP side: the API, the live feed and the page on one listener, health and metrics on
//! another.

mod access;
mod api;
mod assign;
mod audit;
mod capacity;
mod control;
mod dead_letters;
pub mod feed;
mod format;
mod gate;
mod limits;
mod logs;
mod oidc;
mod older;
mod openapi;
mod ops;
mod page;
mod problem;
mod records;
mod routes;
mod serve;
mod server;
mod standing;
mod stream;
mod tls;
mod turns;
mod views;

pub use access::{Access, BEARER_CHARS_MAX, TOKEN_PREFIX, Token, is_bearer, token_hash};
pub use gate::{Credentials, Gate};
pub use limits::Limits;
pub use oidc::{Oidc, OidcSettings};
pub use routes::served;
pub use serve::{ApiParts, Bound, HttpError, HttpParts, HttpSettings, bind};
pub use tls::{TlsFault, TlsFiles};
