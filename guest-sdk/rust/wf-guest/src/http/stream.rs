//! Bodies that are read as they come: by lines, or as server-sent events.

use super::Response;
use crate::read::read;
use crate::{Failure, Result};

/// The lines of a body. A line ends with a line feed, or both; what is left at the end is a line, too.
#[derive(Debug)]
pub struct Lines {
    response: Response,
    /// What has come of lines that were not given yet.
    rest: Vec<u8>,
    ended: bool,
}

/// The server-sent events of a body.
#[derive(Debug)]
pub struct Events(Lines);

/// An event that a server has sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// What it is called; `message` where nothing says so.
    pub event: String,
    /// Its text; its lines are joined.
    pub data: String,
    /// What it can be gone on from.
    pub id: Option<String>,
}

impl Lines {
    pub(super) fn of(response: Response) -> Lines {
        Lines { response, rest: Vec::new(), ended: false }
    }

    fn line(&mut self) -> Result<Option<String>> {
        loop {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            if end.is_none() && !self.ended {
                match self.response.chunk()? {
                    Some(part) => self.rest.extend(part),
                    None => self.ended = true,
                }
                continue;
            }
            let Some(end) = end.or((!self.rest.is_empty()).then_some(self.rest.len())) else { return Ok(None) };
            let rest = self.rest.split_off((end + 1).min(self.rest.len()));
            let mut line = String::from_utf8(std::mem::replace(&mut self.rest, rest))?;
            line.truncate(line.trim_end_matches('\n').len());
            line.truncate(line.strip_suffix('\r').unwrap_or(&line).len());
            return Ok(Some(line));
        }
    }
}

/// After a failure there is nothing more.
impl Iterator for Lines {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Result<String>> {
        let line = self.line();
        if line.is_err() {
            (self.ended, self.rest) = (true, Vec::new());
        }
        line.transpose()
    }
}

impl Events {
    pub(super) fn of(response: Response) -> Events {
        Events(Lines::of(response))
    }

    /// The answer whose body they are.
    pub fn response(&self) -> &Response {
        &self.0.response
    }
}

/// One that the body ends within is none, as browsers have it.
impl Iterator for Events {
    type Item = Result<ServerEvent>;

    fn next(&mut self) -> Option<Result<ServerEvent>> {
        let (mut event, mut data) = (ServerEvent::default(), Vec::new());
        loop {
            let line = match self.0.next()? {
                Ok(line) => line,
                Err(failure) => return Some(Err(failure)),
            };
            let line = line.trim_start_matches('\u{feff}');
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                // A line with nothing ends it, if it has something.
                "" if line.is_empty() && !data.is_empty() => {
                    event.data = data.join("\n");
                    if event.event.is_empty() {
                        "message".clone_into(&mut event.event);
                    }
                    return Some(Ok(event));
                }
                "" if line.is_empty() => event = ServerEvent::default(),
                "data" => data.push(value.to_owned()),
                "event" => value.clone_into(&mut event.event),
                "id" => event.id = Some(value.to_owned()),
                _ => (),
            }
        }
    }
}

impl ServerEvent {
    /// Its text as a value.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        read(&self.data).map_err(|error| Failure::from(error).context(format!("the event `{}` holds another", self.event)))
    }
}
