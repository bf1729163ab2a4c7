//! How much one client may ask: requests a second and open streams, per address and bearer.

use super::problem::Problem;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests of one client in a second: whoever works on the page asks few.
const REQUESTS_PER_SECOND: u32 = 50;
/// Files of the page that weigh as much as a request: it has some forty, a browser loads them all at
/// once, and several people may stand behind one address.
const PAGE_FILES: u32 = 20;
/// Streams of one client at a time: browser tabs, and a script or two.
const STREAMS_MAX: usize = 10;
/// From so many clients on, those who have been quiet for a second are forgotten first.
const CLIENTS_SWEEP: usize = 4_096;

/// The limits of one client.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests in a second.
    pub requests_per_second: u32,
    /// Streams at a time.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: REQUESTS_PER_SECOND,
            streams: STREAMS_MAX,
        }
    }
}

/// A client: its address and, once that is known, whose credential it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Client {
    address: IpAddr,
    bearer: Option<Arc<str>>,
}

impl Client {
    /// Of an IPv6 address the network counts: who has one address has 2^64 of them.
    pub(super) fn new(address: IpAddr, bearer: Option<Arc<str>>) -> Self {
        let address = match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
            v4 @ IpAddr::V4(_) => v4,
        };
        Self { address, bearer }
    }
}

type Store = DashMapStateStore<Client, RandomState>;
type Counted =
    RateLimiter<Client, Store, DefaultClock, NoOpMiddleware<<DefaultClock as Clock>::Instant>>;

/// What clients have asked of late, and which streams they have open.
#[derive(Debug)]
pub(super) struct Meter {
    requests: Counted,
    page_files: Counted,
    streams: Mutex<BTreeMap<Client, usize>>,
    streams_max: usize,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        let most = NonZeroU32::new(limits.requests_per_second).unwrap_or(NonZeroU32::MIN);
        let counted = |most| {
            RateLimiter::dashmap_with_clock_and_hasher(
                Quota::per_second(most),
                DefaultClock::default(),
                RandomState::new(),
            )
        };
        let files = most.saturating_mul(NonZeroU32::new(PAGE_FILES).unwrap_or(NonZeroU32::MIN));
        Self {
            requests: counted(most),
            page_files: counted(files),
            streams: Mutex::default(),
            streams_max: limits.streams,
        }
    }

    /// Counts a request, or refuses it.
    pub(super) fn request(&self, client: &Client) -> Result<(), Problem> {
        count(&self.requests, client)
    }

    /// Counts a request for a file of the page, or refuses it.
    pub(super) fn page_file(&self, client: &Client) -> Result<(), Problem> {
        count(&self.page_files, client)
    }

    /// Takes a place for a stream, which is free again when the place is dropped.
    pub(super) fn stream(self: &Arc<Self>, client: Client) -> Result<StreamPlace, Problem> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.entry(client.clone()).or_insert(0);
        if *open >= self.streams_max {
            let detail = format!("{open} streams are open already; close one");
            return Err(Problem::too_many(detail, std::time::Duration::ZERO));
        }
        *open += 1;
        drop(streams);
        Ok(StreamPlace {
            meter: Arc::clone(self),
            client,
        })
    }
}

fn count(counted: &Counted, client: &Client) -> Result<(), Problem> {
    if counted.len() > CLIENTS_SWEEP {
        counted.retain_recent();
    }
    counted.check_key(client).map_err(|until| {
        let wait = until.wait_time_from(counted.clock().now());
        Problem::too_many("too many requests in a second", wait)
    })
}

/// An open stream of a client.
#[derive(Debug)]
pub(super) struct StreamPlace {
    meter: Arc<Meter>,
    client: Client,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut streams = self
            .meter
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = streams.get_mut(&self.client) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, bearer: Option<&str>) -> Client {
        Client::new(address.parse().unwrap(), bearer.map(Into::into))
    }

    #[test]
    fn each_client_has_its_own_measure() {
        let meter = Meter::new(Limits {
            requests_per_second: 2,
            streams: 1,
        });
        let (anna, bea) = (
            client("192.0.2.1", Some("anna")),
            client("192.0.2.1", Some("bea")),
        );
        for _ in 0..2 {
            meter.request(&anna).unwrap();
        }
        assert!(meter.request(&anna).is_err());
        assert!(meter.request(&bea).is_ok());
        assert!(meter.request(&client("192.0.2.2", Some("anna"))).is_ok());
    }

    #[test]
    fn the_page_is_loaded_twice_in_a_second_and_is_no_way_around() {
        let meter = Meter::new(Limits {
            requests_per_second: 4,
            streams: 1,
        });
        let stranger = client("192.0.2.1", None);
        for _ in 0..4 * PAGE_FILES {
            meter.page_file(&stranger).unwrap();
        }
        assert!(meter.page_file(&stranger).is_err());
        assert!(meter.request(&stranger).is_ok(), "counted apart");
    }

    #[test]
    fn a_network_of_addresses_is_one_client() {
        let one = client("2001:db8:1:2::1", None);
        assert_eq!(one, client("2001:db8:1:2:ffff::9", None));
        assert_ne!(one, client("2001:db8:1:3::1", None));
        assert_eq!(client("::ffff:192.0.2.1", None), client("192.0.2.1", None));
    }

    #[test]
    fn a_stream_that_ends_makes_room() {
        let meter = Arc::new(Meter::new(Limits {
            requests_per_second: 1,
            streams: 1,
        }));
        let anna = client("192.0.2.1", Some("anna"));
        let place = meter.stream(anna.clone()).unwrap();
        assert!(meter.stream(anna.clone()).is_err());
        drop(place);
        assert!(meter.stream(anna).is_ok());
        assert!(
            meter.streams.lock().unwrap().is_empty(),
            "nothing is left behind"
        );
    }
}
