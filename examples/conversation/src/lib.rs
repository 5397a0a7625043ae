use wf_guest::prelude::*;

struct Conversation;

/// Answers a line, and remembers those before it: a handler's next run begins with the state of its last.
#[workflow]
impl Conversation {
    #[step]
    fn answer(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let line: String = start.get("line")?.unwrap_or_default();
        if let Some(name) = line.strip_prefix("I am ") {
            context.set("name", name.trim_end_matches('.'))?;
        }
        context.push("lines", &line)?;
        let lines: Vec<String> = context.get("lines")?.unwrap_or_default();
        let name: Option<String> = context.get("name")?;
        let whom = name.as_deref().unwrap_or("stranger");
        Ok(StopEvent::new(format!("Hello, {whom}. You have said {} line(s).", lines.len())))
    }
}
