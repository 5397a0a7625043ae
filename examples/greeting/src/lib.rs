use wf_guest::prelude::*;

/// Shown to whoever reads the run's stream, while the greeting is under way.
#[derive(Event)]
struct Progress {
    /// What is being done.
    message: String,
}

struct Greeting;

/// Greets by name.
#[workflow]
impl Greeting {
    /// Greets whoever the start event names.
    #[step(sends(Progress))]
    fn greet(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let name = start.get("name")?.unwrap_or_else(|| "World".to_owned());
        context.publish(&Progress { message: format!("looking up {name}") })?;
        Ok(StopEvent::new(format!("Hello, {name}!")))
    }
}
