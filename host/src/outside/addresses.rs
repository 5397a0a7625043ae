//! Where a connection may go: names are resolved here, and what is connected to is what was looked at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names to addresses that may be connected to: public ones, and these.
pub(super) struct Resolver(pub Vec<IpAddr>);

/// A name that is found only where nobody may connect to.
#[derive(Debug, thiserror::Error)]
#[error("it is found at {0}, within this machine or its networks")]
pub(super) struct Inside(pub IpAddr);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let granted = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let may = |address: &SocketAddr| is_public(address.ip()) || granted.contains(&address.ip().to_canonical());
            let allowed: Vec<SocketAddr> = found.iter().copied().filter(may).collect();
            match found.first() {
                Some(first) if allowed.is_empty() => Err(Inside(first.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether an address belongs to the internet at large: to no machine, network or protocol of its own.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network, private ones, this machine, links with their metadata services, and all from multicast on.
        (0 | 10 | 127 | 224..=255, ..) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Carriers' own, protocols', 6to4's, measurements', documentation's.
        (100, 64..=127, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Global ones; not protocols' (Teredo among them), documentation's, and what carries an IPv4 address within.
    let global = a & 0xe000 == 0x2000;
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a name may be connected to.
    async fn found(name: &str, granted: &[&str]) -> Result<Vec<IpAddr>, String> {
        let granted = granted.iter().map(|it| it.parse().expect("an address")).collect();
        let found = Resolver(granted).resolve(name.parse().expect("a name")).await;
        found.map(|found| found.map(|it| it.ip()).collect()).map_err(|error| error.to_string())
    }

    /// A connection asks no further: there is nothing between the look and the connect that a name could change.
    #[tokio::test]
    async fn a_name_is_found_only_where_it_may_be_connected_to() {
        let here: IpAddr = "127.0.0.1".parse().expect("an address");
        let error = found("localhost", &[]).await.expect_err("it is within");
        assert!(error.ends_with("within this machine or its networks"), "{error}");
        assert!(found("localhost", &["10.0.0.1"]).await.is_err(), "another address is granted");
        let found = found("localhost", &["127.0.0.1"]).await.expect("it is granted");
        assert!(!found.is_empty() && found.iter().all(|it| *it == here), "of all that it is found at only what is granted: {found:?}");
    }

    fn public(text: &str) -> bool {
        is_public(text.parse().expect("an address"))
    }

    #[test]
    fn only_the_internet_at_large_is_public() {
        for address in ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8"] {
            assert!(public(address), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.9.9",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "64:ff9b::a00:1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(!public(address), "{address}");
        }
    }
}
