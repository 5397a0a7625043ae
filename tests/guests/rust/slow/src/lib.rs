use wf_guest::prelude::*;

struct Slow;

/// Sleeps, and says for how long.
#[workflow]
impl Slow {
    /// Sleeps as many seconds as the start event says.
    #[step]
    fn nap(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let seconds = start.get("seconds")?.unwrap_or(1.0);
        context.sleep(Duration::try_from_secs_f64(seconds)?);
        Ok(StopEvent::new(format!("slept {seconds:?}")))
    }
}
