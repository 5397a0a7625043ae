//! Which requests to the outside are granted, by method, scheme, host and port.

use std::fmt::{self, Display};
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

/// A grant of requests: `https://api.example.com`, `GET,POST http://10.0.0.7:8080`, `https://*.example.com:*`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    text: String,
    /// None are named: any.
    methods: Vec<String>,
    /// None: any of the two.
    scheme: Option<&'static str>,
    host: Hosts,
    port: Port,
}

#[derive(Clone, Debug, PartialEq)]
enum Hosts {
    Any,
    Name(String),
    /// Names that end so, with the dot.
    Below(String),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Port {
    /// That of the scheme.
    Usual,
    Any,
    Number(u16),
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Pattern, String> {
        let text = text.trim();
        let (methods, place) = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
        let methods: Vec<String> = methods.split([',', ' ']).filter(|it| !it.is_empty()).map(str::to_owned).collect();
        if let Some(method) = methods.iter().find(|it| !it.bytes().all(|byte| byte.is_ascii_uppercase())) {
            return Err(format!("`{method}` is no method: they are written as GET or POST"));
        }
        let (scheme, place) = match place.split_once("://") {
            Some(("https", place)) => (Some("https"), place),
            Some(("http", place)) => (Some("http"), place),
            Some(("*", place)) => (None, place),
            Some((other, _)) => return Err(format!("`{other}` is no scheme of requests: it is `https`, `http` or `*`")),
            None => (Some("https"), place),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        if let Some(part) = place.chars().find(|it| "/?#@\\".contains(*it)) {
            return Err(format!("a host is granted as a whole: nothing with `{part}` can stand behind or before it"));
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (place, None),
        };
        let port = match port {
            None => Port::Usual,
            Some("*") => Port::Any,
            Some(number) => Port::Number(number.parse().map_err(|_| format!("`{number}` is no port"))?),
        };
        Ok(Pattern { text: text.to_owned(), methods, scheme, host: hosts(host)?, port })
    }
}

fn hosts(text: &str) -> Result<Hosts, String> {
    if text == "*" {
        return Ok(Hosts::Any);
    }
    let (name, below) = text.strip_prefix("*.").map_or((text, false), |name| (name, true));
    if name.contains('*') {
        return Err(format!("in `{text}` a `*` stands for all, or for what is before the first dot"));
    }
    match (Host::parse(name).map_err(|error| format!("`{text}` is no host: {error}"))?, below) {
        (Host::Domain(name), false) => Ok(Hosts::Name(name.trim_end_matches('.').to_owned())),
        (Host::Domain(name), true) => Ok(Hosts::Below(format!(".{}", name.trim_end_matches('.')))),
        (Host::Ipv4(address), false) => Ok(Hosts::Address(address.into())),
        (Host::Ipv6(address), false) => Ok(Hosts::Address(IpAddr::V6(address).to_canonical())),
        _ => Err(format!("an address is granted as a whole, and `{text}` is a part of one")),
    }
}

impl Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Pattern {
    /// Whether it grants this request. Whether the address that its host is found at may be connected to is another question.
    pub fn grants(&self, method: &str, url: &Url) -> bool {
        let scheme = self.scheme.map_or_else(|| ["http", "https"].contains(&url.scheme()), |scheme| scheme == url.scheme());
        let method = self.methods.is_empty() || self.methods.iter().any(|it| it == method);
        let port = match self.port {
            Port::Usual => url.port().is_none(),
            Port::Any => true,
            Port::Number(port) => url.port_or_known_default() == Some(port),
        };
        let host = match (&self.host, url.host()) {
            (Hosts::Any, Some(_)) => true,
            (Hosts::Name(name), Some(Host::Domain(host))) => host.trim_end_matches('.') == name,
            (Hosts::Below(end), Some(Host::Domain(host))) => host.trim_end_matches('.').ends_with(end),
            (Hosts::Address(address), Some(Host::Ipv4(host))) => *address == host,
            (Hosts::Address(address), Some(Host::Ipv6(host))) => *address == IpAddr::V6(host).to_canonical(),
            _ => false,
        };
        scheme && method && port && host
    }

    /// The address that it grants by name, for a connection to this port: also one that lies within this machine or its networks.
    pub fn address(&self, port: u16) -> Option<IpAddr> {
        let usual = |scheme: &str| if scheme == "http" { port == 80 } else { port == 443 };
        let fits = match (self.port, self.scheme) {
            (Port::Any, _) => true,
            (Port::Number(number), _) => number == port,
            (Port::Usual, Some(scheme)) => usual(scheme),
            (Port::Usual, None) => usual("http") || usual("https"),
        };
        match self.host {
            Hosts::Address(address) if fits => Some(address),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(pattern: &str, method: &str, url: &str) -> bool {
        let pattern: Pattern = pattern.parse().expect("a pattern");
        pattern.grants(method, &Url::parse(url).expect("a URL"))
    }

    #[test]
    fn a_pattern_is_scheme_host_port_and_methods() {
        for (pattern, url) in [
            ("https://a.b", "https://a.b/any?thing"),
            ("a.b", "https://A.B:443/"),
            ("https://a.b/", "https://a.b./"),
            ("https://*.b", "https://x.y.b/"),
            ("*://a.b:*", "http://a.b:1234/"),
            ("http://a.b:80", "http://a.b/"),
            ("http://127.0.0.1:81", "http://2130706433:81/"),
            ("http://127.0.0.1", "http://[::ffff:127.0.0.1]/"),
            ("http://[::1]:81", "http://[0:0::1]:81/"),
            ("https://*", "https://8.8.8.8/"),
            ("https://bücher.example", "https://xn--bcher-kva.example/"),
        ] {
            assert!(grants(pattern, "GET", url), "{pattern} {url}");
        }
        for (pattern, url) in [
            ("https://a.b", "http://a.b/"),
            ("https://a.b", "https://a.b:444/"),
            ("https://a.b", "https://a.b.evil/"),
            ("https://a.b", "https://evil/a.b"),
            ("https://a.b", "https://a.b@evil/"),
            ("https://*.b", "https://b/"),
            ("https://*.b", "https://eb/"),
            ("http://127.0.0.1", "http://127.0.0.1:81/"),
            ("https://*", "http://a.b/"),
            ("*://*", "ftp://a.b/"),
        ] {
            assert!(!grants(pattern, "GET", url), "{pattern} {url}");
        }
        assert!(grants("GET,POST https://a.b", "POST", "https://a.b/") && !grants("GET https://a.b", "POST", "https://a.b/"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in
            ["", "ftp://a", "https://a/b", "https://u@a", "a:b", "a:70000", "*a", "a.*", "*.1.2.3.4", "get a", "http://[::1", "https://"]
        {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_granted_by_name_and_port() {
        let address = |text: &str, port| text.parse::<Pattern>().expect("a pattern").address(port).is_some();
        assert!(address("http://127.0.0.1:81", 81) && address("http://127.0.0.1", 80) && address("https://[::1]:*", 5));
        assert!(!address("http://127.0.0.1:81", 82) && !address("http://localhost:81", 81) && !address("*://*:*", 81));
    }
}
