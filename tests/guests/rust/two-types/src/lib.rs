use wf_guest::prelude::*;

/// Asks for a decision.
#[derive(Event)]
#[event(input_required, module = "house.decisions")]
struct DecideEvent {
    question: String,
}

/// It may go on.
#[derive(Event)]
#[event(human_response)]
struct ApprovedEvent {
    by: String,
}

/// It may not.
#[derive(Event)]
#[event(human_response)]
struct RefusedEvent {
    reason: String,
}

/// The two.
#[derive(Events)]
enum Decision {
    Approved(ApprovedEvent),
    Refused(RefusedEvent),
}

struct TwoTypes;

/// Waits for either of two types, whichever comes first.
#[workflow]
impl TwoTypes {
    /// Asks, and stops with what was decided, or with `nobody` after the `wait` seconds of the start
    /// event (60).
    #[step]
    fn decide(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let seconds = start.get("wait")?.unwrap_or(60.0);
        let wait = context.wait_any::<Decision>().timeout(Duration::try_from_secs_f64(seconds)?);
        let decision = wait.request(&DecideEvent { question: "go on?".into() })?.get();
        Ok(StopEvent::new(match decision {
            Ok(Decision::Approved(approved)) => json!({ "approved": approved.by }),
            Ok(Decision::Refused(refused)) => json!({ "refused": refused.reason }),
            Err(failure) if failure.kind() == "timeout" => json!("nobody"),
            Err(failure) => return Err(failure),
        }))
    }
}
