use wf_guest::prelude::*;

/// Asks for the next answer.
#[derive(Event)]
#[event(input_required)]
struct AskEvent {
    number: u32,
}

/// An answer.
#[derive(Event)]
#[event(human_response)]
struct AnswerEvent {
    text: String,
    /// How often it is told.
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

struct Inbox;

/// Takes several answers in order, however early they come.
#[workflow]
impl Inbox {
    /// Waits for `n` answers (2), after a sleep of `delay` seconds (none), and stops with their texts.
    /// With `fresh` it takes only what comes after each question.
    #[step]
    fn ask(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let (n, fresh) = (start.get("n")?.unwrap_or(2), start.get("fresh")?.unwrap_or(false));
        if let Some(seconds) = start.get("delay")? {
            context.sleep(Duration::try_from_secs_f64(seconds)?);
        }
        let mut texts = Vec::new();
        for number in 0..n {
            let wait = context.wait::<AnswerEvent>().request(&AskEvent { number })?;
            let answer = if fresh { wait.fresh().get()? } else { wait.get()? };
            texts.extend((0..answer.times).map(|_| answer.text.clone()));
        }
        Ok(StopEvent::new(texts))
    }
}
