//! What a sink may reach. Its address comes from the configuration, but names are looked up by
//! others: whatever a name leads to is checked when it is looked up, and that very address is
//! connected to, so a name cannot lead elsewhere a moment later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::egress::Way;
use crate::edge::config::{Receiver, SinkSetup, host_and_port};

/// Which addresses are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Addresses of private networks and of this machine too.
    pub allow_private: bool,
}

/// Why an address is not connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Never allowed: what cloud machines ask for their own credentials, and what is no host.
    #[error("{0} is no address that a sink may reach")]
    Never(IpAddr),
    /// Allowed where the sink says so.
    #[error("{0} is a private address; set allow_private on this sink if it is meant")]
    Private(IpAddr),
    /// The name leads nowhere.
    #[error("{0} has no address")]
    Nowhere(String),
}

/// A look-up beside the proxy's takes no longer; in networks without names it may get no answer.
const GLANCE_TIME: Duration = Duration::from_secs(2);

/// Instance metadata of clouds that lies outside the link-local network: Alibaba, and AWS by IPv6.
const METADATA_V4: [Ipv4Addr; 1] = [Ipv4Addr::new(100, 100, 100, 200)];
const METADATA_V6: [Ipv6Addr; 1] = [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)];

/// What a network is, for a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Never,
}

impl Reach {
    /// Whether an address may be connected to.
    ///
    /// # Errors
    /// Why not.
    pub fn check(self, address: IpAddr) -> Result<(), Refused> {
        let kind = match address {
            IpAddr::V4(v4) => kind_v4(v4),
            IpAddr::V6(v6) => kind_v6(v6),
        };
        match kind {
            Kind::Public => Ok(()),
            Kind::Private if self.allow_private => Ok(()),
            Kind::Private => Err(Refused::Private(address)),
            Kind::Never => Err(Refused::Never(address)),
        }
    }

    /// Looks a host up, once. Of its addresses those that are allowed.
    ///
    /// # Errors
    /// None is allowed, or there is none.
    pub async fn resolve(self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
        let nowhere = || Refused::Nowhere(host.to_owned());
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((bare, port)).await;
        let mut refused = nowhere();
        let mut allowed = Vec::new();
        for address in found.map_err(|_| nowhere())? {
            match self.check(address.ip()) {
                Ok(()) => allowed.push(address),
                Err(why) => refused = why,
            }
        }
        if allowed.is_empty() {
            Err(refused)
        } else {
            Ok(allowed)
        }
    }
}

impl Reach {
    /// Looks at a host that a proxy connects to. Where that leads cannot be held to; but what leads inward
    /// from here is not asked for. Of names that are not known here only the proxy can judge.
    ///
    /// # Errors
    /// One of its addresses is not allowed.
    pub async fn glance(self, host: &str) -> Result<(), Refused> {
        let host = host.trim_end_matches('.');
        // By RFC 6761 that is whichever machine is asked, known there or not.
        if host == "localhost" || host.ends_with(".localhost") {
            return self.check(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let found = timeout(GLANCE_TIME, tokio::net::lookup_host((host, 0))).await;
        let Ok(Ok(mut addresses)) = found else {
            return Ok(());
        };
        addresses.try_for_each(|address| self.check(address.ip()))
    }
}

/// Whether a receiver can be connected to, and where; behind a proxy, whether that can.
///
/// # Errors
/// Why not, in words.
pub async fn knock(setup: &SinkSetup) -> Result<Knocked, String> {
    let mut reach = Reach {
        allow_private: setup.allow_private,
    };
    let mut place = setup.receiver.place();
    let way = Way::new(setup.egress.as_ref()).map_err(|fault| fault.to_string())?;
    let over = setup.egress.as_ref().zip(setup.receiver.url());
    let over = over.filter(|(_, url)| way.is_over(url));
    if let Some((egress, _)) = over {
        let bare = place.0.trim_start_matches('[').trim_end_matches(']');
        let allowed = match bare.parse() {
            Ok(address) => reach.check(address),
            Err(_) => reach.glance(bare).await,
        };
        allowed.map_err(|refused| refused.to_string())?;
        place = host_and_port(&egress.proxy);
        reach.allow_private = true;
    }
    let address = connect(&place, reach, setup.timeout).await?;
    Ok(match (over, &setup.receiver, &setup.egress) {
        (Some(_), _, _) => Knocked::Proxy(address),
        (None, Receiver::Syslog { .. }, Some(_)) => Knocked::BesideProxy(address),
        (None, _, _) => Knocked::Receiver(address),
    })
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knocked {
    /// The receiver.
    Receiver(SocketAddr),
    /// The receiver, which is not reached over the proxy that there is: syslog.
    BesideProxy(SocketAddr),
    /// The proxy over which it is reached; nothing is known of the receiver.
    Proxy(SocketAddr),
}

async fn connect(
    (host, port): &(String, u16),
    reach: Reach,
    time: Duration,
) -> Result<SocketAddr, String> {
    let addresses = reach.resolve(host, *port).await;
    let addresses = addresses.map_err(|refused| refused.to_string())?;
    let connected = timeout(time, TcpStream::connect(&*addresses)).await;
    let stream = connected
        .map_err(|_| format!("{host}:{port} does not answer"))?
        .map_err(|error| format!("{host}:{port}: {error}"))?;
    stream.peer_addr().map_err(|error| error.to_string())
}

/// Networks by the IANA special-purpose registry.
fn kind_v4(address: Ipv4Addr) -> Kind {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        _ if METADATA_V4.contains(&address) => Kind::Never,
        // This network, link-local (with instance metadata), multicast and reserved.
        (0, ..) | (169, 254, _) | (224.., ..) => Kind::Never,
        // Protocol assignments, documentation, benchmarks, 6to4 relays: nobody's hosts.
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (198, 18 | 19, _) | (192, 88, 99) => {
            Kind::Never
        }
        (10 | 127, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Kind::Private,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    // An IPv4 address in a coat is what it is underneath: mapped, compatible, NAT64, 6to4, Teredo.
    if let Some(inner) = inner_v4(address) {
        return kind_v4(inner);
    }
    let [first, second, ..] = address.segments();
    match first {
        _ if METADATA_V6.contains(&address) => Kind::Never,
        _ if address.is_loopback() => Kind::Private,
        0xfc00..=0xfdff => Kind::Private,
        // Documentation.
        0x2001 if second == 0x0db8 => Kind::Never,
        // Global unicast is all that has hosts beside those above.
        0x2000..=0x3fff => Kind::Public,
        _ => Kind::Never,
    }
}

fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        // ::1 and :: are no coats.
        [0, 0, 0, 0, 0, 0, 0, _] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(of(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        [0x2001, 0, .., high, low] => Some(of(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAREFUL: Reach = Reach {
        allow_private: false,
    };
    const OPEN: Reach = Reach {
        allow_private: true,
    };

    #[test]
    fn what_no_sink_may_reach() {
        let never = [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "192.0.0.1",
            "192.0.2.7",
            "198.51.100.9",
            "203.0.113.5",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "2001:db8::1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
            "100::1",
        ];
        for text in never {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(OPEN.check(address), Err(Refused::Never(address)), "{text}");
        }
    }

    #[test]
    fn private_networks_only_where_they_are_meant() {
        let private = [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.254",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.254",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.1.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ];
        for text in private {
            let address: IpAddr = text.parse().unwrap();
            let refused = Err(Refused::Private(address));
            assert_eq!(CAREFUL.check(address), refused, "{text}");
            assert_eq!(OPEN.check(address), Ok(()), "{text}");
        }
        for text in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert_eq!(CAREFUL.check(text.parse().unwrap()), Ok(()), "{text}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_name_is_what_it_leads_to() {
        let found = CAREFUL.resolve("localhost", 80).await.unwrap_err();
        assert!(matches!(found, Refused::Private(_)), "{found}");
        assert!(!OPEN.resolve("localhost", 80).await.unwrap().is_empty());
        let nowhere = OPEN.resolve("nowhere.invalid", 80).await.unwrap_err();
        assert_eq!(nowhere, Refused::Nowhere("nowhere.invalid".into()));
    }
}
