//! How often somebody may come, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// So many visitors are remembered; past this those who came long ago are forgotten, then all.
const REMEMBERED_MAX: usize = 65_536;

/// A rate, as in `100/s`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    many: NonZeroU32,
    each: Duration,
}

impl Rate {
    /// So many within that time, and as many at once.
    pub(super) const fn new(many: NonZeroU32, each: Duration) -> Rate {
        Rate { many, each }
    }
}

impl FromStr for Rate {
    type Err = ();

    fn from_str(text: &str) -> Result<Rate, ()> {
        let (many, unit) = text.split_once('/').ok_or(())?;
        let each = match unit.trim() {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return Err(()),
        };
        Ok(Rate { many: many.trim().parse().map_err(|_| ())?, each })
    }
}

/// The rates of many visitors: when each will have paid for all visits so far, where each visit
/// costs its part of the time (the generic cell rate algorithm).
pub(super) struct Rates<K> {
    rate: Rate,
    paid_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq + Clone> Rates<K> {
    pub(super) fn new(rate: Rate) -> Rates<K> {
        Rates { rate, paid_at: Mutex::default() }
    }

    /// Counts a visit; or says how long to wait for the next one.
    pub(super) fn visit(&self, who: &K) -> Result<(), Duration> {
        let (now, Rate { many, each }) = (Instant::now(), self.rate);
        let mut paid_at = self.paid_at.lock().expect("no panic while locked");
        if paid_at.len() >= REMEMBERED_MAX && !paid_at.contains_key(who) {
            paid_at.retain(|_, at| *at > now);
            if paid_at.len() > REMEMBERED_MAX / 2 {
                paid_at.clear();
            }
        }
        let paid = paid_at.get(who).map_or(now, |at| now.max(*at)) + each / many.get();
        let wait = paid.saturating_duration_since(now + each);
        if !wait.is_zero() {
            return Err(wait);
        }
        paid_at.insert(who.clone(), paid);
        Ok(())
    }
}

/// Whoever has one address of the newer kind has as many as fit behind its first half.
pub(super) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        older => older,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        let rate = |many, seconds| Ok(Rate::new(NonZeroU32::new(many).expect("some"), Duration::from_secs(seconds)));
        assert_eq!(["100/s", "6 / m", "1/h"].map(Rate::from_str), [rate(100, 1), rate(6, 60), rate(1, 3600)]);
        for text in ["", "100", "0/s", "-1/s", "1/d", "1/", "4294967296/s"] {
            assert_eq!(Rate::from_str(text), Err(()), "{text}");
        }
    }

    #[test]
    fn each_visitor_has_a_rate_of_their_own() {
        let rates = Rates::new("3/h".parse().expect("a rate"));
        for who in ["ada", "bob"] {
            for _ in 0..3 {
                assert_eq!(rates.visit(&who), Ok(()));
            }
            let wait = rates.visit(&who).expect_err("too often");
            assert!(wait > Duration::from_secs(1100) && wait <= Duration::from_secs(1200), "{wait:?}");
        }
    }

    #[test]
    fn however_many_come_few_are_remembered() {
        let rates = Rates::new("1/h".parse().expect("a rate"));
        for who in 0..3 * REMEMBERED_MAX {
            assert_eq!(rates.visit(&who), Ok(()));
            assert!(rates.paid_at.lock().expect("no panic").len() <= REMEMBERED_MAX);
        }
    }

    #[test]
    fn half_an_address_of_the_newer_kind_counts() {
        let of = |text: &str| neighbourhood(text.parse().expect("an address")).to_string();
        assert_eq!(["2001:db8:1:2:3:4:5:6", "::ffff:10.0.0.1", "10.0.0.1"].map(of), ["2001:db8:1:2::", "10.0.0.1", "10.0.0.1"]);
    }
}
