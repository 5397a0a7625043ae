use std::time::Duration;

use serde::Deserialize;
use wasip2::cli::stdout::get_stdout;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::{InputStream, StreamError};
use wf_guest::prelude::*;

/// Nobody waits so long: a timer that others are waited for beside.
const HOUR: u64 = 3_600_000_000_000;

/// A part of an answer, as it came.
#[derive(Event)]
struct Part {
    text: String,
}

/// A request by WASI's own interface; what it gave stands in the result, in order.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Task {
    method: String,
    authority: String,
    path: String,
    headers: Vec<(String, String)>,
    /// None: the request is handed over without a body.
    body: Option<String>,
    /// It is written so often more.
    repeat: usize,
    /// The body is written once the request was handed over.
    late: bool,
    /// The answer is waited for before the body is finished.
    early: bool,
    /// The body is never finished.
    drops: bool,
    trailers: bool,
    first_byte: Option<f64>,
    between_bytes: Option<f64>,
    /// Waits for a part or for a timer of so many seconds, whichever is first, and publishes which it was.
    beside: Option<f64>,
    /// Asks for this, too, and reads both answers at once, as each comes; then it sleeps.
    also: Option<String>,
    /// Goes by timers first, where they are due, that were set before the request; then it is entered again. What it went by
    /// then stands in the place of the text, and what at first was published.
    timed: bool,
    /// And nothing of it is recorded but at its end: it stands in stdout.
    quiet: bool,
    /// Publishes each part as it comes.
    publish: bool,
    /// `skip` or `splice`: how much was skipped, or written to stdout, stands in the place of the text.
    way: String,
    /// Sleeps for a second after the first part.
    pauses: bool,
    /// `{NAME}` in headers, body and path is what the variable holds.
    fill: Vec<String>,
    /// Asks where the answer leads to, with the same headers: as a library does.
    follows: bool,
    /// What is asked of the answer after its end, also once the step was entered again, stands beside it.
    ended: bool,
    fails: bool,
}

struct WasiHttp;

#[workflow]
impl WasiHttp {
    #[step(retry(delay = 0.05, attempts_max = 4))]
    fn work(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let tasks: Vec<Task> = start.get("tasks")?.unwrap_or_default();
        let mut told = Vec::new();
        for task in tasks {
            let fails = task.fails;
            match fetch(context, task) {
                Ok(value) => told.push(value),
                Err(error) if fails => return Err(Failure::new("http", format!("{error:?}"))),
                Err(error) => told.push(json!(format!("{error:?}"))),
            }
        }
        Ok(StopEvent::new(json!({ "told": told, "attempt": context.attempt() })))
    }
}

fn fetch(context: &Context, mut task: Task) -> std::result::Result<Value, ErrorCode> {
    for name in std::mem::take(&mut task.fill) {
        let value = std::env::var(&name).unwrap_or_default();
        let put = |text: &mut String| *text = text.replace(&format!("{{{name}}}"), &value);
        task.headers.iter_mut().for_each(|(_, value)| put(value));
        task.body.iter_mut().for_each(put);
        put(&mut task.path);
    }
    let headers: Vec<_> = task.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let headers = Fields::from_list(&headers).map_err(|error| ErrorCode::InternalError(Some(format!("{error:?}"))))?;
    let request = OutgoingRequest::new(headers);
    let method = match task.method.as_str() {
        "" | "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let set = request.set_method(&method).and_then(|()| request.set_scheme(Some(&Scheme::Http)));
    let set = set.and_then(|()| request.set_authority(Some(&task.authority)));
    set.and_then(|()| request.set_path_with_query(Some(&task.path))).map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    let options = RequestOptions::new();
    let timeout = task.first_byte.map(|seconds| (seconds * 1e9) as u64);
    options.set_first_byte_timeout(timeout).map_err(|()| ErrorCode::ConfigurationError)?;
    let timeout = task.between_bytes.map(|seconds| (seconds * 1e9) as u64);
    options.set_between_bytes_timeout(timeout).map_err(|()| ErrorCode::ConfigurationError)?;
    // One is due a microsecond before the other: no clock of a host tells them apart.
    let early = task.timed.then(|| [1_000, 0].map(|later| subscribe_duration(HOUR / 7_200 + later)));
    let mut body = task.body.as_ref().map(|_| request.body().expect("it was not taken"));
    let mut write = |body: OutgoingBody| {
        let stream = body.write().expect("it was not taken");
        for part in (0..=task.repeat).flat_map(|_| task.body.as_deref().unwrap_or_default().as_bytes().chunks(4096)) {
            stream.blocking_write_and_flush(part).map_err(|error| match error {
                StreamError::LastOperationFailed(error) => ErrorCode::InternalError(Some(error.to_debug_string())),
                StreamError::Closed => ErrorCode::ConnectionTerminated,
            })?;
        }
        drop(stream);
        let trailers = task.trailers.then(|| Fields::from_list(&[("x-trailer".to_owned(), b"1".to_vec())]).expect("fields"));
        if task.drops { Ok(drop(body)) } else { OutgoingBody::finish(body, trailers) }
    };
    if !task.late {
        body.take().map_or(Ok(()), &mut write)?;
    }
    let answer = handle(request, Some(options))?;
    if !task.early {
        body.take().map_or(Ok(()), &mut write)?;
    }
    answer.subscribe().block();
    let future = answer;
    let answer = future.get().expect("it is there").expect("it was not taken")?;
    assert!(matches!(future.get(), Some(Err(()))), "an answer is given once");
    let (status, headers) = (answer.status(), told(&answer));
    if let Some((_, place)) = headers.iter().find(|(name, _)| task.follows && name == "location") {
        let (authority, path) = place.trim_start_matches("http://").split_once('/').expect("a place");
        return fetch(
            context,
            Task { authority: authority.to_owned(), path: format!("/{path}"), headers: task.headers, ..Task::default() },
        );
    }
    if let Some(timers) = &early {
        return Ok(json!({ "status": status, "body": timed(context, timers, answer, task.quiet) }));
    }
    if let Some(path) = &task.also {
        return Ok(json!({ "status": status, "body": both(context, [answer, get(&task.authority, path)?]) }));
    }
    let (body, ended) = read(context, &task, answer)?;
    Ok(json!({ "status": status, "headers": headers, "body": body, "ended": ended }))
}

fn get(authority: &str, path: &str) -> std::result::Result<IncomingResponse, ErrorCode> {
    let request = OutgoingRequest::new(Fields::new());
    let set = request.set_scheme(Some(&Scheme::Http)).and_then(|()| request.set_authority(Some(authority)));
    set.and_then(|()| request.set_path_with_query(Some(path))).map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    let answer = handle(request, None)?;
    answer.subscribe().block();
    answer.get().expect("it is there").expect("it was not taken")
}

/// As an executor with a task for each would read them.
fn both(context: &Context, answers: [IncomingResponse; 2]) -> [String; 2] {
    let bodies = answers.map(|answer| answer.consume().expect("it was not taken"));
    let streams = bodies.each_ref().map(|body| body.stream().expect("it was not taken"));
    // Both have come by then.
    subscribe_duration(300_000_000).block();
    let (mut open, mut whole) = (vec![0, 1], [String::new(), String::new()]);
    while !open.is_empty() {
        let polls: Vec<_> = open.iter().map(|&at: &usize| streams[at].subscribe()).collect();
        let ready = poll(&polls.iter().collect::<Vec<_>>());
        drop(polls);
        for at in ready.into_iter().map(|place| open[place as usize]).collect::<Vec<_>>() {
            match streams[at].read(1 << 16) {
                Ok(part) => {
                    let text = String::from_utf8_lossy(&part).into_owned();
                    context.publish(&Part { text: text.clone() }).expect("it can be published");
                    whole[at].push_str(&text);
                }
                Err(_) => open.retain(|it| *it != at),
            }
        }
    }
    context.sleep(Duration::from_secs(1));
    whole
}

/// Goes by the timers first, where it is told of them and of a part.
fn timed(context: &Context, [second, first]: &[Pollable; 2], answer: IncomingResponse, quiet: bool) -> Vec<String> {
    let body = answer.consume().expect("it was not taken");
    let stream = body.stream().expect("it was not taken");
    // Longer than the timers, and the next time at once.
    context.sleep(Duration::from_millis(900));
    let publish = |what: &str| context.publish(&Part { text: what.to_owned() }).expect("it can be published");
    let mut went_by = Vec::new();
    let mut go_by = |what: &str| {
        if quiet {
            println!("{what}")
        } else {
            publish(what)
        }
        went_by.push(what.to_owned());
    };
    let mut left = vec![(second, "the second timer"), (first, "the timer")];
    loop {
        let part = stream.subscribe();
        let polls: Vec<&Pollable> = left.iter().map(|(timer, _)| *timer).chain([&part]).collect();
        let mut ready = poll(&polls).into_iter().map(|at| at as usize).collect::<Vec<_>>();
        ready.sort_unstable();
        match ready.first().filter(|at| **at < left.len()) {
            Some(&at) => {
                let (timer, name) = left.remove(at);
                assert!(timer.ready(), "it is due");
                go_by(name);
            }
            None => {
                go_by("a part");
                if stream.read(1 << 16).is_err() {
                    break;
                }
            }
        }
    }
    if quiet {
        went_by.iter().for_each(|what| publish(what));
    }
    context.sleep(Duration::from_secs(1));
    went_by
}

fn told(answer: &IncomingResponse) -> Vec<(String, String)> {
    let entries = answer.headers().entries();
    entries.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect()
}

/// The whole of an answer, and what was said after its end.
fn read(context: &Context, task: &Task, answer: IncomingResponse) -> std::result::Result<(String, Value), ErrorCode> {
    let body = answer.consume().expect("it was not taken");
    assert!(answer.consume().is_err(), "a body is given once");
    let stream = body.stream().expect("it was not taken");
    let publish = |text: String| context.publish(&Part { text }).expect("it can be published");
    let (mut whole, mut parts) = (Vec::new(), 0);
    let mut broke = None;
    loop {
        if let Some(seconds) = task.beside {
            let (part, timer) = (stream.subscribe(), subscribe_duration((seconds * 1e9) as u64));
            if !poll(&[&part, &timer]).contains(&0) {
                publish("the timer".to_owned());
                continue;
            }
        }
        match next(&stream, task) {
            Ok(part) => {
                if task.publish {
                    publish(String::from_utf8_lossy(&part).into_owned());
                }
                whole.extend(part);
                parts += 1;
                if task.pauses && parts == 1 {
                    context.sleep(Duration::from_secs(1));
                }
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error).unwrap_or(ErrorCode::HttpProtocolError);
                if !task.ended {
                    return Err(code);
                }
                broke = Some(format!("{code:?}"));
                break;
            }
        }
    }
    let ended = if task.ended { after_its_end(context, body, stream, broke) } else { finish(body, stream) };
    Ok((String::from_utf8_lossy(&whole).into_owned(), ended))
}

fn finish(body: IncomingBody, stream: InputStream) -> Value {
    drop(stream);
    IncomingBody::finish(body);
    Value::Null
}

/// A body that is at its end is ready at once, and says so however it is asked; and again at the next entry.
fn after_its_end(context: &Context, body: IncomingBody, stream: InputStream, broke: Option<String>) -> Value {
    let mut said = Vec::new();
    for _ in 0..2 {
        let (timer, end) = (subscribe_duration(HOUR), stream.subscribe());
        said.push(json!([poll(&[&timer, &end]), end.ready()]));
        end.block();
        let is_closed = |it: std::result::Result<(), StreamError>| matches!(it, Err(StreamError::Closed));
        let reads = [stream.read(1).map(drop), stream.blocking_read(1).map(drop), stream.skip(1).map(drop)];
        said.push(json!(reads.map(is_closed)));
        // It is entered again.
        context.sleep(Duration::from_secs(1));
    }
    said.push(json!(body.stream().is_err()));
    drop(stream);
    let trailers = IncomingBody::finish(body);
    trailers.subscribe().block();
    let none = matches!(trailers.get(), Some(Ok(Ok(None))));
    said.push(json!([none, matches!(trailers.get(), Some(Err(())))]));
    json!({ "said": said, "broke": broke })
}

fn next(stream: &InputStream, task: &Task) -> std::result::Result<Vec<u8>, StreamError> {
    let all = 1 << 16;
    let count = |count: u64| format!("{count} ").into_bytes();
    match (task.way.as_str(), task.beside.is_some()) {
        ("skip", true) => stream.skip(all).map(count),
        ("skip", false) => stream.blocking_skip(all).map(count),
        ("splice", _) => get_stdout().blocking_splice(stream, all).map(count),
        (_, true) => stream.read(all),
        (_, false) => stream.blocking_read(all),
    }
}
