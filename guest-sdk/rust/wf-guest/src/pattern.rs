//! Patterns of texts that types read in a form of their own.

/// A number of an IPv4 address.
const BYTE: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
/// A group of an IPv6 address.
const GROUP: &str = "[0-9a-fA-F]{1,4}";

/// Decimal digits of a number from 1 to this one, without zeros before it.
pub(crate) fn up_to(most: u128) -> String {
    let digits = most.to_string();
    let last = digits.len() - 1;
    let mut forms = vec![digits.clone()];
    if last > 0 {
        forms.push(format!("[1-9][0-9]{{0,{}}}", last - 1));
    }
    for (place, digit) in digits.bytes().enumerate() {
        let least = if place == 0 { b'1' } else { b'0' };
        if digit > least {
            let class = format!("[{}-{}]", char::from(least), char::from(digit - 1));
            forms.push(format!("{}{class}[0-9]{{{}}}", &digits[..place], last - place));
        }
    }
    format!("(?:{})", forms.join("|"))
}

pub(crate) fn ipv4() -> String {
    format!(r"(?:(?:{BYTE}\.){{3}}{BYTE})")
}

/// With or without `::`, and with an address of version 4 at its end.
pub(crate) fn ipv6() -> String {
    let group = format!("(?:{GROUP}:)");
    // What may stand before the last 32 bits: eight groups at most in all, of which `::` is at least one.
    let mut heads = vec![format!("{group}{{6}}"), format!("::{group}{{5}}")];
    heads.extend((0..=4).map(|after| format!("(?:{group}{{0,{}}}{GROUP})?::{group}{{{after}}}", 4 - after)));
    let (heads, ipv4) = (heads.join("|"), ipv4());
    format!("(?:(?:{heads})(?:{group}{GROUP}|{ipv4})|(?:{group}{{0,5}}{GROUP})?::{GROUP}|(?:{group}{{0,6}}{GROUP})?::)")
}

pub(crate) fn socket_v4() -> String {
    format!("(?:{}{})", ipv4(), port())
}

/// Its scope may stand behind the address.
pub(crate) fn socket_v6() -> String {
    format!(r"(?:\[{}(?:%0*(?:0|{}))?\]{})", ipv6(), up_to(u32::MAX.into()), port())
}

fn port() -> String {
    format!(":0*(?:0|{})", up_to(u16::MAX.into()))
}
