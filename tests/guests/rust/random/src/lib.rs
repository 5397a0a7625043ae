use std::hash::{BuildHasher, RandomState};

use wf_guest::prelude::*;

struct Random;

/// Gives two numbers by chance.
#[workflow]
impl Random {
    /// Draws one before and one after a wait that drops the instance.
    #[step]
    fn draw(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let a = number(context, "a");
        if let Some(seconds) = start.get("sleep")? {
            context.sleep(Duration::try_from_secs_f64(seconds)?);
        }
        Ok(StopEvent::new(json!({ "a": a, "b": number(context, "b") })))
    }
}

/// From the library's own source, which has none on `wasm32-unknown-unknown`; there the host's
/// identifiers stand in.
fn number(context: &Context, label: &str) -> u32 {
    let salt = if cfg!(target_os = "wasi") { label.to_owned() } else { context.idempotency_key(label) };
    RandomState::new().hash_one(salt) as u32
}
