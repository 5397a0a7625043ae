//! From a request that a guest asks for to the head of its answer: granted, filled, sent, and sent on where it is told to.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, COOKIE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;
use wf_engine::entry::Failure;
use wf_engine::json::{Json, to_json};

use super::Exchange;
use super::asked::{Asked, checked};
use super::body::Body;
use super::broken::{broken, inside};
use super::redact::Redactor;
use super::secrets::Placeholders;

/// Most redirects that are followed.
const REDIRECTS_MAX: usize = 10;
/// Longest head of an answer, in bytes.
const HEAD_MAX: usize = 64 << 10;

/// What a guest is told of an answer before its body.
#[derive(Serialize)]
pub(super) struct Head {
    pub status: u16,
    /// Where it came from, after redirects.
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// Seconds after which the answer asks to be asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
}

/// Where a request stands, as the guest wrote it: with placeholders.
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Exchange {
    /// Sends a request, and follows where its answer leads to, each time as granted as if the guest had asked for it.
    pub async fn send(&self, asked: Asked, placeholders: &Placeholders) -> Result<(Json, Body), Failure> {
        let Asked { method, url, headers, redirects, timeouts, body, .. } = asked;
        let until = Instant::now() + timeouts.whole;
        self.permit(method.as_str(), &url)?;
        let mut hop = Hop { method, url, headers, body };
        let turn = timeout_at(until, self.turns.clone().acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or_else(|| {
            Failure::new(
                "timeout",
                format!("`{}` had more requests under way than it may: it was not this one's turn in time", self.workflow),
                true,
            )
        })?;
        let mut redactor = Redactor::default();
        for _ in 0..=REDIRECTS_MAX {
            let (response, own) = self.once(&hop, placeholders, timeouts.first_byte, until).await?;
            redactor = redactor.and(own);
            match next(&hop, &response, &redactor).filter(|_| redirects) {
                Some(next) => hop.follow(next?, placeholders),
                None => return answered(response, redactor, timeouts.idle, until, turn),
            }
        }
        let origin = hop.url.origin().ascii_serialization();
        Err(Failure::new(
            "network",
            format!("the answers led from one place to another more than {REDIRECTS_MAX} times, at last to `{origin}`"),
            false,
        ))
    }

    async fn once(
        &self,
        hop: &Hop,
        placeholders: &Placeholders,
        first_byte: Duration,
        until: Instant,
    ) -> Result<(Response, Redactor), Failure> {
        let (method, origin) = (hop.method.clone(), hop.url.origin().ascii_serialization());
        self.permit(method.as_str(), &hop.url)?;
        let filled = self.fill(placeholders, method.as_str(), &hop.url, &hop.headers, &hop.body).await?;
        let client = self.client(&hop.url).await?;
        let request = client.request(method, filled.url).headers(filled.headers);
        let request = if filled.body.is_empty() { request } else { request.body(filled.body) };
        match timeout_at(until, timeout(first_byte, request.send())).await {
            Ok(Ok(Ok(response))) => Ok((response, filled.redactor)),
            Ok(Ok(Err(error))) => Err(match inside(&error) {
                Some(address) => self.inner(&origin, address),
                None => broken(&origin, &error),
            }),
            Ok(Err(_)) => Err(Failure::new("timeout", format!("`{origin}` did not answer within {first_byte:?}"), true)),
            Err(_) => Err(Failure::new("timeout", format!("`{origin}` did not answer in time"), true)),
        }
    }
}

impl Hop {
    /// Goes on to another place. What is private goes with it only where that is the same one.
    fn follow(&mut self, (url, method): (Url, Method), placeholders: &Placeholders) {
        if method != self.method {
            self.body.clear();
            for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
                self.headers.remove(name);
            }
        }
        if url.origin() != self.url.origin() {
            let private: Vec<_> =
                self.headers.iter().filter(|(_, value)| placeholders.is_in(value)).map(|(name, _)| name.clone()).collect();
            for name in private.into_iter().chain([AUTHORIZATION, COOKIE]) {
                self.headers.remove(name);
            }
        }
        (self.url, self.method) = (url, method);
    }
}

/// Where an answer leads to, and by which method; none: nowhere. What it repeats of a secret goes on only where that is
/// granted.
fn next(hop: &Hop, response: &Response, redactor: &Redactor) -> Option<Result<(Url, Method), Failure>> {
    let status = response.status();
    let keeps = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT].contains(&status);
    if !keeps && ![StatusCode::MOVED_PERMANENTLY, StatusCode::FOUND, StatusCode::SEE_OTHER].contains(&status) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let method = if keeps || [Method::GET, Method::HEAD].contains(&hop.method) { hop.method.clone() } else { Method::GET };
    let origin = hop.url.origin().ascii_serialization();
    let unfit = || Failure::new("network", format!("the answer of `{origin}` leads to what is no URL of a request"), false);
    let url = location.to_str().ok().and_then(|it| hop.url.join(&redactor.text(it)).ok()).and_then(|url| checked(url).ok());
    Some(url.map(|url| (url, method)).ok_or_else(unfit))
}

fn answered(
    response: Response,
    redactor: Redactor,
    idle: Duration,
    until: Instant,
    turn: OwnedSemaphorePermit,
) -> Result<(Json, Body), Failure> {
    let told = |value: &[u8]| redactor.text(&String::from_utf8_lossy(value));
    let headers: Vec<_> = response.headers().iter().map(|(name, value)| (name.to_string(), told(value.as_bytes()))).collect();
    if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > HEAD_MAX {
        let origin = response.url().origin().ascii_serialization();
        return Err(Failure::new(
            "limit",
            format!("the head of the answer of `{origin}` is longer than {HEAD_MAX} bytes (limit head_max)"),
            false,
        ));
    }
    let retry_after = retry_after(response.headers());
    let head = Head { status: response.status().as_u16(), url: told(response.url().as_str().as_bytes()), headers, retry_after };
    Ok((to_json(&head), Body::new(response, idle, until, redactor, turn)))
}

/// In seconds: said so, or as a time, which is one of the clock that the answer was made by.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<f64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(seconds.into());
    }
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(date).unwrap_or_default().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_after_which_to_ask_again_is_said_in_seconds_or_by_the_clock_of_who_answers() {
        let after = |retry: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, retry.parse().expect("a value"));
            date.into_iter().for_each(|date| drop(headers.insert(DATE, date.parse().expect("a value"))));
            retry_after(&headers)
        };
        let date = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!((after("7", None), after(" 120 ", date)), (Some(7.0), Some(120.0)));
        assert_eq!(after("Wed, 21 Oct 2015 07:28:30 GMT", date), Some(30.0));
        assert_eq!(after("Wed, 21 Oct 2015 07:27:30 GMT", date), Some(0.0));
        for (retry, date) in [("soon", date), ("-1", date), ("Wed, 21 Oct 2015 07:28:30 GMT", None)] {
            assert_eq!(after(retry, date), None, "{retry}");
        }
    }
}
