//! What becomes of an entry that did not end well, in words.

use wasmtime::component::ResourceTableError;
use wasmtime::{Trap, WasmBacktrace};
use wf_engine::entry::Failure;
use wf_engine::text::{MESSAGE_MAX, TRACE_MAX, cut};

use super::lines::Output;
use super::memory::Refused;
use super::meter::Excess;
use super::source;
use super::wasi::TooMany;
use super::wasi_http::held::Exceeded;
use crate::model::Limits;

/// It took more time than it may.
pub(super) fn exceeded(excess: Excess, step: &str, limits: &Limits) -> Failure {
    match excess {
        Excess::Executing => Failure::new("timeout", format!("step `{step}` computed for more than {:?}", limits.executing_max), true),
        Excess::Entry => {
            let most = limits.entry_max;
            let message = format!("step `{step}` computed, slept and waited for the host for more than {most:?} in all (limit entry_max)");
            Failure::new("timeout", message, true)
        }
        Excess::Sleep => {
            let message = format!(
                "step `{step}` sleeps for a second or more in a way that keeps its instance: use the `sleep` of the SDK's context, which is durable"
            );
            Failure::new("limit", message, false)
        }
    }
}

/// It wanted more memory than there is for it.
pub(super) fn beyond_memory(refused: Refused, limits: &Limits, total: u64, error: &wasmtime::Error, component: &[u8]) -> Failure {
    let mut failure = match refused {
        Refused::Own => Failure::new("limit", format!("the memory limit of {} MiB was exceeded", limits.memory_max >> 20), false),
        Refused::Total => {
            let message = format!("all workflows together have used up their {} MiB of memory (limit memory_total_max)", total >> 20);
            Failure::new("limit", message, true)
        }
    };
    failure.trace = trace(error, None, component);
    failure
}

/// A trap: what the host refused, else the guest's own words where it left some, else wasm's.
pub(super) fn trapped(error: &wasmtime::Error, limits: &Limits, stderr: &Output, component: &[u8]) -> Failure {
    let mut panicked = None;
    let too_many = error.downcast_ref::<TooMany>().is_some() || matches!(error.downcast_ref(), Some(ResourceTableError::Full));
    let mut failure = if error.downcast_ref() == Some(&Trap::StackOverflow) {
        Failure::new("limit", format!("the stack limit of {} KiB was exceeded", limits.stack_max >> 10), false)
    } else if too_many {
        Failure::new("limit", TooMany.to_string(), false)
    } else if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        Failure::new("limit", exceeded.to_string(), false)
    } else {
        match panic_message(stderr) {
            Some(message) => {
                panicked = panic_place(stderr);
                Failure::new("panic", cut(message, MESSAGE_MAX), true)
            }
            None => Failure::new("trap", cut(error.root_cause().to_string(), MESSAGE_MAX), true),
        }
    };
    failure.trace = trace(error, panicked, component);
    failure
}

/// Where it was: in its source, as far as that is known.
fn trace(error: &wasmtime::Error, panicked: Option<String>, component: &[u8]) -> Option<String> {
    let trace = error.downcast_ref::<WasmBacktrace>().map(|trace| source::told(trace, component));
    let lines: Vec<String> = panicked.map(|place| format!("panicked at {place}")).into_iter().chain(trace).collect();
    (!lines.is_empty()).then(|| cut(lines.join("\n"), TRACE_MAX))
}

const PANICKED: &str = "panicked at ";

/// Where a Rust panic said last that it was, as in `src/lib.rs:12:9`.
fn panic_place(stderr: &Output) -> Option<String> {
    let lines = stderr.last();
    let (_, place) = lines.iter().rev().find_map(|line| line.split_once(PANICKED))?;
    Some(place.trim_end().trim_end_matches(':').to_owned())
}

/// What a panic in Rust or in Go wrote last.
pub(super) fn panic_message(stderr: &Output) -> Option<String> {
    let lines = stderr.last();
    of_rust(&lines).or_else(|| of_go(&lines))
}

/// The lines after `panicked at`, up to the note.
fn of_rust(lines: &[String]) -> Option<String> {
    let start = lines.iter().rposition(|line| line.contains(PANICKED))?;
    let message = lines[start + 1..].iter().take_while(|line| !line.starts_with("note:") && !line.starts_with("stack backtrace:"));
    let message: Vec<&str> = message.map(String::as_str).filter(|line| !line.is_empty()).collect();
    Some(if message.is_empty() { lines[start].clone() } else { message.join("\n") })
}

/// What follows `panic:`, and the line of the program itself that was under way: a frame is a function, and in the next
/// line its place, as in `\tshop/main.go:7 +0x9`.
fn of_go(lines: &[String]) -> Option<String> {
    let start = lines.iter().rposition(|line| line.starts_with("panic: ") || line.starts_with("fatal error: "))?;
    let (_, message) = lines[start].split_once(": ")?;
    let own = lines[start..].windows(2).find(|frame| frame[0].starts_with("main."));
    let place = own.and_then(|frame| frame[1].split_whitespace().next());
    Some(place.map_or_else(|| message.to_owned(), |place| format!("{message}, at {place}")))
}
