//! The names under which the server answers.
//!
//! A page can lead its own name to this machine after it was loaded; to the browser, what the
//! server then answers belongs to that page. So a name that a stranger could own gets nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;

use hyper::Request;
use warp::http::header::HOST;
use warp::http::uri::{Authority, Uri};
use warp::http::{HeaderValue, StatusCode};

use super::Options;
use super::error::ApiError;

/// Nobody outside can own a name under these.
const OURS: [&str; 3] = ["localhost", "local", "internal"];
/// So many names that were refused are logged; more of them say nothing new.
const LOGGED_MAX: usize = 32;

/// The names that were refused: each is logged once.
#[derive(Default)]
pub(super) struct Refused(Mutex<BTreeSet<String>>);

impl Refused {
    /// Whether the server answers under the name by which it is asked.
    pub(super) fn check<B>(&self, options: &Options, request: &Request<B>) -> Result<(), ApiError> {
        let target = request.uri().authority().map(|authority| authority.host().to_ascii_lowercase());
        let headers = request.headers().get_all(HOST).iter().map(name);
        match target.into_iter().chain(headers).find(|name| !is_allowed(options, name)) {
            None => Ok(()),
            Some(name) => {
                self.log(&name);
                Err(ApiError::new(StatusCode::MISDIRECTED_REQUEST, format!("Host '{name}' is not allowed")))
            }
        }
    }

    fn log(&self, name: &str) {
        let mut refused = self.0.lock().expect("no panic while locked");
        if refused.len() < LOGGED_MAX && refused.insert(name.to_owned()) {
            tracing::warn!("a request for the host `{name}` was refused; if that is this server, `--allowed-host {name}` lets it in");
        }
    }
}

/// Without the port, in small letters; what is no name stays as it came.
fn name(header: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(header.as_bytes());
    text.parse::<Authority>().map_or_else(|_| text.to_string(), |authority| authority.host().to_owned()).to_ascii_lowercase()
}

fn is_allowed(options: &Options, name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let address = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(name);
    if address.parse::<IpAddr>().is_ok() {
        return true;
    }
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let ours = plain && name.rsplit_once('.').is_none_or(|(_, top)| OURS.contains(&top));
    let is = |allowed: &str| allowed == "*" || allowed.strip_suffix('.').unwrap_or(allowed).eq_ignore_ascii_case(name);
    ours || options.allowed_hosts.iter().any(|allowed| is(allowed)) || public(options).is_some_and(|public| is(&public))
}

/// The name in the public URL.
fn public(options: &Options) -> Option<String> {
    Some(options.public_url.as_deref()?.parse::<Uri>().ok()?.host()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_stranger_could_own_is_refused() {
        let options = Options {
            allowed_hosts: vec!["Flows.Example".into()],
            public_url: Some("https://public.example:8443/wf/".into()),
            ..Options::default()
        };
        let check = |headers: &[&str], target: &str| {
            let request = headers.iter().fold(Request::get(target), |request, host| request.header(HOST, *host));
            Refused::default().check(&options, &request.body(()).expect("a request")).map_err(|error| error.to_string())
        };
        for host in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "[fe80::1]",
            "10.0.0.7",
            "localhost",
            "LOCALHOST.:80",
            "wf_host:8080",
            "a.b.localhost",
            "printer.local",
            "wf.svc.internal",
            "flows.example:80",
            "FLOWS.example.",
            "public.example",
        ] {
            assert_eq!(check(&[host], "/"), Ok(()), "{host}");
        }
        for host in ["evil.example", "evil.example:8080", "EVIL.example.", "localhost.evil.example", "x@evil.example", "127.1"] {
            let name = host.trim_end_matches(":8080").trim_start_matches("x@").to_ascii_lowercase();
            assert_eq!(check(&[host], "/"), Err(format!("Host '{name}' is not allowed")), "{host}");
        }
        for host in ["", "a b", "evil.example/x", "[::1", "\u{e9}"] {
            assert!(check(&[host], "/").is_err(), "{host}");
        }
        assert_eq!(check(&[], "/"), Ok(()), "HTTP/1.0 names none, and no browser speaks it");
        assert!(check(&["localhost", "evil.example"], "/").is_err());
        assert!(check(&["localhost"], "http://evil.example/").is_err());
    }

    #[test]
    fn each_name_is_logged_once_and_few_of_them() {
        let refused = Refused::default();
        (0..100).for_each(|number| refused.log(&format!("{}.example", number / 2)));
        assert_eq!(refused.0.lock().expect("not poisoned").len(), LOGGED_MAX);
    }
}
