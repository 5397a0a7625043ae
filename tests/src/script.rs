//! Requests in, answers out: the form in which the tables of the HTTP contract are tested.
//!
//! A script is lines. `METHOD /path BODY` sends a request. Indented lines below it are headers to
//! send, or with a `?` headers to show. `UNTIL 200 /path` polls until that status. In paths,
//! headers and bodies `$1` is the first handler id that was seen, `$r1` the first run id.
//!
//! The outcome repeats each request, followed by status, content type (unless it is
//! `application/json`) and body. Ids that the server made (ten letters and digits) are shown as
//! `$1`, `$r1` …, times of exactly the contract's form as `<time>`, durations as `<seconds>`.

use expect_test::Expect;

use crate::patience::until;
use crate::{Answer, Server};

/// Sends the requests of a script one after the other and compares what comes back.
pub async fn check(server: &Server, script: &str, expect: Expect) {
    expect.assert_eq(&outcome(server, script).await);
}

/// Sends the requests of a script one after the other; what came back, as text.
pub async fn outcome(server: &Server, script: &str) -> String {
    let mut names = Names::default();
    let mut outcome = String::new();
    for step in steps(script) {
        let answer = step.perform(server, &names).await;
        names.learn(&answer.body);
        outcome += &step.shown(&names.hide(&answer.shown(&step.show)));
    }
    outcome
}

struct Step {
    line: String,
    headers: Vec<(String, String)>,
    show: Vec<String>,
}

fn steps(script: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let margin = script.lines().find(|line| !line.trim().is_empty()).map_or(0, |line| line.len() - line.trim_start().len());
    for line in script.lines().filter(|line| !line.trim().is_empty()) {
        let text = line.trim();
        let indented = line.len() - line.trim_start().len() > margin;
        match (indented, text.strip_prefix("? ")) {
            (false, _) => steps.push(Step { line: text.to_owned(), headers: Vec::new(), show: Vec::new() }),
            (true, Some(header)) => steps.last_mut().expect("a request first").show.push(header.to_owned()),
            (true, None) => {
                let (name, value) = text.split_once(": ").expect("`name: value`");
                steps.last_mut().expect("a request first").headers.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    steps
}

impl Step {
    async fn perform(&self, server: &Server, names: &Names) -> Answer {
        let line = names.fill(&self.line);
        let (method, rest) = line.split_once(' ').expect("`METHOD /path`");
        if method == "UNTIL" {
            let (status, path) = rest.split_once(' ').expect("`UNTIL 200 /path`");
            let status: u16 = status.parse().expect("a status");
            return until(&line, async || Some(server.get(path).await).filter(|it| it.status == status)).await;
        }
        let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
        let headers: Vec<(String, String)> = self.headers.iter().map(|(name, value)| (name.clone(), names.fill(value))).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        server.request(method, path, &headers, body).await
    }

    fn shown(&self, answer: &str) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect();
        format!("{}\n{headers}{answer}\n", self.line)
    }
}

impl Answer {
    fn shown(&self, headers: &[String]) -> String {
        let mut text = self.status.to_string();
        let kind = self.header("content-type");
        if kind != "application/json" && !(kind.is_empty() && self.body.is_empty()) {
            text += &format!(" {kind}");
        }
        for name in headers {
            text += &format!("\n  {name}: {}", self.header(name));
        }
        let separator = if headers.is_empty() && !self.body.contains('\n') { " " } else { "\n" };
        format!("{}{separator}{}", text, self.body).trim_end().to_owned()
    }
}

/// The ids that were seen, by their order.
#[derive(Default)]
struct Names {
    handlers: Vec<String>,
    runs: Vec<String>,
}

impl Names {
    fn learn(&mut self, body: &str) {
        learn(&mut self.handlers, body, "\"handler_id\":\"");
        learn(&mut self.runs, body, "\"run_id\":\"");
    }

    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (at, id) in self.handlers.iter().enumerate().rev() {
            text = text.replace(&format!("${}", at + 1), id);
        }
        for (at, id) in self.runs.iter().enumerate().rev() {
            text = text.replace(&format!("$r{}", at + 1), id);
        }
        text
    }

    fn hide(&self, text: &str) -> String {
        let mut text = without_times(text);
        for (at, id) in self.handlers.iter().enumerate() {
            text = text.replace(id, &format!("${}", at + 1));
        }
        for (at, id) in self.runs.iter().enumerate() {
            text = text.replace(id, &format!("$r{}", at + 1));
        }
        text
    }
}

/// Ids that the server made; those that a client chose are shown as they are.
fn learn(known: &mut Vec<String>, body: &str, key: &str) {
    for (at, _) in body.match_indices(key) {
        let id = body[at + key.len()..].split('"').next().unwrap_or_default();
        let made = id.len() == 10 && id.chars().all(|it| it.is_ascii_alphanumeric());
        if made && !known.iter().any(|it| it == id) {
            known.push(id.to_owned());
        }
    }
}

/// `2026-11-23T06:38:23.279795+00:00`, digit for digit.
const TIME: &str = "0000-00-00T00:00:00.000000+00:00";

fn without_times(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if is_time(rest) {
            shown += "<time>";
            rest = &rest[TIME.len()..];
        } else if let Some(number) = rest.strip_prefix("\"elapsed_seconds\":") {
            shown += "\"elapsed_seconds\":<seconds>";
            rest = number.trim_start_matches(|it: char| it.is_ascii_digit() || it == '.');
        } else {
            shown.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    shown
}

fn is_time(text: &str) -> bool {
    let like = |(seen, form): (u8, u8)| if form == b'0' { seen.is_ascii_digit() } else { seen == form };
    // The offset's digits are fixed.
    text.len() >= TIME.len() && text.bytes().zip(TIME.bytes()).take(26).all(like) && text[26..].starts_with("+00:00")
}
