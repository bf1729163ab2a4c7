//! The parts of an Okta event, found in one walk: an event is asked for some fifty fields, and each
//! look-up by path would walk it again.

use crate::collect::parse::{Keys, Value};
use crate::collect::present::present;

/// Most targets looked at; real events have up to a dozen.
const TARGETS_MAX: usize = 64;

/// An actor or a target.
#[derive(Clone, Copy)]
pub(super) struct Thing<'t> {
    kind: &'t str,
    pub(super) id: Option<Value<'t>>,
    pub(super) alternate_id: Option<Value<'t>>,
    pub(super) display_name: Option<Value<'t>>,
    pub(super) detail: Option<Value<'t>>,
    pub(super) change_details: Option<Value<'t>>,
}

impl<'t> Thing<'t> {
    fn of(value: Value<'t>) -> Self {
        static KEYS: Keys<6> = Keys::new([
            "type",
            "id",
            "alternateId",
            "displayName",
            "detailEntry",
            "changeDetails",
        ]);
        let [kind, id, alternate_id, display_name, detail, change_details] = value.pick(&KEYS);
        Self {
            kind: words(kind).unwrap_or_default(),
            id,
            alternate_id,
            display_name,
            detail,
            change_details,
        }
    }

    /// True where it is of a type.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }

    /// Its type as written.
    pub(super) const fn kind(&self) -> &'t str {
        self.kind
    }
}

/// `debugContext.debugData`.
#[derive(Clone, Copy, Default)]
pub(super) struct Debug<'t> {
    pub(super) factor: Option<&'t str>,
    pub(super) factor_type: Option<&'t str>,
    pub(super) factor_id: Option<Value<'t>>,
    pub(super) enrolment_id: Option<Value<'t>>,
    pub(super) behaviors: Option<Value<'t>>,
    pub(super) risk: Option<Value<'t>>,
    pub(super) risk_level: Option<&'t str>,
    pub(super) logged: Option<Value<'t>>,
    pub(super) threat_suspected: Option<Value<'t>>,
    pub(super) changed_attributes: Option<&'t str>,
    pub(super) fingerprint: Option<Value<'t>>,
    pub(super) dt_hash: Option<Value<'t>>,
}

/// An event taken apart.
pub(super) struct Parts<'t> {
    pub(super) id: Option<Value<'t>>,
    pub(super) published: Option<Value<'t>>,
    pub(super) legacy_type: Option<&'t str>,
    pub(super) actor: Option<Thing<'t>>,
    pub(super) targets: Vec<Thing<'t>>,
    pub(super) result: Option<&'t str>,
    pub(super) reason: Option<&'t str>,
    pub(super) transaction_id: Option<Value<'t>>,
    pub(super) api_token: Option<Value<'t>>,
    pub(super) session: Option<Value<'t>>,
    pub(super) root_session: Option<Value<'t>>,
    pub(super) credential_type: Option<&'t str>,
    pub(super) client: Option<Value<'t>>,
    pub(super) request: Option<Value<'t>>,
    pub(super) security: Option<Value<'t>>,
    pub(super) device: Option<Value<'t>>,
    pub(super) debug: Debug<'t>,
}

/// The text of a value that is one, unless it means nothing.
pub(super) fn words(value: Option<Value<'_>>) -> Option<&str> {
    value.and_then(Value::as_str).and_then(present)
}

/// The values of keys within a value, if there is one.
pub(super) fn inner<'t, const N: usize>(
    value: Option<Value<'t>>,
    keys: &Keys<N>,
) -> [Option<Value<'t>>; N] {
    value.map_or([None; N], |value| value.pick(keys))
}

impl<'t> Parts<'t> {
    pub(super) fn of(item: Value<'t>) -> Self {
        static EVENT: Keys<13> = Keys::new([
            "uuid",
            "published",
            "legacyEventType",
            "actor",
            "target",
            "outcome",
            "transaction",
            "authenticationContext",
            "client",
            "request",
            "securityContext",
            "device",
            "debugContext",
        ]);
        static OUTCOME: Keys<2> = Keys::new(["result", "reason"]);
        static TRANSACTION: Keys<2> = Keys::new(["id", "detail"]);
        static DETAIL: Keys<1> = Keys::new(["requestApiTokenId"]);
        static CONTEXT: Keys<3> =
            Keys::new(["externalSessionId", "rootSessionId", "credentialType"]);
        let [
            id,
            published,
            legacy,
            actor,
            target,
            outcome,
            transaction,
            context,
            client,
            request,
            security,
            device,
            debug,
        ] = item.pick(&EVENT);
        let [result, reason] = inner(outcome, &OUTCOME);
        let [transaction_id, detail] = inner(transaction, &TRANSACTION);
        let [api_token] = inner(detail, &DETAIL);
        let [session, root_session, credential_type] = inner(context, &CONTEXT);
        let targets = target.into_iter().flat_map(Value::items);
        Self {
            id,
            published,
            legacy_type: words(legacy),
            actor: actor.filter(|actor| actor.is_object()).map(Thing::of),
            targets: targets.take(TARGETS_MAX).map(Thing::of).collect(),
            result: words(result),
            reason: words(reason),
            transaction_id,
            api_token,
            session,
            root_session,
            credential_type: words(credential_type),
            client,
            request,
            security,
            device: device.filter(|device| device.is_object()),
            debug: Debug::of(debug),
        }
    }

    /// The first hop of the request.
    pub(super) fn first_hop(&self) -> Option<Value<'t>> {
        let chain = self.request?.get_any_case("ipChain")?;
        chain.items().next()
    }
}

impl<'t> Debug<'t> {
    fn of(context: Option<Value<'t>>) -> Self {
        static DATA: Keys<12> = Keys::new([
            "factor",
            "factorType",
            "factorId",
            "authenticatorEnrollmentId",
            "changedAttributes",
            "deviceFingerprint",
            "dtHash",
            "behaviors",
            "risk",
            "riskLevel",
            "logOnlySecurityData",
            "threatSuspected",
        ]);
        let data = context.and_then(|context| context.get_any_case("debugData"));
        let [
            factor,
            factor_type,
            factor_id,
            enrolment_id,
            changed,
            fingerprint,
            dt_hash,
            behaviors,
            risk,
            risk_level,
            logged,
            threat_suspected,
        ] = inner(data, &DATA);
        Self {
            factor: words(factor),
            factor_type: words(factor_type),
            factor_id,
            enrolment_id,
            behaviors,
            risk,
            risk_level: words(risk_level),
            logged,
            threat_suspected,
            changed_attributes: words(changed),
            fingerprint,
            dt_hash,
        }
    }

    /// The places where behaviours stand: what was only logged, then what was acted upon.
    pub(super) fn places(&self) -> impl Iterator<Item = Place<'t>> {
        let logged = self.logged.into_iter().map(Place::Logged);
        logged.chain(self.behaviors.into_iter().map(Place::Behaviors))
    }
}

/// A place that tells behaviours.
pub(super) enum Place<'t> {
    /// `logOnlySecurityData`: an object, or its JSON as text.
    Logged(Value<'t>),
    /// `behaviors` itself.
    Behaviors(Value<'t>),
}
