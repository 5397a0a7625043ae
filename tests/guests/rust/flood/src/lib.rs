use wf_guest::prelude::*;

/// One of far too many.
#[derive(Event)]
struct FloodEvent {
    i: u64,
}

struct Flood;

/// Sends events without end.
#[workflow]
impl Flood {
    /// Floods.
    #[step(sends(FloodEvent))]
    fn flood(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        for i in 0.. {
            context.send(&FloodEvent { i })?;
        }
        Ok(StopEvent::new(json!(null)))
    }

    /// Takes what comes.
    #[step]
    fn drain(&self, _context: &Context, _event: FloodEvent) -> Result<Option<StopEvent>> {
        Ok(None)
    }
}
