//! Tests of the whole reading, from text to band.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::collect::words::{Band, Cue};

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::embedded().expect("embedded files"));

fn read(text: &str) -> Pressure {
    LEXICON.read(text, Speaker::Unknown).pressure
}

fn cues(text: &str) -> Vec<Cue> {
    read(text).cues.iter().filter_map(|s| s.cue).collect()
}

fn ids(text: &str) -> Vec<String> {
    read(text)
        .cues
        .into_iter()
        .map(|s| s.phrase_id.into())
        .collect()
}

const LANGUAGES: [&str; 5] = ["en", "de", "fr", "es", "pt"];

const ALL_CUES: [Cue; 9] = [
    Cue::Urgency,
    Cue::DeviceLossClaim,
    Cue::Authority,
    Cue::BypassRequest,
    Cue::VerificationRefusal,
    Cue::Threat,
    Cue::StaffImpersonation,
    Cue::Secrecy,
    Cue::Emotional,
];

#[test]
fn the_embedded_files_load() {
    assert!(LEXICON.phrase_count() >= 5 * 60);
    assert!(LEXICON.version().starts_with("lexicon-"));
    assert_eq!(LEXICON.version(), read("").lexicon_version);
}

#[test]
fn faulty_files_are_refused() {
    let head = "language: en\nnegation: []\nspeakers: {requester: [], agent: []}\n\
                templates: []\nclosers: []\nphrases:\n";
    let load = |entry: &str| Lexicon::compile(&[&format!("{head}  - {entry}\n")]);
    assert!(load("{id: en.a, phrase: right now, cue: urgency, weight: 9}").is_ok());
    for entry in [
        "{id: en.a, phrase: right now, cue: urgency, weight: 9, more: 1}",
        "{id: en.a, phrase: right now, cue: hurry, weight: 9}",
        "{id: de.a, phrase: right now, cue: urgency, weight: 9}",
        "{id: en.a, phrase: right now, cue: urgency, weight: 61}",
        "{id: en.a, phrase: a … b … c, cue: urgency, weight: 9}",
        "{id: en.a, phrase: '…', cue: urgency, weight: 9}",
        "{id: en.a, phrase: '!', cue: urgency, weight: 9}",
        "{id: en.a, phrase: x, cue: ask, weight: 0}\n  - {id: en.a, phrase: y, cue: ask, weight: 0}",
    ] {
        assert!(load(entry).is_err(), "{entry}");
    }
}

/// A text per language that carries every cue and asks.
const EVERY_CUE: [&str; 5] = [
    "Reset my password right now. I lost my phone. I am calling on behalf of the director. Skip the \
     questions. No call back. I will report you, you will be held responsible. This is IT support. \
     Keep it between us. I am begging you.",
    "Setzen Sie mein Passwort zurück, auf der Stelle. Handy verloren. Ich rufe im Auftrag von Frau \
     Berger an. Machen Sie eine Ausnahme. Keinen Rückruf. Sonst mache ich Sie verantwortlich. Hier \
     ist die IT. Das bleibt unter uns. Ich flehe Sie an.",
    "Mon mot de passe, tout de suite. J'ai perdu mon téléphone. J'appelle au nom du patron. Sans \
     vérification. Ne me rappelez pas. Cela aura des conséquences. Ici le service informatique. \
     N'en parlez à personne. Je vous en supplie.",
    "Mi contraseña, ahora mismo. Perdí mi celular. Llamo de parte del jefe. Sin verificar. No me \
     llame. Habrá consecuencias. Soy de sistemas. Que quede entre nosotros. Se lo suplico.",
    "Minha senha, agora mesmo. Perdi meu celular. Ligo em nome do chefe. Sem verificar. Não me ligue. \
     Vai ter consequências. Aqui é da TI. Fica entre nós. Eu imploro.",
];

#[test]
fn every_language_fires_every_cue() {
    for (text, language) in EVERY_CUE.iter().zip(LANGUAGES) {
        let found: BTreeSet<String> = cues(text).iter().map(|cue| format!("{cue:?}")).collect();
        for cue in ALL_CUES {
            assert!(
                found.contains(&format!("{cue:?}")),
                "{language} {cue:?} {:?}",
                ids(text)
            );
        }
        assert_eq!(read(text).band, Band::High, "{language}");
    }
}

#[test]
fn cues_count_only_with_a_request() {
    let alone = read("I am begging you, hurry up, this is an emergency, you will be fired!");
    assert!(!alone.cues.is_empty());
    assert_eq!(alone.band, Band::None);
    let asking = read("I am begging you, hurry up, reset my MFA!");
    assert!(asking.band > Band::None && asking.score_pct > alone.score_pct);
    assert_eq!(read("Please reset my password.").score_pct, 0);
    assert_eq!(
        read("I lost my phone, please register the new authenticator.").band,
        Band::None
    );
}

#[test]
fn negation_within_three_words_cancels() {
    for (plain, negated) in [
        (
            "reset my MFA, it is urgent",
            "reset my MFA, it is not urgent",
        ),
        (
            "mein Passwort, dringend",
            "mein Passwort, nicht so dringend",
        ),
        (
            "mon mot de passe, c'est urgent",
            "mon mot de passe, ce n'est pas urgent",
        ),
        ("mi contraseña, es urgente", "mi contraseña, no es urgente"),
        ("minha senha, é urgente", "minha senha, não é urgente"),
    ] {
        assert!(read(plain).score_pct > 0, "{plain}");
        assert_eq!(read(negated).score_pct, 0, "{negated}: {:?}", ids(negated));
    }
    assert!(
        read("No, I need my code right now").score_pct > 0,
        "another clause"
    );
    assert!(
        read("I do not know the code and need it right now").score_pct > 0,
        "too far away"
    );
}

#[test]
fn offered_checks_relieve() {
    let text = "Reset my MFA right now";
    let offered = format!("{text}. You can call me back, I will bring my badge.");
    assert!(read(&offered).score_pct < read(text).score_pct);
}

#[test]
fn only_the_requester_is_read() {
    let talk =
        "Agent: We never skip the check, even right now for the code.\nCaller: My code is gone.";
    assert_eq!(read(talk).score_pct, 0);
    let order = "Skip the check and reset my code right now";
    assert!(read(order).band > Band::None);
    for (role, name) in [(Speaker::Agent, "agent"), (Speaker::System, "system")] {
        let text = LEXICON.read(order, role);
        assert_eq!(text.pressure.score_pct, 0);
        assert_eq!(text.speaker.as_deref(), Some(name));
    }
    assert!(LEXICON.read(order, Speaker::Requester).pressure.band > Band::None);
    let policy = "Poster: \"Skip the check and reset my MFA right now\" means hang up. Thanks all.";
    assert_eq!(read(policy).score_pct, 0);
    assert_eq!(
        read("Thanks!\n> Skip the check and reset my MFA right now").score_pct,
        0
    );
}

#[test]
fn every_language_knows_its_speakers() {
    for (agent, requester, order) in [
        (
            "Agent",
            "Caller",
            "skip the verification of my code right now",
        ),
        ("Agent", "Anrufer", "mein Passwort sofort, ohne Prüfung"),
        (
            "Agent",
            "Appelant",
            "mon mot de passe tout de suite, sans vérification",
        ),
        (
            "Agente",
            "Cliente",
            "mi contraseña ahora mismo, sin verificar",
        ),
        (
            "Atendente",
            "Cliente",
            "minha senha agora mesmo, sem verificar",
        ),
    ] {
        assert_eq!(read(&format!("{agent}: {order}")).score_pct, 0, "{agent}");
        assert!(
            read(&format!("{requester} : {order}")).band > Band::None,
            "{requester}"
        );
    }
}

#[test]
fn trend_is_last_turn_minus_first() {
    let calm = "Caller: I forgot my password.\nAgent: I have to call you back.\n";
    let rising = format!("{calm}Caller: No call back, reset it right now.");
    assert!(read(&rising).trend_pct > 30);
    let falling = "Caller: Reset my code right now.\nAgent: hm\nCaller: Fine.";
    assert!(read(falling).trend_pct < 0);
    assert_eq!(read("Reset my code right now").trend_pct, 0);
}

#[test]
fn spans_are_bytes_of_the_original() {
    for (text, words) in [
        (
            "🙏 ça va – mot de passe TOUT de\u{200b} suite",
            "TOUT de\u{200b} suite",
        ),
        ("é password RIGHT  now!", "RIGHT  now"),
        (
            "пароль… code: skip the dull Verification",
            "skip the dull Verification",
        ),
    ] {
        let found = read(text)
            .cues
            .iter()
            .any(|span| text.get(span.start as usize..span.end as usize) == Some(words));
        assert!(found, "{text}: {:?}", read(text).cues);
    }
}

#[test]
fn disguises_do_not_help() {
    let plain = read("please reset my password right now, skip the check");
    let masked = read("pIease r3set my pa$$w0rd right now, s k i p the chеck");
    assert!(plain.band > Band::None);
    assert!(masked.score_pct >= plain.score_pct);
}

#[test]
fn umlauts_may_be_written_out() {
    assert!(!ids("Passwort, rueckfragen: keinen rueckruf").is_empty());
}

#[test]
fn bounds_hold_and_are_told() {
    let text = format!("{} reset my code right now", "é".repeat(MAX_BYTES));
    assert!(read(&text).truncated);
    assert_eq!(read(&text).score_pct, 0);
    assert!(!read("reset my code right now").truncated);
    let many = read(&"code right now. ".repeat(200));
    assert!(many.truncated && many.cues.len() == MAX_SPANS);
    let turns = "Caller: hi\nAgent: hi\n".repeat(100);
    assert!(read(&turns).truncated);
}

#[test]
fn development_set_stays_readable() {
    let root = env!("CARGO_MANIFEST_DIR");
    let found = ["../shared", "../../shared"].iter().find_map(|dir| {
        std::fs::read_to_string(format!("{root}/{dir}/samples/language-dev.jsonl")).ok()
    });
    let Some(lines) = found else {
        eprintln!("skipped: no development set beside the repository");
        return;
    };
    let (mut all, mut five) = ([0_u32; 4], [0_u32; 4]);
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("json");
        let out = read(row["text"].as_str().expect("text"));
        let pressure = row["label"] == "pressure";
        let cell = usize::from(pressure) * 2 + usize::from(out.band > Band::None);
        all[cell] += 1;
        let ours = ["en", "de", "fr", "es", "pt"].contains(&row["lang"].as_str().unwrap_or(""));
        if ours {
            five[cell] += 1;
            if pressure != (out.band > Band::None) {
                let ids: Vec<&str> = out.cues.iter().map(|c| c.phrase_id.as_str()).collect();
                eprintln!("{} {} {} {ids:?}", row["id"], row["label"], out.score_pct);
            }
        }
    }
    for (name, [quiet, false_alarm, missed, caught]) in [("all", all), ("five languages", five)] {
        eprintln!("{name}: caught {caught} missed {missed} false {false_alarm} quiet {quiet}");
    }
    let [_, false_alarm, missed, caught] = five;
    assert!(caught * 100 >= (caught + missed) * 40, "recall fell");
    assert!(
        caught * 100 >= (caught + false_alarm) * 80,
        "precision fell"
    );
}

proptest! {
    #[test]
    fn any_text_gives_a_sound_answer(text in "\\PC{0,300}", role in 0_usize..4) {
        sound(&text, role);
    }

    #[test]
    fn pieces_of_every_kind_give_a_sound_answer(
        pieces in proptest::collection::vec(0_usize..22, 0..200),
        role in 0_usize..4,
    ) {
        const PIECES: [&str; 22] = [
            "right now", " ", "\n", "Caller:", "Agent：", "\"", "«", "'", "„", "> ", "--", "skip",
            "verification", "not", "s k i p", "pa$$w0rd", "\u{200d}", "е", "日本", "é\u{301}", "🙏",
            "@a.b",
        ];
        let text: String = pieces.iter().filter_map(|i| PIECES.get(*i).copied()).collect();
        sound(&text, role);
    }
}

fn sound(text: &str, role: usize) {
    let roles = [
        Speaker::Requester,
        Speaker::Agent,
        Speaker::System,
        Speaker::Unknown,
    ];
    let out = LEXICON.read(text, roles[role]).pressure;
    assert!(out.score_pct <= 100 && out.cues.len() <= MAX_SPANS);
    assert!(out.band == Band::None || !out.cues.is_empty());
    for span in &out.cues {
        let words = text.get(span.start as usize..span.end as usize);
        assert!(words.is_some_and(|words| !words.is_empty()), "{span:?}");
    }
}
