//! What became of a request that has no answer, in words. No URL is in them: one may hold what is private.

use std::error::Error;
use std::net::IpAddr;

use wf_engine::entry::Failure;

use super::addresses::Inside;

/// That nothing came, or no more.
pub(super) fn broken(origin: &str, error: &reqwest::Error) -> Failure {
    let mut root: &dyn Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let root = if root.downcast_ref::<reqwest::Error>().is_some() { "the connection broke".to_owned() } else { root.to_string() };
    if error.is_connect() && error.is_timeout() {
        return Failure::new("timeout", format!("`{origin}` cannot be connected to in time"), true);
    }
    let what = if error.is_connect() { "cannot be connected to" } else { "did not answer as it should" };
    Failure::new("network", format!("`{origin}` {what}: {root}"), true)
}

/// The address that a name was found at, where nobody may connect to.
pub(super) fn inside(error: &reqwest::Error) -> Option<IpAddr> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Inside(address)) = error.downcast_ref() {
            return Some(*address);
        }
        source = error.source();
    }
    None
}
