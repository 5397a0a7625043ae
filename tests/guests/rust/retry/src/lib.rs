use wf_guest::prelude::*;

struct Retry;

/// Succeeds at the third attempt.
#[workflow]
impl Retry {
    /// Counts its attempts in the run's state, and fails twice.
    #[step(retry(delay = 0.05, attempts_max = 3))]
    fn flaky(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let tries = context.edit("tries", |tries: Option<u32>| tries.unwrap_or(0) + 1)?;
        if tries < 3 {
            return Err(Failure::new("ValueError", format!("try {}", tries - 1)));
        }
        Ok(StopEvent::new(json!({ "tries": tries })))
    }
}
