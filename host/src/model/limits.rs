//! What guests may use.

use std::time::Duration;

/// What guests may use. An attempt that wants more ends with a failure of kind `limit` that
/// names it; such a failure is not retried, because another attempt would want the same; only where others
/// have used up what there is for all, another attempt may find some.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most memory of one instance, in bytes, its linear memories and tables together. 256 MiB: Python's and
    /// JavaScript's engines fit well.
    pub memory_max: u64,
    /// Most memory of all instances together, in bytes, shared out between workflows: none may hold more than is left.
    /// None: half of what the machine has, or the control group of this process.
    pub memory_total_max: Option<u64>,
    /// Most time of its thread that one entry into an attempt may compute. Reported as kind `timeout`.
    pub executing_max: Duration,
    /// Most time from the beginning of an entry into an attempt to its end: what it computes, what it sleeps in WASI,
    /// and what it waits for the host's answers. What it waits for a turn or a thread is none of it, nor is what it
    /// sleeps durably, nor time in which the process or its machine stands still. Reported as kind `timeout`.
    pub entry_max: Duration,
    /// Largest file of a component, in bytes; what is made of it may have four times as many.
    pub component_max: u64,
    /// Most time of processors that compiling a component may take; by the wall five times as much.
    pub compile_max: Duration,
    /// Most memory that compiling a component may take, in bytes.
    pub compile_memory_max: u64,
    /// Most time that `describe` may compute and sleep.
    pub describe_max: Duration,
    /// Largest payload of an event, in bytes.
    pub payload_max: usize,
    /// Largest value in the state or a memo, in bytes.
    pub value_max: usize,
    /// Largest state of a run, in bytes.
    pub state_max: usize,
    /// Most events that one entry into an attempt may send, or return; what was recorded before it does not count.
    /// Past this it is looping, not working.
    pub events_max: usize,
    /// Most bytes that one entry into an attempt may hold back until it commits or reports; past it, it may only commit.
    pub buffered_max: usize,
    /// Most recorded calls of one attempt, but for one more that commits them; all of them are kept for re-entry.
    pub calls_max: u32,
    /// Most text that one attempt may write to its log, stdout and stderr, in bytes; more is cut.
    pub log_max: usize,
    /// Most instances at once, shared out between workflows as the memory is; more wait for their turn.
    pub instances_max: u32,
    /// Stack of a guest, in bytes.
    pub stack_max: usize,
    /// Most runs of a workflow that have begun and not ended; more queue, first come, first served. None: any number.
    pub runs_max: Option<u32>,
}

impl Limits {
    /// The memory of all instances together; without a bound where nothing says how much there is.
    pub fn memory_total(&self) -> u64 {
        self.memory_total_max.unwrap_or(u64::MAX)
    }

    /// Those of a call outside of any run: what describes, or validates, takes no longer than a description may.
    pub fn outside_of_runs(&self) -> Limits {
        Limits { executing_max: self.describe_max, entry_max: self.describe_max, ..self.clone() }
    }

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
            memory_total_max: None,
            executing_max: Duration::from_secs(30),
            entry_max: Duration::from_secs(300),
            component_max: 128 << 20,
            compile_max: Duration::from_secs(120),
            compile_memory_max: 2 << 30,
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
            runs_max: None,
        }
    }
}
