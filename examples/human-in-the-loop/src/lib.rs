use wf_guest::prelude::*;

/// Asks a person for a decision. It is published by itself when a step returns it.
#[derive(Event)]
#[event(input_required)]
struct ApprovalRequest {
    /// What is to be approved.
    question: String,
}

/// What the person decides.
#[derive(Event)]
#[event(human_response)]
struct ApprovalResponse {
    /// Whether it may go on.
    approved: bool,
}

struct HumanInTheLoop;

/// Asks before it acts. While it waits it costs rows, and no memory.
#[workflow]
impl HumanInTheLoop {
    /// Asks for approval.
    #[step]
    fn ask(&self, _context: &Context, start: StartEvent) -> Result<ApprovalRequest> {
        let what = start.get("what")?.unwrap_or_else(|| "the release".to_owned());
        Ok(ApprovalRequest { question: format!("Shall {what} go out?") })
    }

    /// Acts on the answer.
    #[step]
    fn act(&self, _context: &Context, answer: ApprovalResponse) -> Result<StopEvent> {
        Ok(StopEvent::new(if answer.approved { "it is out" } else { "it stays in" }))
    }
}
