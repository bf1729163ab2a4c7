//! What people decide: dispositions, silences and exemptions become records of the control topic, with
//! the checks with which correlators read them.

use super::access::Caller;
use super::api::{self, Parameters, filled, pairs, short, unknown};
use super::problem::Problem;
use super::serve::ApiParts;
use crate::correlate::exempt::{self, ControlEntry};
use crate::deliver::alert::AlertRecord;
use crate::edge::clock;
use crate::edge::control::{Desk, Held, Unwritten};
use axum::body::to_bytes;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Largest body: an exemption may name thousands of people.
const BODY_BYTES_MAX: usize = 256 << 10;
/// From the first byte of a body to its last.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How long a record may take to be written: the loop behind the desk gives up on one before.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// Bytes of a record's own id.
const ID_BYTES: usize = 16;

/// What is in force.
fn held(parts: &ApiParts, what: Held, name: &'static str) -> Result<Response, Problem> {
    let desk = open(parts)?;
    let listed = desk.list(what, clock::now());
    let total = listed.len();
    let body = json!({ name: listed, "total": total });
    Ok(answer(StatusCode::OK, &body))
}

/// `GET /api/v1/silences`
pub(super) async fn silences(State(parts): State<ApiParts>) -> Result<Response, Problem> {
    held(&parts, Held::Silences, "silences")
}

/// `GET /api/v1/exemptions`
pub(super) async fn exemptions(State(parts): State<ApiParts>) -> Result<Response, Problem> {
    held(&parts, Held::Exemptions, "exemptions")
}

/// `POST /api/v1/silences`
pub(super) async fn silence(
    State(parts): State<ApiParts>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let mut fields = fields(request).await?;
    fixed(&mut fields, "kind", "silence".into())?;
    limited(&parts, &caller, fields, "silence").await
}

/// `POST /api/v1/exemptions`
pub(super) async fn exemption(
    State(parts): State<ApiParts>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let fields = fields(request).await?;
    limited(&parts, &caller, fields, "exemption").await
}

/// `DELETE /api/v1/silences/{id}`
pub(super) async fn end_silence(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    end(&parts, &caller, (Held::Silences, id), parameters).await
}

/// `DELETE /api/v1/exemptions/{id}`
pub(super) async fn end_exemption(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    end(&parts, &caller, (Held::Exemptions, id), parameters).await
}

/// `POST /api/v1/alerts/{id}/disposition`
pub(super) async fn disposition(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let mut fields = fields(request).await?;
    filled(&parts)?;
    let newest = parts.model.newest(&id).ok_or_else(|| unknown(&id))?;
    fixed(&mut fields, "kind", "disposition".into())?;
    owned(&mut fields, &caller)?;
    let seen = seen(&mut fields, &newest.alert)?;
    let key = format!("disposition/{id}/{}", seen.unwrap_or_default());
    checked(&key, &fields)?;
    let closes = seen == Some(newest.alert.revision) && newest.alert.is_open;
    let more = json!({ "newest_revision": newest.alert.revision, "closes": closes });
    write(open(&parts)?, key, fields, more).await
}

/// What a decision on a case says of it: the alert, its entity and the revision that was seen, which it
/// returns.
pub(super) fn seen(
    fields: &mut Map<String, Value>,
    newest: &AlertRecord,
) -> Result<Option<u64>, Problem> {
    let subject = &newest.subject;
    fixed(fields, "alert", newest.id.as_str().into())?;
    // A decision goes to the partition of its entity: under another one nobody would find the case.
    let entity = format!("{}|{}", subject.kind, subject.id);
    fixed(fields, "entity", entity.into())?;
    let seen = fields.get("revision").and_then(Value::as_u64);
    if seen.is_some_and(|seen| seen > newest.revision) {
        let fault = format!("revision: the newest is {}", newest.revision);
        return Err(Problem::record(vec![fault]));
    }
    Ok(seen)
}

/// What holds for a while.
async fn limited(
    parts: &ApiParts,
    caller: &Caller,
    mut fields: Map<String, Value>,
    what: &str,
) -> Result<Response, Problem> {
    owned(&mut fields, caller)?;
    let from = fields.entry("valid_from").or_insert(Value::Null);
    if from.is_null() {
        *from = clock::now().0.into();
    }
    let mut id = [0; ID_BYTES];
    getrandom::fill(&mut id).map_err(|_| Problem::unavailable("no random numbers"))?;
    let key = format!("{what}/{}", hex::encode(id));
    let entry = checked(&key, &fields)?;
    if what == "exemption" && !matches!(entry, ControlEntry::Exemption(_)) {
        let fault = "kind: silences and dispositions have addresses of their own; sources are \
                     declared by `deskwarden topics apply`";
        return Err(Problem::record(vec![fault.to_owned()]));
    }
    let desk = open(parts)?;
    if !desk.has_room(&entry) {
        return Err(Problem::full(exempt::Full.to_string()));
    }
    write(desk, key, fields, json!({})).await
}

/// Ends what holds for a while: the same record again, valid until now, of whoever ends it and why.
async fn end(
    parts: &ApiParts,
    caller: &Caller,
    (what, id): (Held, String),
    parameters: Parameters,
) -> Result<Response, Problem> {
    let mut said = Map::new();
    for (name, value) in pairs(parameters)? {
        match name.as_str() {
            "reason" | "owner" => drop(said.insert(name, value.into())),
            _ => {
                let fault = format!("{name}: unknown; parameters are reason, owner");
                return Err(Problem::parameters(vec![fault]));
            }
        }
    }
    owned(&mut said, caller)?;
    let missing = ["reason", "owner"].into_iter();
    let missing: Vec<String> = missing
        .filter(|name| !said.contains_key(*name))
        .map(|name| format!("{name}: missing; say why it ends, and who ends it"))
        .collect();
    if !missing.is_empty() {
        return Err(Problem::parameters(missing));
    }
    let desk = open(parts)?;
    let now = clock::now().0;
    let mut listed = desk.list(what, clock::now()).into_iter();
    let is_it = |one: &Value| one.get("id").and_then(Value::as_str) == Some(&id);
    let Some(Value::Object(mut fields)) = listed.find(is_it) else {
        let detail = format!("nothing of the id {} holds or will", short(&id));
        return Err(Problem::not_found(detail));
    };
    fields.remove("id");
    if fields.remove("holds") == Some(Value::Bool(false)) {
        fields.insert("valid_from".to_owned(), (now - 1).into());
    }
    fields.insert("valid_to".to_owned(), now.into());
    fields.extend(said);
    checked(&id, &fields)?;
    write(desk, id, fields, json!({})).await
}

/// The desk, once it knows what the topic holds.
pub(super) fn open(parts: &ApiParts) -> Result<&Desk, Problem> {
    let desk = parts.desk.as_ref();
    let desk = desk.ok_or_else(|| Problem::unavailable("control records are not served here"))?;
    if desk.is_filled() {
        Ok(desk)
    } else {
        Err(Problem::unavailable(
            "the control topic is still being read; try again in a moment",
        ))
    }
}

/// The fields of a body. It must say that it is JSON: a browser sends that from another page only
/// after asking, and is not answered.
pub(super) async fn fields(request: Request) -> Result<Map<String, Value>, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::media_type());
    }
    let read = timeout(BODY_TIME, to_bytes(request.into_body(), BODY_BYTES_MAX)).await;
    let bytes = read.map_err(|_| Problem::slow())?;
    let bytes = bytes.map_err(|_| Problem::too_large(BODY_BYTES_MAX))?;
    let read: Result<Map<String, Value>, _> = serde_json::from_slice(&bytes);
    read.map_err(|fault| Problem::record(vec![format!("not a JSON object: {fault}")]))
}

/// A field whose value follows: it may be left out, and not be another.
pub(super) fn fixed(
    fields: &mut Map<String, Value>,
    name: &str,
    value: Value,
) -> Result<(), Problem> {
    match fields.get(name) {
        Some(given) if *given != value => {
            let fault = format!("{name}: it is {value} here; leave it out");
            Err(Problem::record(vec![fault]))
        }
        Some(_) => Ok(()),
        None => {
            fields.insert(name.to_owned(), value);
            Ok(())
        }
    }
}

/// Who answers for a record is who asks; only where nobody is known by a name, the body says who.
pub(super) fn owned(fields: &mut Map<String, Value>, caller: &Caller) -> Result<(), Problem> {
    match &caller.name {
        Some(name) => fixed(fields, "owner", (&**name).into()),
        None => Ok(()),
    }
}

/// The record as a correlator will read it.
pub(super) fn checked(key: &str, fields: &Map<String, Value>) -> Result<ControlEntry, Problem> {
    let json = Value::Object(fields.clone()).to_string();
    let read = exempt::control(key, json.as_bytes());
    read.map_err(|fault| Problem::record(vec![fault.what]))
}

pub(super) async fn write(
    desk: &Desk,
    key: String,
    fields: Map<String, Value>,
    more: Value,
) -> Result<Response, Problem> {
    let unwritten = |why: Unwritten| Problem::unavailable(why.to_string());
    let record = Value::Object(fields);
    let value = record.to_string().into_bytes();
    let written = desk.hand_in(key.clone(), value).map_err(unwritten)?;
    let written = timeout(WRITE_TIME, written).await;
    let written = written
        .unwrap_or(Ok(Err(Unwritten::Unknown)))
        .unwrap_or(Err(Unwritten::Unknown))
        .map_err(unwritten)?;
    let mut body = json!({
        "id": key, "partition": written.partition, "offset": written.offset, "record": record,
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    Ok(answer(StatusCode::CREATED, &body))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = api::answer(body.to_string().into());
    *response.status_mut() = status;
    response
}
