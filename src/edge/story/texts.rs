//! What people write and say: ordinary tickets of 200 to 600 bytes in five languages, ordinary calls,
//! and the words of somebody who presses.

use super::rng::Rng;

/// Language of a person's tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Portuguese.
    Portuguese,
}

/// Parts of a ticket: greeting, subject and its sentence, further sentences, close.
struct Phrases {
    hello: [&'static str; 2],
    problems: [(&'static str, &'static str); 6],
    details: [&'static str; 6],
    close: [&'static str; 2],
}

const ENGLISH: Phrases = Phrases {
    hello: ["Hello team,", "Good morning,"],
    problems: [
        (
            "Printer on the second floor",
            "the printer beside the kitchen takes every job and prints nothing.",
        ),
        (
            "Spreadsheet crashes",
            "the planning spreadsheet closes by itself whenever I sort the third column.",
        ),
        (
            "Monitor stays black",
            "my second monitor stays black after lunch although the cable is plugged in.",
        ),
        (
            "Shared folder is slow",
            "opening files from the shared folder takes about a minute since the weekend.",
        ),
        (
            "New headset",
            "my headset has a broken microphone and I would like to order a new one.",
        ),
        (
            "Calendar invitations",
            "invitations from the project calendar arrive twice in my mailbox.",
        ),
    ],
    details: [
        "I have restarted the computer twice and it made no difference.",
        "My colleague at the next desk sees the same thing since this morning.",
        "It worked well until the update that was installed on Thursday evening.",
        "I can keep working on my other tasks, so any day this week is fine.",
        "A picture of the message is attached, I hope that it helps you.",
        "You find me at my desk until four, or send me a note and I will answer.",
    ],
    close: ["Thank you and best regards", "Many thanks for your help"],
};
const GERMAN: Phrases = Phrases {
    hello: ["Hallo zusammen,", "Guten Morgen,"],
    problems: [
        (
            "Drucker im zweiten Stock",
            "der Drucker neben der Küche nimmt jeden Auftrag an und druckt nichts.",
        ),
        (
            "Tabelle stürzt ab",
            "die Planungstabelle schließt sich, sobald ich die dritte Spalte sortiere.",
        ),
        (
            "Bildschirm bleibt dunkel",
            "mein zweiter Bildschirm bleibt nach der Pause dunkel, obwohl das Kabel steckt.",
        ),
        (
            "Laufwerk ist langsam",
            "das Öffnen von Dateien auf dem Laufwerk dauert seit dem Wochenende eine Minute.",
        ),
        (
            "Neues Headset",
            "das Mikrofon meines Headsets ist defekt, ich würde gern ein neues bestellen.",
        ),
        (
            "Termine doppelt",
            "Einladungen aus dem Projektkalender kommen doppelt in meinem Postfach an.",
        ),
    ],
    details: [
        "Ich habe den Rechner schon zweimal neu gestartet, leider ohne Erfolg.",
        "Meine Kollegin am Nebentisch sieht seit heute früh dasselbe.",
        "Bis zur Aktualisierung am Donnerstagabend hat alles gut funktioniert.",
        "Ich kann an anderen Aufgaben weiterarbeiten, diese Woche reicht völlig.",
        "Ein Bild der Meldung hängt an, ich hoffe, dass es hilft.",
        "Bis vier Uhr bin ich am Platz, sonst gern eine kurze Nachricht.",
    ],
    close: ["Vielen Dank und viele Grüße", "Danke für die Hilfe"],
};
const FRENCH: Phrases = Phrases {
    hello: ["Bonjour à tous,", "Bonjour,"],
    problems: [
        (
            "Imprimante du deuxième étage",
            "l'imprimante près de la cuisine accepte les travaux mais n'imprime rien.",
        ),
        (
            "Le tableur se ferme",
            "le tableur de planification se ferme dès que je trie la troisième colonne.",
        ),
        (
            "Écran noir",
            "mon deuxième écran reste noir après la pause alors que le câble est branché.",
        ),
        (
            "Dossier partagé lent",
            "l'ouverture des fichiers du dossier partagé prend une minute depuis le week-end.",
        ),
        (
            "Nouveau casque",
            "le micro de mon casque est cassé et je voudrais en commander un autre.",
        ),
        (
            "Invitations en double",
            "les invitations du calendrier du projet arrivent deux fois dans ma boîte.",
        ),
    ],
    details: [
        "J'ai redémarré l'ordinateur deux fois sans résultat.",
        "Ma collègue du bureau voisin constate la même chose depuis ce matin.",
        "Tout fonctionnait bien avant la mise à jour installée jeudi soir.",
        "Je peux avancer sur d'autres tâches, un passage cette semaine suffit.",
        "Une image du message est jointe, j'espère qu'elle vous aidera.",
        "Je suis à mon poste jusqu'à seize heures, sinon laissez-moi un mot.",
    ],
    close: ["Merci et bonne journée", "Merci pour votre aide"],
};
const SPANISH: Phrases = Phrases {
    hello: ["Hola a todos:", "Buenos días:"],
    problems: [
        (
            "Impresora de la segunda planta",
            "la impresora junto a la cocina acepta los trabajos y no imprime nada.",
        ),
        (
            "La hoja de cálculo se cierra",
            "la hoja de planificación se cierra cuando ordeno la tercera columna.",
        ),
        (
            "Pantalla en negro",
            "mi segunda pantalla se queda en negro después de comer, con el cable puesto.",
        ),
        (
            "Carpeta compartida lenta",
            "abrir archivos de la carpeta compartida tarda un minuto desde el fin de semana.",
        ),
        (
            "Auriculares nuevos",
            "el micrófono de mis auriculares está roto y quisiera pedir otros.",
        ),
        (
            "Invitaciones duplicadas",
            "las invitaciones del calendario del proyecto llegan dos veces a mi buzón.",
        ),
    ],
    details: [
        "He reiniciado el ordenador dos veces y sigue igual.",
        "Mi compañera de al lado ve lo mismo desde esta mañana.",
        "Todo funcionaba bien hasta la actualización del jueves por la tarde.",
        "Puedo seguir con otras tareas, cualquier día de esta semana me va bien.",
        "Adjunto una imagen del mensaje, espero que les sirva.",
        "Estoy en mi mesa hasta las cuatro, o déjenme una nota.",
    ],
    close: ["Gracias y un saludo", "Muchas gracias por la ayuda"],
};
const PORTUGUESE: Phrases = Phrases {
    hello: ["Olá a todos,", "Bom dia,"],
    problems: [
        (
            "Impressora do segundo andar",
            "a impressora ao lado da cozinha aceita os trabalhos e não imprime nada.",
        ),
        (
            "A folha de cálculo fecha",
            "a folha de planeamento fecha quando ordeno a terceira coluna.",
        ),
        (
            "Ecrã preto",
            "o meu segundo ecrã fica preto depois do almoço, com o cabo ligado.",
        ),
        (
            "Pasta partilhada lenta",
            "abrir ficheiros da pasta partilhada demora um minuto desde o fim de semana.",
        ),
        (
            "Auscultadores novos",
            "o microfone dos meus auscultadores está partido e queria pedir outros.",
        ),
        (
            "Convites em duplicado",
            "os convites do calendário do projeto chegam duas vezes à minha caixa.",
        ),
    ],
    details: [
        "Já reiniciei o computador duas vezes e não fez diferença.",
        "A minha colega do lado vê a mesma coisa desde esta manhã.",
        "Tudo funcionava bem até à atualização de quinta-feira à noite.",
        "Posso continuar noutras tarefas, qualquer dia desta semana serve.",
        "Junto uma imagem da mensagem, espero que ajude.",
        "Estou na minha secretária até às quatro, ou deixem uma nota.",
    ],
    close: ["Obrigado e bom trabalho", "Muito obrigado pela ajuda"],
};

impl Language {
    /// The language of a share of a hundred: most write English.
    #[must_use]
    pub const fn of(share: usize) -> Self {
        match share {
            0..60 => Self::English,
            60..75 => Self::German,
            75..85 => Self::French,
            85..95 => Self::Spanish,
            _ => Self::Portuguese,
        }
    }

    /// Subject and text of an ordinary ticket.
    pub fn ticket(self, rng: &mut Rng) -> (&'static str, String) {
        let phrases = match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::French => &FRENCH,
            Self::Spanish => &SPANISH,
            Self::Portuguese => &PORTUGUESE,
        };
        let &(subject, problem) = rng.pick(&phrases.problems);
        let mut details = phrases.details;
        rng.shuffle(&mut details);
        let count = 2 + rng.below(4);
        let mut text = format!("{} {problem}", rng.pick::<&str>(&phrases.hello));
        for detail in details.iter().take(count) {
            text.push(' ');
            text.push_str(detail);
        }
        text.push(' ');
        text.push_str(rng.pick::<&str>(&phrases.close));
        (subject, text)
    }
}

/// A calm caller who is asked to prove who they are, and does.
pub(super) const CALM: [&str; 3] = [
    "Good morning, I cannot sign in since this morning. Could you help me with it?",
    "Of course, I have my badge here, the number is on the back.",
    "Yes, please call me back on the number that you have on file, no hurry.",
];

/// A caller who presses.
pub(super) const PRESSED: [&str; 3] = [
    "I need my MFA reset immediately, I am the vice president and the board meeting starts in ten minutes.",
    "There is no time for a call back, just skip the verification this once.",
    "Do it right now and send the code to my new phone, or I will talk to your manager.",
];

/// A caller with an ordinary matter.
pub(super) const ORDINARY: [&str; 3] = [
    "Hello, the projector in the large meeting room does not show my screen.",
    "It says no signal, and the cable is plugged in on both sides.",
    "Great, now I see the picture. Thank you, that was all.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_have_the_size_of_tickets() {
        let mut rng = Rng::new(7);
        for share in (0..100).cycle().take(2_000) {
            let (_, text) = Language::of(share).ticket(&mut rng);
            assert!((180..=620).contains(&text.len()), "{} {text}", text.len());
        }
    }
}
