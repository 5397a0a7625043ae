//! A reader of server-sent events that loses nothing and adds nothing.

use bytes::BytesMut;
use serde_json::Value;

use crate::patience::within;

/// One event of a stream, as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The `id` field.
    pub id: u64,
    /// The text of the `data` field.
    pub data: String,
}

impl Frame {
    /// The envelope.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error} in {}", self.data))
    }

    /// The bare type name.
    pub fn name(&self) -> String {
        self.json()["type"].as_str().expect("an envelope has a type").to_owned()
    }

    /// `Name {"field":1}`.
    pub fn shape(&self) -> String {
        format!("{} {}", self.name(), self.json()["value"])
    }
}

/// A stream under way.
pub struct Stream {
    response: reqwest::Response,
    /// Bytes that are no whole frame yet.
    rest: BytesMut,
}

/// Why a stream gave no further frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// The body ended as it should.
    Whole,
    /// The connection broke.
    Broken,
}

impl Stream {
    pub(crate) fn new(response: reqwest::Response) -> Stream {
        Stream { response, rest: BytesMut::new() }
    }

    /// The answer's status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header as text; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).map_or("", |value| value.to_str().expect("a header is text"))
    }

    /// The next event; heartbeats are passed over.
    pub async fn next(&mut self) -> Result<Frame, End> {
        loop {
            if let Some(block) = self.block() {
                match frame(&block) {
                    Some(frame) => return Ok(frame),
                    None => continue,
                }
            }
            match within("the next event", self.response.chunk()).await {
                Ok(Some(bytes)) => self.rest.extend_from_slice(&bytes),
                Ok(None) => {
                    assert!(self.rest.is_empty(), "half an event at the end: {:?}", self.rest);
                    return Err(End::Whole);
                }
                Err(_) => return Err(End::Broken),
            }
        }
    }

    /// All further events to the regular end.
    pub async fn rest(mut self) -> Vec<Frame> {
        let (frames, end) = self.to_end().await;
        assert_eq!(end, End::Whole, "the stream broke after {frames:?}");
        frames
    }

    /// All further events, and how the stream ended.
    pub async fn to_end(&mut self) -> (Vec<Frame>, End) {
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                Ok(frame) => frames.push(frame),
                Err(end) => return (frames, end),
            }
        }
    }

    /// All further events up to one of that type.
    pub async fn until(&mut self, name: &str) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                Ok(frame) => frames.push(frame),
                Err(end) => panic!("the stream ended ({end:?}) without {name}: {frames:?}"),
            }
            if frames.last().is_some_and(|it| it.name() == name) {
                return frames;
            }
        }
    }

    fn block(&mut self) -> Option<String> {
        let end = self.rest.windows(2).position(|it| it == b"\n\n")?;
        let block = self.rest.split_to(end + 2);
        Some(String::from_utf8(block[..end].to_vec()).expect("a stream is UTF-8"))
    }
}

/// Exactly the two fields that the contract names, in its order; nothing for a heartbeat.
fn frame(block: &str) -> Option<Frame> {
    if block == ": heartbeat" {
        return None;
    }
    let (id, data) = block.split_once('\n').unwrap_or_else(|| panic!("no event: {block:?}"));
    let id = id.strip_prefix("id: ").unwrap_or_else(|| panic!("no `id: ` first: {block:?}"));
    let data = data.strip_prefix("data: ").unwrap_or_else(|| panic!("no `data: ` second: {block:?}"));
    assert!(!data.contains('\n'), "more than two fields: {block:?}");
    Some(Frame { id: id.parse().expect("an id is a number"), data: data.to_owned() })
}
