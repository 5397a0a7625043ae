use wf_guest::prelude::*;

struct Failing;

/// Fails, with the message that it is given.
#[workflow]
impl Failing {
    /// Fails.
    #[step]
    fn fail(&self, _context: &Context, start: StartEvent) -> Result<StopEvent> {
        Err(Failure::new("ValueError", start.get("message")?.unwrap_or_else(|| "boom".to_owned())))
    }
}
