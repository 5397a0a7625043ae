//! A published event, as readers get it.

use bytes::Bytes;

/// A frame of a run's stream, durable.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its number in the stream.
    pub sequence: u64,
    /// Whether it is one of the internal events.
    pub internal: bool,
    /// Whether it is the last of its run.
    pub terminal: bool,
    /// The envelope, as JSON; with its qualified name.
    pub envelope: Bytes,
}
