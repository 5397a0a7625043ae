//! A stream of events that goes on by itself.

use backon::BackoffBuilder;
use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use reqwest::{Method, StatusCode};

use crate::{Client, Envelope, Error, Numbered, Result, refused, whole};

/// Events, to the end of their run.
pub type Events = BoxStream<'static, Result<Numbered>>;

/// Where a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With the run's first event.
    Beginning,
    /// With what comes from now on.
    Now,
    /// After this sequence.
    After(i64),
}

struct Reader {
    client: Client,
    path: Vec<String>,
    /// The `after_sequence` of the next request.
    after: String,
    frames: Option<BoxStream<'static, std::result::Result<Event, EventStreamError<reqwest::Error>>>>,
    ended: bool,
}

pub(crate) fn open(client: Client, path: Vec<String>, from: From) -> Events {
    let after = match from {
        From::Beginning => "-1".to_owned(),
        From::Now => "now".to_owned(),
        From::After(sequence) => sequence.to_string(),
    };
    let reader = Reader { client, path, after, frames: None, ended: false };
    stream::unfold(reader, |mut reader| async {
        let next = reader.next().await?;
        reader.ended |= next.is_err();
        Some((next, reader))
    })
    .boxed()
}

impl Reader {
    /// None at the end of the run.
    async fn next(&mut self) -> Option<Result<Numbered>> {
        let mut pauses = self.client.backoff().build();
        while !self.ended {
            let error = match &mut self.frames {
                Some(frames) => match frames.next().await {
                    Some(Ok(frame)) => return Some(self.event(&frame)),
                    Some(Err(EventStreamError::Transport(error))) => Error::connection(error),
                    Some(Err(error)) => return Some(Err(Error::Form(error.to_string()))),
                    // Without a terminal event: the server stops, and goes on later.
                    None => Error::Connection("the stream ended before the run did".to_owned()),
                },
                None => match self.connect().await {
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(error) => error,
                },
            };
            self.frames = None;
            match pauses.next().filter(|_| error.may_pass()) {
                Some(pause) => self.client.pause(pause, &error).await,
                None => return Some(Err(error)),
            }
        }
        None
    }

    /// False: the run has ended, and nothing follows.
    async fn connect(&mut self) -> Result<bool> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let request = self.client.request(Method::GET, &path).query(&[("after_sequence", &self.after)]);
        let response = request.send().await.map_err(Error::connection)?;
        let status = response.status();
        if status == StatusCode::NO_CONTENT {
            return Ok(false);
        }
        if !status.is_success() {
            let answer = whole(response).await?;
            return Err(refused(answer.status, &answer.body));
        }
        self.frames = Some(response.bytes_stream().eventsource().boxed());
        Ok(true)
    }

    fn event(&mut self, frame: &Event) -> Result<Numbered> {
        let sequence: i64 = frame.id.parse().map_err(|_| Error::Form(format!("`{}` is no sequence", frame.id)))?;
        let event: Envelope = serde_json::from_str(&frame.data).map_err(|error| Error::Form(error.to_string()))?;
        self.after = sequence.to_string();
        self.ended = event.is_terminal();
        Ok(Numbered { sequence, event })
    }
}
