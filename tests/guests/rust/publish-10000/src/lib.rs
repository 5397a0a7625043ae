use wf_guest::prelude::*;

/// One of many.
#[derive(Event)]
struct StreamEvent {
    sequence: u32,
}

struct Publish10000;

/// Publishes ten thousand events.
#[workflow(name = "publish-10000")]
impl Publish10000 {
    /// Publishes.
    #[step(sends(StreamEvent))]
    fn publish(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        for sequence in 0..10_000 {
            context.publish(&StreamEvent { sequence })?;
        }
        Ok(StopEvent::new("published"))
    }
}
