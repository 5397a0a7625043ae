//! What a test can ask: one JSON object a line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::Mistake;

/// Longest time that a clock is moved at once: a hundred years.
const ADVANCE_MAX: f64 = 100.0 * 365.25 * 86_400.0;
/// All that can be asked.
const ALL: &str = "`start`, `send`, `advance`, `finish`, `cancel`, `restart`, `state`, `log`, `requests`, `attempts`, `replay`, `end`";

/// What a test asks.
pub(super) enum Request {
    Start(Box<Plan>),
    Send(Sending),
    Advance(Duration),
    Finish,
    Cancel,
    Restart,
    State,
    Log,
    Requests,
    Attempts,
    Replay,
    End,
}

/// A run, and what is to go wrong in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    #[serde(rename = "do")]
    _what: IgnoredAny,
    /// None: the only one that there is.
    pub workflow: Option<String>,
    /// The start event: its fields, or an envelope. None: one without fields.
    pub event: Option<Box<RawValue>>,
    /// What the run begins with.
    pub state: Option<Box<RawValue>>,
    #[serde(default)]
    pub fail: Vec<Fault>,
    #[serde(default)]
    pub restart_at: RestartAt,
    #[serde(default)]
    pub http: Vec<Stub>,
    /// Beside those that are granted.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Types of events at which a clock that is moved stands still.
    #[serde(default)]
    pub pause_at: Vec<String>,
    /// Whether events of the run's inner life are told, too.
    #[serde(default)]
    pub internal: bool,
    /// By what chance goes.
    #[serde(default)]
    pub seed: u64,
    /// Most seconds that one entry into an attempt may compute.
    pub executing_max: Option<f64>,
    /// A run whose steps report so often while no time passes, or in which something comes due so often while its clock
    /// is moved once, never ends.
    #[serde(default = "enough")]
    pub patience: u64,
}

/// Attempts of a step that fail after they have done their work.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    pub step: String,
    /// Which invocation of the step, from 0; none: each.
    pub delivery: Option<usize>,
    /// So many attempts of it, from the first.
    #[serde(default = "once")]
    pub times: u32,
    pub kind: Option<String>,
    pub message: Option<String>,
    pub retryable: Option<bool>,
    /// Seconds.
    pub retry_after: Option<f64>,
}

/// Why a request has no answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failing {
    pub kind: Option<String>,
    pub message: Option<String>,
    pub retryable: Option<bool>,
}

/// After which reports of steps the host is restarted.
#[derive(Default, Deserialize)]
#[serde(untagged, expecting = "`restart_at` is \"every\", or a list of numbers of points")]
pub(super) enum RestartAt {
    #[default]
    Never,
    Every(Every),
    Points(BTreeSet<u64>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Every {
    Every,
}

/// What requests of a kind are answered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stub {
    /// None: any.
    pub method: Option<String>,
    /// `*` stands for any text.
    pub url: String,
    /// How often it answers; none: always.
    pub times: Option<u32>,
    #[serde(default = "fine")]
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body: one of these.
    pub json: Option<Box<RawValue>>,
    pub text: Option<String>,
    pub base64: Option<String>,
    /// Nobody answers, for this reason.
    pub failure: Option<Failing>,
    /// The connection breaks after the body.
    #[serde(default)]
    pub cut: bool,
}

/// An event from outside.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sending {
    #[serde(rename = "do")]
    _what: IgnoredAny,
    pub event: Box<RawValue>,
    /// The only step that may have it.
    pub step: Option<String>,
    /// The only invocation that may have it.
    pub invocation: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    #[serde(rename = "do")]
    _what: IgnoredAny,
    seconds: f64,
}

/// One that says all by its name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bare {
    #[serde(rename = "do")]
    _what: IgnoredAny,
}

fn once() -> u32 {
    1
}

fn enough() -> u64 {
    50_000
}

fn fine() -> u16 {
    200
}

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Result<Request, Mistake> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "do")]
        what: Option<String>,
    }
    let hint = r#"a request is a JSON object on one line, as `{"do":"start","event":{}}`; `wf-host harness --help` shows a session"#;
    let text = std::str::from_utf8(line).map_err(|error| Mistake::new(format!("the request is no text: {error}"), hint))?;
    if !text.trim_start().starts_with('{') {
        return Err(Mistake::new("the request is no JSON object", hint));
    }
    let head = serde_json::from_str::<Head>(text).map_err(|error| Mistake::new(format!("the request cannot be read: {error}"), hint))?;
    let what = head.what.ok_or_else(|| Mistake::new("the request does not say what to do", format!("`do` is one of {ALL}")))?;
    Ok(match what.as_str() {
        "start" => Request::Start(whole(text)?),
        "send" => Request::Send(whole(text)?),
        "advance" => {
            let Advance { seconds, .. } = whole(text)?;
            let time = Some(seconds).filter(|it| *it <= ADVANCE_MAX).and_then(|it| Duration::try_from_secs_f64(it).ok());
            let hint = "give a number from 0 on, and at most a hundred years";
            Request::Advance(time.ok_or_else(|| Mistake::new(format!("a clock cannot be moved by {seconds} seconds"), hint))?)
        }
        "finish" => bare(text, Request::Finish)?,
        "cancel" => bare(text, Request::Cancel)?,
        "restart" => bare(text, Request::Restart)?,
        "state" => bare(text, Request::State)?,
        "log" => bare(text, Request::Log)?,
        "requests" => bare(text, Request::Requests)?,
        "attempts" => bare(text, Request::Attempts)?,
        "replay" => bare(text, Request::Replay)?,
        "end" => bare(text, Request::End)?,
        other => return Err(Mistake::new(format!("there is nothing like `{other}` to do"), format!("`do` is one of {ALL}"))),
    })
}

fn whole<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    let hint = "guest-sdk/HARNESS.md has the keys of every request";
    serde_json::from_str(text).map_err(|error| Mistake::new(format!("the request is not understood: {error}"), hint))
}

fn bare(text: &str, request: Request) -> Result<Request, Mistake> {
    whole::<Bare>(text).map(|_| request)
}
