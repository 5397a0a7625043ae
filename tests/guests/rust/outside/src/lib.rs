use std::collections::BTreeMap;
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};

use serde::Deserialize;
use wf_guest::http::Response;
use wf_guest::prelude::*;

/// A part of an answer, as it came.
#[derive(Event)]
struct Part {
    text: String,
}

/// What to do in the outside; what it gave stands in the result, in order.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Task {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
    timeout: Option<f64>,
    first_byte: Option<f64>,
    idle: Option<f64>,
    stays: bool,
    label: Option<String>,
    /// Publishes each part as it comes.
    publish: bool,
    /// Only so many bytes are told.
    shown: Option<usize>,
    /// A failure ends the attempt.
    fails: bool,
    /// Leaves the answer open, unread.
    open: bool,
    /// `{NAME}` in header, URL and body is what the variable holds.
    fill: Vec<String>,
    variable: Option<String>,
    read: Option<String>,
    write: Option<(String, String)>,
    /// What to do about two paths of files, in this order: an [`act`].
    act: Option<(String, String, String)>,
    /// Which of the ways around `http` to try, and with what address: a [`reach`].
    socket: Option<(String, String)>,
    log: Option<String>,
}

struct Outside;

#[workflow]
impl Outside {
    #[step(retry(delay = 0.05, attempts_max = 4))]
    fn work(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let tasks: Vec<Task> = start.get("tasks")?.unwrap_or_default();
        let (mut told, mut open) = (Vec::new(), Vec::new());
        for task in tasks {
            let fails = task.fails;
            match self.do_it(context, task, &mut open) {
                Ok(value) => told.push(value),
                Err(failure) if fails => return Err(failure),
                Err(failure) => told.push(json!({ "kind": failure.kind(), "message": failure.message() })),
            }
        }
        Ok(StopEvent::new(json!({ "told": told, "attempt": context.attempt() })))
    }

    fn do_it(&self, context: &Context, mut task: Task, open: &mut Vec<Response>) -> Result<Value> {
        if let Some(name) = &task.variable {
            return Ok(json!(context.variable(name)));
        }
        if let Some(path) = &task.read {
            return Ok(json!(std::fs::read_to_string(path)?));
        }
        if let Some((path, text)) = &task.write {
            return Ok(json!(std::fs::write(path, text)?));
        }
        if let Some((what, from, to)) = &task.act {
            return Ok(json!(act(what, from, to)?));
        }
        if let Some((what, address)) = &task.socket {
            reach(what, address)?;
            return Ok(json!("granted"));
        }
        for name in &task.fill {
            let value = context.secret(name)?;
            let put = |text: &mut String| *text = text.replace(&format!("{{{name}}}"), &value);
            put(&mut task.url);
            put(&mut task.body);
            task.headers.values_mut().for_each(put);
        }
        if let Some(text) = &task.log {
            context.info(&task.fill.iter().fold(text.clone(), |text, name| text + &context.secret(name).unwrap_or_default()));
        }
        let method = if task.method.is_empty() { "GET" } else { &task.method };
        let mut request = context.http().request(method, &task.url).body(task.body);
        for (name, value) in &task.headers {
            request = request.header(name, value);
        }
        if let Some(seconds) = task.timeout {
            request = request.timeout(Duration::from_secs_f64(seconds));
        }
        if let Some(seconds) = task.first_byte {
            request = request.first_byte_timeout(Duration::from_secs_f64(seconds));
        }
        if let Some(seconds) = task.idle {
            request = request.idle_timeout(Duration::from_secs_f64(seconds));
        }
        if task.stays {
            request = request.no_redirects();
        }
        if let Some(label) = &task.label {
            request = request.idempotency_key(label);
        }
        let mut response = request.send()?;
        if task.fails {
            response = response.error_for_status()?;
        }
        let (status, url, headers) = (response.status(), response.url().to_owned(), response.headers().to_vec());
        let mut body = Vec::new();
        if task.open {
            open.push(response);
        } else {
            while let Some(part) = response.chunk()? {
                if task.publish {
                    context.publish(&Part { text: String::from_utf8_lossy(&part).into_owned() })?;
                }
                body.extend(part);
            }
        }
        let length = body.len();
        body.truncate(task.shown.unwrap_or(usize::MAX));
        Ok(json!({ "status": status, "url": url, "headers": headers, "body": String::from_utf8_lossy(&body), "length": length }))
    }
}

/// What a program does that makes no requests, by its name.
fn reach(what: &str, address: &str) -> std::io::Result<()> {
    match what {
        "tcp" => TcpStream::connect(address).map(drop),
        "udp" => UdpSocket::bind(address).map(drop),
        "name" => address.to_socket_addrs().map(drop),
        _ => Err(std::io::Error::other("nobody can do that")),
    }
}

/// What is done with files, by its name.
#[allow(deprecated)] // The one that makes a link here, too.
fn act(what: &str, from: &str, to: &str) -> std::io::Result<()> {
    match what {
        "rename" => std::fs::rename(from, to),
        "link" => std::fs::hard_link(from, to),
        "symlink" => std::fs::soft_link(from, to),
        "copy" => std::fs::copy(from, to).map(drop),
        "append" => std::fs::OpenOptions::new().append(true).open(to).map(drop),
        "make" => std::fs::create_dir(to),
        "remove" => std::fs::remove_file(to),
        "empty" => std::fs::remove_dir_all(to),
        _ => Err(std::io::Error::other("nobody can do that")),
    }
}
