use wf_guest::prelude::*;

/// Shown while the greeting is under way.
#[derive(Event)]
struct StreamEvent {
    /// From 0.
    sequence: u32,
}

struct Greeting;

/// Greets by name.
#[workflow]
impl Greeting {
    /// Counts to three, and greets.
    #[step(sends(StreamEvent))]
    fn greet(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let name = start.get("name")?.unwrap_or_else(|| "World".to_owned());
        let delay = start.get("delay")?.unwrap_or(0.0);
        for sequence in 0..3 {
            context.publish(&StreamEvent { sequence })?;
            if delay > 0.0 {
                context.sleep(Duration::try_from_secs_f64(delay)?);
            }
        }
        Ok(StopEvent::new(format!("Hello, {name}!")))
    }
}
