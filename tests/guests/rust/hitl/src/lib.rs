use wf_guest::prelude::*;

/// Asks a person for something.
#[derive(Event)]
#[event(input_required)]
struct RequestEvent {
    /// What to ask.
    prompt: String,
}

/// What the person says.
#[derive(Event)]
#[event(human_response)]
struct ResponseEvent {
    response: String,
}

/// The greeting.
#[derive(Event)]
#[event(stop)]
struct OutEvent {
    output: String,
}

struct Hitl;

/// Asks for a name and greets.
#[workflow]
impl Hitl {
    /// Asks for the name.
    #[step]
    fn prompt_human(&self, _context: &Context, _start: StartEvent) -> Result<RequestEvent> {
        Ok(RequestEvent { prompt: "What is your name?".into() })
    }

    /// Greets whoever answered.
    #[step]
    fn greet_human(&self, _context: &Context, answer: ResponseEvent) -> Result<OutEvent> {
        Ok(OutEvent { output: format!("Hello, {}", answer.response) })
    }
}
