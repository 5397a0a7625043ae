use wf_guest::prelude::*;

/// What is handed on.
#[derive(Event)]
struct FirstEvent {
    text: String,
}

/// What is handed on once more.
#[derive(Event)]
struct SecondEvent {
    text: String,
}

struct Chain;

/// Hands a text on from step to step, and says how long it is.
#[workflow]
impl Chain {
    /// Takes the text of the start event.
    #[step]
    fn first(&self, _context: &Context, start: StartEvent) -> Result<FirstEvent> {
        Ok(FirstEvent { text: start.get("text")?.unwrap_or_default() })
    }

    /// Hands it on.
    #[step]
    fn second(&self, _context: &Context, event: FirstEvent) -> Result<SecondEvent> {
        Ok(SecondEvent { text: event.text })
    }

    /// Measures it.
    #[step]
    fn third(&self, _context: &Context, event: SecondEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(event.text.len()))
    }
}
