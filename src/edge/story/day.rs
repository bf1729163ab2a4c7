//! The course of the day: who signs in when, who needs the desk, and when the takeovers happen.

use super::desk::{self, Matter, Recovery};
use super::okta::{OktaEvent, Target};
use super::people::{Person, Place, Post};
use super::script::Script;
use super::{Expected, takeovers, texts};
use crate::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// Days of history: a baseline younger than a fortnight knows too little.
const HISTORY_DAYS: i64 = 17;
const APPS: [&str; 6] = [
    "Example Mail",
    "Example Files",
    "Example Chat",
    "Example Payroll",
    "Example Orders",
    "Example Travel",
];

/// Plays history and day; the takeovers that are to be found, and whom the second caller asked for
/// in vain.
pub(super) fn play(script: &mut Script<'_>, day: Timestamp) -> (Vec<Expected>, Vec<String>) {
    history(script, day);
    for number in 0..script.people.len() {
        working_day(script, script.person(number), day);
    }
    let cast = Cast::of(script);
    // Late enough that everybody has begun, early enough to be the first thing that happens.
    let morning = day.plus(8 * HOUR_MS + script.rng.between(0, 20 * MINUTE_MS));
    let noon = day.plus(10 * HOUR_MS + script.rng.between(0, 40 * MINUTE_MS));
    let afternoon = day.plus(13 * HOUR_MS + script.rng.between(0, 90 * MINUTE_MS));
    let [first, second, third] = cast.asked_for;
    let expected = vec![
        takeovers::pressed_call(script, cast.executive, morning),
        takeovers::one_caller(script, [first, second, third], noon),
        takeovers::own_approval(script, cast.colleagues, afternoon),
    ];
    look_alikes(script, &cast, day);
    desk_work(script, cast.others, day);
    (expected, vec![first.identity(), second.identity()])
}

/// Who plays what. Nobody has two parts.
struct Cast<'a> {
    executive: &'a Person,
    pressed: &'a Person,
    asked_for: [&'a Person; 3],
    colleagues: (&'a Person, &'a Person),
    new_phone: &'a Person,
    approved: &'a Person,
    traveller: &'a Person,
    others: Vec<&'a Person>,
}

impl<'a> Cast<'a> {
    /// Draws the parts; the firm has at least `PEOPLE_MIN` people, so that there is one for each.
    fn of(script: &mut Script<'a>) -> Self {
        let mut leaders: Vec<&Person> = posts(script, |post| post == Post::Executive);
        let mut staff: Vec<&Person> = posts(script, |post| post == Post::Staff);
        script.rng.shuffle(&mut leaders);
        script.rng.shuffle(&mut staff);
        let mut next = {
            let mut rest = staff.into_iter();
            move || rest.next()
        };
        let anybody = script.person(0);
        let mut draw = || next().unwrap_or(anybody);
        let asked_for = [draw(), draw(), draw()];
        let colleagues = (draw(), draw());
        let (new_phone, approved, traveller) = (draw(), draw(), draw());
        let mut others = posts(script, |post| {
            post == Post::Manager || post == Post::Contractor
        });
        others.extend(std::iter::from_fn(next));
        script.rng.shuffle(&mut others);
        let leader = |place: usize| leaders.get(place).copied().unwrap_or(anybody);
        Self {
            executive: leader(0),
            pressed: leader(1),
            asked_for,
            colleagues,
            new_phone,
            approved,
            traveller,
            others,
        }
    }
}

fn posts<'a>(script: &Script<'a>, is: impl Fn(Post) -> bool) -> Vec<&'a Person> {
    script
        .people
        .iter()
        .filter(|person| is(person.post))
        .collect()
}

/// Sign-ins of the weeks before, so that the usual laptop and networks are known.
fn history(script: &mut Script<'_>, day: Timestamp) {
    for before in (1..=HISTORY_DAYS).rev() {
        let date = day.minus(before * DAY_MS);
        // 1970-01-01 was a Thursday.
        let weekend = (date.utc_day() + 3).rem_euclid(7) >= 5;
        for number in 0..script.people.len() {
            let who = script.person(number);
            let first = before == HISTORY_DAYS;
            if !first && !script.rng.chance(if weekend { 40 } else { 450 }) {
                continue;
            }
            let at = date.plus(7 * HOUR_MS + script.rng.between(0, 2 * HOUR_MS));
            script.sign_in(at, who, &who.office);
            if first || script.rng.chance(300) {
                let evening = at.plus(script.rng.between(11 * HOUR_MS, 13 * HOUR_MS));
                script.session(evening, who, &who.home);
            }
        }
    }
}

fn working_day(script: &mut Script<'_>, who: &Person, day: Timestamp) {
    if script.rng.chance(80) {
        return;
    }
    let place = if script.rng.chance(350) {
        &who.home
    } else {
        &who.office
    };
    let mut at = day.plus(7 * HOUR_MS + script.rng.between(0, 150 * MINUTE_MS));
    if script.rng.chance(40) {
        let mistyped = OktaEvent {
            result: "FAILURE",
            reason: Some("INVALID_CREDENTIALS"),
            ..OktaEvent::own("user.session.start", "User login to Okta", at, who, place)
        };
        script.okta(&mistyped);
    }
    at = at.plus(25 * SECOND_MS);
    script.sign_in(at, who, place);
    if script.rng.chance(30) {
        let kind = (
            "user.account.update_password",
            "User update password for Okta",
        );
        script.okta(&OktaEvent::own(
            kind.0,
            kind.1,
            at.plus(MINUTE_MS),
            who,
            place,
        ));
    }
    for _ in 0..4 + script.rng.below(7) {
        let opened = at.plus(script.rng.between(MINUTE_MS, 9 * HOUR_MS));
        let app = *script.rng.pick(&APPS);
        script.open_app(opened, who, place, app);
    }
    if script.rng.chance(150) {
        let again = at.plus(script.rng.between(4 * HOUR_MS, 6 * HOUR_MS));
        script.sign_in(again, who, place);
    }
}

/// A forgotten password, reset by the person without the desk.
fn self_service(script: &mut Script<'_>, who: &Person, at: Timestamp) {
    let targets = [Target::User(who)];
    let steps = [
        (
            "system.email.send_password_reset_email",
            "Send self-service password reset email",
        ),
        (
            "user.account.reset_password",
            "Self-service reset of user password",
        ),
        (
            "user.account.update_password",
            "User update password for Okta",
        ),
    ];
    for (after, (kind, message)) in (0..).zip(steps) {
        let at = at.plus(after * 50 * SECOND_MS);
        let event = OktaEvent {
            targets: &targets,
            ..OktaEvent::own(kind, message, at, who, &who.home)
        };
        script.okta(&event);
    }
}

/// What looks like a takeover and is none.
fn look_alikes(script: &mut Script<'_>, cast: &Cast<'_>, day: Timestamp) {
    let at = |script: &mut Script<'_>, hour: i64| {
        day.plus(hour * HOUR_MS + script.rng.between(0, 50 * MINUTE_MS))
    };
    let abroad = Place {
        ip: "203.0.113.200".to_owned(),
        asn: 64_507,
        org: "Example Hotel",
        city: "Kyoto",
        country: "Japan",
        proxy: false,
    };
    let lost = at(script, 9);
    let hotel = at(script, 11);
    let haste = at(script, 15);
    let lock = OktaEvent {
        result: "FAILURE",
        reason: Some("LOCKED_OUT"),
        ..OktaEvent::own(
            "user.account.lock",
            "Max sign in attempts exceeded",
            hotel.minus(4 * MINUTE_MS),
            cast.traveller,
            &abroad,
        )
    };
    script.okta(&lock);
    let parts = [
        (
            cast.new_phone,
            lost,
            Matter::Phone,
            &cast.new_phone.home,
            &texts::CALM,
        ),
        (cast.traveller, hotel, Matter::Locked, &abroad, &texts::CALM),
        (
            cast.pressed,
            haste,
            Matter::Password,
            &cast.pressed.office,
            &texts::PRESSED,
        ),
    ];
    for (who, at, matter, place, said) in parts {
        let part = Recovery {
            who,
            at,
            matter,
            proof: "video",
            place,
            said,
        };
        desk::recovery(script, &part);
    }
    let asked = at(script, 9);
    desk::approved_phone(script, cast.approved, asked);
}

/// The rest of what reaches the desk: each matter by somebody else.
fn desk_work(script: &mut Script<'_>, others: Vec<&Person>, day: Timestamp) {
    let size = script.people.len();
    let mut others = others.into_iter();
    let shares = [
        size / 45,
        size / 80,
        size / 80,
        size / 30,
        size / 20,
        size / 6,
    ];
    for (kind, share) in (0..).zip(shares) {
        for who in others.by_ref().take(share) {
            let at = day.plus(8 * HOUR_MS + script.rng.between(0, 8 * HOUR_MS));
            let recovery = |matter, proof| Recovery {
                who,
                at,
                matter,
                proof,
                place: &who.office,
                said: &texts::CALM,
            };
            match kind {
                0 => desk::recovery(script, &recovery(Matter::Password, "security_questions")),
                1 => desk::recovery(script, &recovery(Matter::Locked, "otp_sms")),
                2 => self_service(script, who, at),
                3 => desk::access_request(script, who, at),
                4 => desk::ordinary_call(script, who, at),
                _ => desk::ordinary_ticket(script, who, at),
            }
        }
    }
}
