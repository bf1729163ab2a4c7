//! The people of the story: an invented firm with its executives, help desk, contractors and staff.
//! Names, numbers, addresses and networks are made up or reserved for documentation.

use super::rng::Rng;
use super::texts::Language;

/// Fewest people with which the day has all its parts.
pub const PEOPLE_MIN: usize = 100;
/// Most people: beyond, names and numbers would repeat.
pub const PEOPLE_MAX: usize = 2_000;

const FIRST: [&str; 48] = [
    "Nora", "Otto", "Ida", "Theo", "Marta", "Felix", "Ines", "Jonas", "Clara", "Emil", "Lucia",
    "Hugo", "Selma", "Anton", "Paula", "Bruno", "Elena", "Oscar", "Greta", "Victor", "Alma",
    "Rafael", "Livia", "Simon", "Carmen", "Leon", "Judith", "Mateo", "Agnes", "Tomas", "Helena",
    "Ruben", "Flora", "Adrian", "Nina", "Jakob", "Sofia", "Pascal", "Irene", "Milan", "Teresa",
    "Edgar", "Camille", "Luis", "Dora", "Samuel", "Beatriz", "Konrad",
];
const LAST: [&str; 48] = [
    "Winter",
    "Krall",
    "Moor",
    "Sandoval",
    "Brandt",
    "Okafor",
    "Lindqvist",
    "Marchetti",
    "Novak",
    "Ferreira",
    "Dubois",
    "Hartmann",
    "Ellison",
    "Petrov",
    "Quintana",
    "Reuter",
    "Salgado",
    "Thorne",
    "Underhill",
    "Vasquez",
    "Weller",
    "Ximenes",
    "Yardley",
    "Zeller",
    "Abbott",
    "Bellamy",
    "Castell",
    "Drummond",
    "Engel",
    "Fontaine",
    "Garrick",
    "Holm",
    "Iversen",
    "Jimenez",
    "Kessler",
    "Lambert",
    "Monteiro",
    "Nyberg",
    "Oakes",
    "Pereira",
    "Rousseau",
    "Steiner",
    "Tavares",
    "Urban",
    "Varga",
    "Whitlock",
    "Ibarra",
    "Zimmer",
];
/// Each with the hundred numbers that are kept for fiction.
const AREAS: [u32; 20] = [
    202, 206, 212, 213, 303, 305, 312, 313, 404, 415, 503, 512, 602, 612, 617, 702, 713, 808, 816,
    901,
];
const TITLES: [&str; 8] = [
    "Account Planner",
    "Accountant",
    "Logistics Coordinator",
    "Buyer",
    "Payroll Specialist",
    "Marketing Associate",
    "Product Designer",
    "Warehouse Supervisor",
];
const EXECUTIVE_TITLES: [&str; 4] = [
    "Chief Executive Officer",
    "Chief Financial Officer",
    "Vice President Operations",
    "Director of Sales",
];

/// What somebody is to the firm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Post {
    /// Leads it.
    Executive,
    /// Sits at the help desk.
    Desk,
    /// Leads a team.
    Manager,
    /// Works for it from outside.
    Contractor,
    /// Works there.
    Staff,
}

/// A network that somebody signs in from.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Address, of the ranges kept for documentation.
    pub ip: String,
    /// Autonomous system, of the numbers kept for documentation.
    pub asn: u32,
    /// Its name.
    pub org: &'static str,
    /// City.
    pub city: &'static str,
    /// Country.
    pub country: &'static str,
    /// A known proxy.
    pub proxy: bool,
}

/// A computer or telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Id given by the identity provider.
    pub id: String,
    /// Fingerprint of the browser.
    pub fingerprint: String,
    /// Shown name.
    pub name: String,
    /// Whether it is a telephone; else a managed laptop.
    pub phone: bool,
}

impl Device {
    /// A new device, of `owner` by its name.
    pub fn new(rng: &mut Rng, owner: &str, phone: bool) -> Self {
        Self {
            id: format!("guo{:017x}", rng.next_u64() >> 1),
            fingerprint: format!("{}{}", rng.sys_id(), rng.sys_id()),
            name: format!("{owner}'s {}", if phone { "phone" } else { "laptop" }),
            phone,
        }
    }
}

/// One person with their accounts and things.
#[derive(Debug, Clone)]
pub struct Person {
    /// Employee id.
    pub employee: String,
    /// Given name.
    pub first: &'static str,
    /// Family name.
    pub last: &'static str,
    /// User name; the local part of the address.
    pub user: String,
    /// Address and login.
    pub mail: String,
    /// Id in the identity provider.
    pub okta_id: String,
    /// Id in the ticketing system.
    pub sys_id: String,
    /// Number of record.
    pub mobile: String,
    /// What they are to the firm.
    pub post: Post,
    /// Job title.
    pub title: &'static str,
    /// Number of their manager among the people.
    pub manager: Option<usize>,
    /// Language in which they write tickets.
    pub language: Language,
    /// Their laptop.
    pub laptop: Device,
    /// Id of their authenticator enrolment.
    pub factor: String,
    /// Where they live.
    pub home: Place,
    /// Where they work.
    pub office: Place,
}

impl Person {
    /// First and family name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// Identity id that the directory gives them.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("hris:{}", self.employee)
    }

    /// Id of their account at the contact centre.
    #[must_use]
    pub fn agent_arn(&self) -> String {
        format!("{}/agent/{}", super::connect::INSTANCE, self.employee)
    }
}

/// Office and home networks: organisation, system, city, country.
const OFFICES: [(u32, &str, &str, &str); 3] = [
    (64_496, "Example Freight Office", "Boston", "United States"),
    (64_496, "Example Freight Office", "Hamburg", "Germany"),
    (64_496, "Example Freight Office", "Lisbon", "Portugal"),
];
const HOMES: [(u32, &str); 3] = [
    (64_500, "Example Cable"),
    (64_501, "Example Fibre"),
    (64_502, "Example Mobile"),
];

/// Everybody, the first with the executives and the desk.
pub fn people(rng: &mut Rng, count: usize) -> Vec<Person> {
    let executives = 4 + count / 150;
    let desk = 4 + count / 80;
    let mut names: Vec<usize> = (0..FIRST.len() * LAST.len()).collect();
    rng.shuffle(&mut names);
    let named = names.into_iter().take(count).enumerate();
    named
        .map(|(number, name)| {
            let post = match number {
                n if n < executives => Post::Executive,
                n if n < executives + desk => Post::Desk,
                n if n < executives + desk + count / 12 => Post::Manager,
                _ if rng.chance(80) => Post::Contractor,
                _ => Post::Staff,
            };
            let leaders = executives + desk..executives + desk + count / 12;
            let manager = match post {
                Post::Executive => (number > 0).then_some(0),
                Post::Desk | Post::Manager => Some(rng.below(executives)),
                Post::Contractor | Post::Staff => Some(leaders.start + rng.below(leaders.len())),
            };
            person(rng, (number, name), post, manager)
        })
        .collect()
}

/// One of a crowd of any size: the same for a seed and a number, so that nobody need be kept.
#[must_use]
pub fn numbered(seed: u64, number: usize) -> Person {
    let spread = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut rng = Rng::new(seed ^ spread);
    let name = number % (FIRST.len() * LAST.len());
    let mut person = person(&mut rng, (number, name), Post::Staff, None);
    person.user = format!("{}.{number}", person.user);
    person.mail = format!("{}@example.com", person.user);
    person
}

fn person(
    rng: &mut Rng,
    (number, name): (usize, usize),
    post: Post,
    manager: Option<usize>,
) -> Person {
    let first = FIRST.get(name % FIRST.len()).copied().unwrap_or("Nora");
    let last = LAST.get(name / FIRST.len()).copied().unwrap_or("Winter");
    let user = format!("{}.{}", first.to_lowercase(), last.to_lowercase());
    let area = AREAS.get(number / 100).copied().unwrap_or(202);
    let site = rng.below(OFFICES.len());
    let &(asn, org, city, country) = OFFICES.get(site).unwrap_or(&(0, "", "", ""));
    let &(home_asn, home_org) = rng.pick(&HOMES);
    Person {
        employee: format!("E{}", 10_001 + number),
        first,
        last,
        mail: format!("{user}@example.com"),
        okta_id: format!("00u{number:05}{:012x}", rng.next_u64() >> 16),
        sys_id: rng.sys_id(),
        mobile: format!("+1{area}55501{:02}", number % 100),
        post,
        title: match post {
            Post::Executive => EXECUTIVE_TITLES.get(number).copied().unwrap_or("Director"),
            Post::Desk => "Service Desk Analyst",
            Post::Manager => "Team Lead",
            Post::Contractor | Post::Staff => rng.pick::<&str>(&TITLES),
        },
        manager,
        language: Language::of(rng.below(100)),
        laptop: Device::new(rng, first, false),
        factor: format!("pfd{:017x}", rng.next_u64() >> 1),
        home: Place {
            ip: format!(
                "2001:db8:{:x}:{:x}::{:x}",
                256 * (1 + site) + (number >> 16),
                number & 0xffff,
                1 + rng.below(200)
            ),
            asn: home_asn,
            org: home_org,
            city,
            country,
            proxy: false,
        },
        office: Place {
            ip: format!("198.51.100.{}", 10 * (1 + site) + rng.below(4)),
            asn,
            org,
            city,
            country,
            proxy: false,
        },
        user,
    }
}
