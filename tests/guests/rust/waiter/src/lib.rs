use wf_guest::prelude::*;

/// Asks for an answer.
#[derive(Event)]
#[event(input_required)]
struct AskEvent {
    question: String,
}

/// An answer, of somebody.
#[derive(Event)]
#[event(human_response)]
struct AnswerEvent {
    #[serde(default = "anyone")]
    user: String,
    answer: String,
}

fn anyone() -> String {
    "anyone".into()
}

struct Waiter;

/// Waits for Laurie's answer.
#[workflow(additional_events(AskEvent, AnswerEvent))]
impl Waiter {
    /// Asks, and waits as many seconds as the start event says.
    #[step]
    fn ask(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let seconds = start.get("wait")?.unwrap_or(60.0);
        let wait = context.wait::<AnswerEvent>().requirement("user", "laurie").timeout(Duration::try_from_secs_f64(seconds)?);
        let event = wait.request(&AskEvent { question: "who?".into() })?.get()?;
        Ok(StopEvent::new(json!({ "answer": event.answer })))
    }
}
