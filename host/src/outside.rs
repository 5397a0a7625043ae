//! The world outside, for guests: requests that were granted, and what comes back.
//!
//! It knows nothing of runs. Whoever asks has made durable what led to a request, and records what it gave.

// Read in this order.
mod addresses;

mod asked;

mod redact;

mod secrets;

mod broken;

mod body;

mod send;

mod told;

#[cfg(test)]
mod fuzz;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Certificate, Client};
use tokio::sync::Semaphore;
use url::{Host, Url};
use wf_engine::entry::Failure;

use crate::model::Grants;
use addresses::{Resolver, is_public};
pub use asked::{Asked, Question};
pub use body::Body;
/// One that several wait for.
pub type SharedBody = Arc<tokio::sync::Mutex<Body>>;
pub use secrets::Placeholders;
pub use told::Told;

/// Requests of one workflow that are under way at once, their bodies included; more wait for their turn.
const REQUESTS_MAX: usize = 64;
/// Longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a connection is kept that nobody uses, and how many to one host.
const KEPT: Duration = Duration::from_secs(30);
const KEPT_MAX: usize = 8;

/// All workflows' ways to the outside.
#[derive(Default)]
pub struct Outside(Mutex<HashMap<String, Arc<Exchange>>>);

/// One workflow's way to the outside: no other shares its turns or its connections.
pub struct Exchange {
    workflow: String,
    grants: Arc<Grants>,
    turns: Arc<Semaphore>,
    /// By the addresses within this machine and its networks that they may connect to.
    clients: Mutex<HashMap<Vec<IpAddr>, Client>>,
}

impl Outside {
    /// That of a workflow, by what it is granted now: what goes by other grants leaves through connections of its own.
    pub fn exchange(&self, workflow: &str, grants: &Arc<Grants>) -> Arc<Exchange> {
        let mut exchanges = self.0.lock().expect("no panic while locked");
        let before = exchanges.get(workflow);
        if let Some(exchange) = before.filter(|it| Arc::ptr_eq(&it.grants, grants)) {
            return exchange.clone();
        }
        let turns = before.map_or_else(|| Arc::new(Semaphore::new(REQUESTS_MAX)), |it| it.turns.clone());
        let exchange = Arc::new(Exchange { turns, ..Exchange::new(workflow, grants.clone()) });
        exchanges.insert(workflow.to_owned(), exchange.clone());
        exchange
    }
}

impl Exchange {
    fn new(workflow: &str, grants: Arc<Grants>) -> Exchange {
        let turns = Arc::new(Semaphore::new(REQUESTS_MAX));
        Exchange { workflow: workflow.to_owned(), grants, turns, clients: Mutex::default() }
    }

    /// Whether a request may be made, as far as its URL says: at an address by its name, or at a name that is found at
    /// one that may be connected to.
    fn permit(&self, method: &str, url: &Url) -> Result<(), Failure> {
        let origin = url.origin().ascii_serialization();
        if !self.grants.http.iter().any(|pattern| pattern.grants(method, url)) {
            let Exchange { workflow, .. } = self;
            return Err(denied(format!(
                "`{workflow}` is not granted the request `{method} {origin}`: add `allow_http = [\"{origin}\"]` to `[workflows.{workflow}]` in wf-host.toml, or start the host with `--allow-http {origin}`"
            )));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical(),
            _ => return Ok(()),
        };
        let may = is_public(address) || self.inside(url).contains(&address);
        if may { Ok(()) } else { Err(self.inner(&origin, address)) }
    }

    /// The addresses that are granted by themselves, for the port of this URL.
    fn inside(&self, url: &Url) -> Vec<IpAddr> {
        let port = url.port_or_known_default().unwrap_or_default();
        let mut inside: Vec<IpAddr> = self.grants.http.iter().filter_map(|pattern| pattern.address(port)).collect();
        inside.sort_unstable();
        inside.dedup();
        inside
    }

    /// That an address within is not granted.
    fn inner(&self, origin: &str, address: IpAddr) -> Failure {
        let Exchange { workflow, .. } = self;
        let shown = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        denied(format!(
            "`{workflow}` is not granted the address {address}, where `{origin}` is: one within this machine or its networks is granted by itself; add `http://{shown}` with its port to `allow_http` of `[workflows.{workflow}]` in wf-host.toml, or start the host with `--allow-http`"
        ))
    }

    /// The connections for a URL.
    async fn client(&self, url: &Url) -> Result<Client, Failure> {
        let inside = self.inside(url);
        if let Some(client) = self.clients.lock().expect("no panic while locked").get(&inside) {
            return Ok(client.clone());
        }
        let (resolver, roots) = (Resolver(inside.clone()), self.grants.roots.clone());
        // It reads the system's certificates.
        let made = tokio::task::spawn_blocking(move || client(resolver, roots.as_deref()));
        let made = made.await.map_err(|error| error.to_string()).and_then(|made| made);
        let made = made.map_err(|error| Failure::new("host", format!("no request can be made from this host: {error}"), true))?;
        Ok(self.clients.lock().expect("no panic while locked").entry(inside).or_insert(made).clone())
    }
}

fn client(resolver: Resolver, roots: Option<&[u8]>) -> Result<Client, String> {
    let roots = Certificate::from_pem_bundle(roots.unwrap_or_default());
    let client = Client::builder()
        // A proxy would connect for itself, wherever a name leads it to.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(concat!("wf-host/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_MAX)
        .pool_idle_timeout(KEPT)
        .pool_max_idle_per_host(KEPT_MAX)
        .dns_resolver(resolver);
    let roots = roots.map_err(|error| error.to_string())?;
    let client = if roots.is_empty() { client } else { client.tls_certs_merge(roots) };
    client.build().map_err(|error| error.to_string())
}

fn denied(message: String) -> Failure {
    Failure::new("denied", message, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(patterns: &[&str], url: &str) -> Result<(), String> {
        let http = patterns.iter().map(|it| it.parse().expect("a pattern")).collect();
        let exchange = Exchange::new("it", Arc::new(Grants { http, ..Grants::default() }));
        exchange.permit("GET", &Url::parse(url).expect("a URL")).map_err(|failure| failure.message)
    }

    #[test]
    fn an_address_within_is_granted_by_itself_alone() {
        let any = ["*://*:*"];
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://169.254.169.254/latest/meta-data",
            "http://10.1.2.3/",
            "http://[fd00::1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://0.0.0.0/",
        ] {
            let error = permitted(&any, url).expect_err(url);
            assert!(error.contains("is not granted the address"), "{error}");
        }
        assert_eq!(permitted(&any, "http://8.8.8.8/"), Ok(()));
        assert_eq!(permitted(&["http://127.0.0.1:81"], "http://2130706433:81/"), Ok(()));
        assert!(permitted(&["http://127.0.0.1:81", "*://*:*"], "http://127.0.0.1:82/").is_err());
    }

    #[test]
    fn what_is_not_granted_names_the_grant_and_where_it_stands() {
        let error = permitted(&[], "https://api.example.com/v1?key=hidden").expect_err("nothing is granted");
        let grant = r#"add `allow_http = ["https://api.example.com"]` to `[workflows.it]` in wf-host.toml, or start the host with `--allow-http https://api.example.com`"#;
        assert!(error.contains(grant) && !error.contains("hidden"), "{error}");
    }
}
