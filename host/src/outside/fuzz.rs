//! Whatever a guest asks for, whatever is granted, and whatever an answer repeats.

use std::sync::Arc;

use url::Url;
use wf_tests::fuzz::{corpus, fuzz};

use super::redact::Redactor;
use super::{Asked, Exchange, is_public};
use crate::model::{Grants, Pattern};

#[test]
fn fuzz_request() {
    fuzz("request", &corpus("request"), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (grant, options) = text.split_once('\n').unwrap_or(("*://*:*", &text));
        let http: Vec<Pattern> = grant.parse().into_iter().collect();
        let names_addresses = http.iter().any(|it| (0..=u16::MAX).any(|port| it.address(port).is_some()));
        let exchange = Exchange::new("it", Arc::new(Grants { http, ..Grants::default() }));
        let Ok(asked) = Asked::read(options, Vec::new()) else { return };
        assert!(["http", "https"].contains(&asked.url.scheme()) && asked.url.username().is_empty());
        assert!(!asked.headers.contains_key("host") && !asked.headers.contains_key("transfer-encoding"));
        let permitted = exchange.permit(asked.method.as_str(), &asked.url).is_ok();
        let address = match asked.url.host() {
            Some(url::Host::Ipv4(address)) => Some(address.into()),
            Some(url::Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        if let Some(address) = address.filter(|_| permitted && !names_addresses) {
            assert!(is_public(address), "{address} is granted by nobody");
        }
        assert_eq!(Url::parse(asked.url.as_str()).as_ref(), Ok(&asked.url), "it is read as it was meant");
    });
}

#[test]
fn fuzz_redactor() {
    const VALUE: &[u8] = b"aabaabaa";
    fuzz("redactor", &corpus("redactor"), |bytes| {
        let mut redactor = Redactor::new(vec![(VALUE.to_vec(), b"<>".to_vec())]);
        let mut told: Vec<u8> = bytes.chunks(3).flat_map(|part| redactor.push(part)).collect();
        told.extend(redactor.end());
        assert!(told.windows(VALUE.len()).all(|window| window != VALUE), "it is nowhere");
        let mut whole = Redactor::new(vec![(VALUE.to_vec(), b"<>".to_vec())]);
        let mut at_once = whole.push(bytes);
        at_once.extend(whole.end());
        assert_eq!(told, at_once, "whatever the parts are");
    });
}
