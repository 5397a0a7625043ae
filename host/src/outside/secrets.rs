//! Secrets: the guest has a placeholder, and requests to where a secret was granted for have its value.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use url::{Position, Url};
use wf_engine::entry::Failure;

use super::redact::Redactor;
use super::{Exchange, denied};
use crate::model::{Grants, Secret, Source};

/// What a URL has as it is.
const IN_URLS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What a guest has for its secrets: the same at every entry into its attempts, and not to be guessed by who has not
/// seen it, so that no text from elsewhere becomes a secret by chance.
#[derive(Clone, Debug)]
pub struct Placeholders(Vec<(String, Secret)>);

/// A request as it leaves.
pub(super) struct Filled {
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// For what comes back of it.
    pub redactor: Redactor,
}

impl Placeholders {
    /// For a run of this seed.
    pub fn new(grants: &Grants, seed: &[u8; 32]) -> Placeholders {
        let placeholder = |name: &str| {
            let hash = Sha256::new().chain_update(seed).chain_update("secret").chain_update(name).finalize();
            let hash: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
            format!("wf-secret-{name}-{hash}")
        };
        Placeholders(grants.secrets.iter().map(|secret| (placeholder(&secret.name), secret.clone())).collect())
    }

    /// The variables that the guest finds them in.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(placeholder, secret)| (secret.name.as_str(), placeholder.as_str()))
    }

    /// Whether a header has one of them.
    pub(super) fn is_in(&self, value: &HeaderValue) -> bool {
        let plain = basic(value).unwrap_or_default();
        self.0.iter().any(|(placeholder, _)| find(value.as_bytes(), placeholder) || plain.contains(placeholder))
    }
}

impl Exchange {
    /// Puts values in the place of placeholders, where they are granted for that.
    pub(super) async fn fill(
        &self,
        placeholders: &Placeholders,
        method: &str,
        url: &Url,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Filled, Failure> {
        let mut filled = Filled { url: url.clone(), headers: headers.clone(), body: body.to_vec(), redactor: Redactor::default() };
        let mut values = Vec::new();
        for (placeholder, secret) in &placeholders.0 {
            let in_url = url[Position::BeforePath..].contains(placeholder);
            let in_headers =
                headers.values().any(|it| find(it.as_bytes(), placeholder) || basic(it).is_some_and(|it| it.contains(placeholder)));
            let in_body = find(body, placeholder);
            if !in_url && !in_headers && !in_body {
                continue;
            }
            if !secret.hosts.iter().any(|pattern| pattern.grants(method, url)) {
                let (Exchange { workflow, .. }, origin, name) = (self, url.origin().ascii_serialization(), &secret.name);
                return Err(denied(format!(
                    "the secret `{name}` is not granted for `{method} {origin}`: name the host behind the `@` of that secret, in `secrets` of `[workflows.{workflow}]` in wf-host.toml or in `--secret`"
                )));
            }
            let value = value(secret).await?;
            let encoded = percent_encode(value.as_bytes(), IN_URLS).to_string();
            let quoted = quoted(&value);
            if in_url {
                let place = filled.url[..Position::BeforePath].to_owned();
                let whole = place + &filled.url[Position::BeforePath..].replace(placeholder, &encoded);
                filled.url = Url::parse(&whole).map_err(|_| unfit(secret, "the URL"))?;
            }
            if in_headers {
                fill_headers(&mut filled.headers, placeholder, &value).ok_or_else(|| unfit(secret, "a header"))?;
            }
            if in_body {
                let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
                let put = if kind.contains("json") {
                    &quoted
                } else if kind.contains("x-www-form-urlencoded") {
                    &encoded
                } else {
                    &value
                };
                filled.body = replaced(&filled.body, placeholder.as_bytes(), put.as_bytes());
            }
            values.extend([value, encoded, quoted].map(|value| (value.into_bytes(), placeholder.clone().into_bytes())));
        }
        filled.redactor = Redactor::new(values);
        Ok(filled)
    }
}

/// As it is now.
async fn value(secret: &Secret) -> Result<String, Failure> {
    match &secret.source {
        Source::Variable(_, value) => Ok(value.clone()),
        Source::File(path) => {
            let read = read(path).await;
            read.map_err(|why| {
                Failure::new("secret", format!("the secret `{}` cannot be read from `{}`: {why}", secret.name, path.display()), true)
            })
        }
    }
}

async fn read(path: &Path) -> Result<String, String> {
    let bytes = tokio::fs::read(path).await.map_err(|error| error.to_string())?;
    // What was wrong with it would be shown beside the text itself.
    let text = String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn fill_headers(headers: &mut HeaderMap, placeholder: &str, value: &str) -> Option<()> {
    for header in headers.values_mut() {
        let put = match basic(header).filter(|plain| plain.contains(placeholder)) {
            Some(plain) => format!("Basic {}", BASE64_STANDARD.encode(plain.replace(placeholder, value))).into_bytes(),
            None if find(header.as_bytes(), placeholder) => replaced(header.as_bytes(), placeholder.as_bytes(), value.as_bytes()),
            None => continue,
        };
        *header = HeaderValue::from_bytes(&put).ok()?;
        header.set_sensitive(true);
    }
    Some(())
}

/// Name and password of a header that has both, as text.
fn basic(header: &HeaderValue) -> Option<String> {
    let encoded = header.to_str().ok()?.strip_prefix("Basic ")?;
    String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()
}

/// As it stands within a text of JSON.
fn quoted(value: &str) -> String {
    let quoted = wf_engine::json::to_json(value);
    quoted.get().trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
}

fn unfit(secret: &Secret, place: &str) -> Failure {
    Failure::new("secret", format!("the secret `{}` has what {place} cannot have", secret.name), false)
}

fn find(bytes: &[u8], placeholder: &str) -> bool {
    bytes.windows(placeholder.len()).any(|window| window == placeholder.as_bytes())
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(from) {
            out.extend_from_slice(to);
            at += from.len();
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const VALUE: &str = "s3cr\"t/v&lue";

    fn exchange() -> (Exchange, Placeholders) {
        let hosts = vec!["https://a.b".parse().expect("a pattern")];
        let secret = Secret { name: "KEY".to_owned(), source: Source::Variable("K".to_owned(), VALUE.to_owned()), hosts };
        let grants = Grants { secrets: vec![secret], ..Grants::default() };
        let placeholders = Placeholders::new(&grants, &[7; 32]);
        (Exchange::new("it", Arc::new(grants)), placeholders)
    }

    #[tokio::test]
    async fn a_value_is_put_where_its_placeholder_stands_in_the_form_of_that_place() {
        let (exchange, placeholders) = exchange();
        let key = placeholders.variables().next().expect("one").1.to_owned();
        let url = Url::parse(&format!("https://a.b/c?key={key}&x=1")).expect("a URL");
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("user:{key}")));
        let headers = [("authorization", format!("Bearer {key}")), ("x-basic", basic), ("content-type", "application/json".to_owned())];
        let headers: HeaderMap =
            headers.into_iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect();
        let filled =
            exchange.fill(&placeholders, "POST", &url, &headers, format!(r#"{{"key":"{key}"}}"#).as_bytes()).await.expect("granted");
        assert_eq!(filled.url.as_str(), "https://a.b/c?key=s3cr%22t%2Fv%26lue&x=1");
        assert_eq!(filled.headers["authorization"], format!("Bearer {VALUE}"));
        assert_eq!(filled.headers["x-basic"], format!("Basic {}", BASE64_STANDARD.encode(format!("user:{VALUE}"))));
        assert_eq!(filled.body, br#"{"key":"s3cr\"t/v&lue"}"#);
        assert!(!format!("{:?}", filled.headers).contains("s3cr"), "no header shows it");
        assert_eq!(filled.redactor.text(&format!("{VALUE} s3cr%22t%2Fv%26lue")), format!("{key} {key}"));
    }

    #[tokio::test]
    async fn a_value_goes_nowhere_else() {
        let (exchange, placeholders) = exchange();
        let key = placeholders.variables().next().expect("one").1.to_owned();
        let url = Url::parse(&format!("https://a.b.evil/?{key}")).expect("a URL");
        let failure = exchange.fill(&placeholders, "GET", &url, &HeaderMap::new(), b"").await.err().expect("refused");
        assert!(failure.kind == "denied" && failure.message.contains("`KEY`") && !failure.message.contains("s3cr"), "{failure:?}");
        let filled = exchange.fill(&placeholders, "GET", &Url::parse("https://x").expect("a URL"), &HeaderMap::new(), b"none").await;
        assert_eq!(filled.expect("there is none").body, b"none");
        assert!(!format!("{placeholders:?}").contains("s3cr"));
        assert_ne!(key, Placeholders::new(&exchange.grants, &[8; 32]).variables().next().expect("one").1, "another run's is another");
    }
}
