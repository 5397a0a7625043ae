//! What guests may use.

use std::time::Duration;

/// What guests may use. An attempt that wants more ends with a failure of kind `limit` that
/// names it; such a failure is not retried, because another attempt would want the same.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most linear memory of one instance, in bytes. 256 MiB: Python's and JavaScript's engines fit well.
    pub memory_max: u64,
    /// Most time that one entry into an attempt may compute. Reported as kind `timeout`.
    pub executing_max: Duration,
    /// Most time that `describe` may compute.
    pub describe_max: Duration,
    /// Largest payload of an event, in bytes.
    pub payload_max: usize,
    /// Largest value in the state or a memo, in bytes.
    pub value_max: usize,
    /// Largest state of a run, in bytes.
    pub state_max: usize,
    /// Most events that one attempt may send or return. Past this it is looping, not working.
    pub events_max: usize,
    /// Most bytes that one entry into an attempt may hold back until it commits or reports, in bytes.
    pub buffered_max: usize,
    /// Most recorded calls of one attempt; all of them are kept for re-entry.
    pub calls_max: u32,
    /// Most text that one attempt may write to its log, stdout and stderr, in bytes; more is cut.
    pub log_max: usize,
    /// Most instances at once; more wait for their turn.
    pub instances_max: u32,
    /// Stack of a guest, in bytes.
    pub stack_max: usize,
}

impl Limits {
    /// Those that the attempt itself keeps.
    pub fn attempt(&self) -> wf_engine::attempt::Limits {
        let &Limits { payload_max, value_max, state_max, events_max, buffered_max, calls_max, .. } = self;
        wf_engine::attempt::Limits { payload_max, value_max, state_max, events_max, buffered_max, calls_max }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_max: 256 << 20,
            executing_max: Duration::from_secs(30),
            describe_max: Duration::from_secs(10),
            payload_max: 4 << 20,
            value_max: 4 << 20,
            state_max: 16 << 20,
            events_max: 10_000,
            buffered_max: 64 << 20,
            calls_max: 100_000,
            log_max: 1 << 20,
            instances_max: 500,
            stack_max: 1 << 20,
        }
    }
}
