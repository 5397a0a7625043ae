use wf_guest::prelude::*;

struct Timeout;

/// Sleeps for longer than its run may take.
#[workflow(timeout = 0.3)]
impl Timeout {
    /// Sleeps as many seconds as the start event says.
    #[step]
    fn nap(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let seconds = start.get("seconds")?.unwrap_or(1.0);
        context.sleep(Duration::try_from_secs_f64(seconds)?);
        Ok(StopEvent::new(format!("slept {seconds:?}")))
    }
}
