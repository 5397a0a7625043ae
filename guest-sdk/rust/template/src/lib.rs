use wf_guest::prelude::*;

/// Asks whom to greet.
#[derive(Event)]
#[event(input_required)]
struct NameNeeded {
    /// What to ask.
    prompt: String,
}

/// Whom to greet.
#[derive(Event)]
#[event(human_response)]
struct NameGiven {
    /// A name.
    name: String,
}

struct Workflow;

/// Greets by name, and asks for one where none is given.
#[workflow(name = "{{name}}")]
impl Workflow {
    /// Greets at once, or asks.
    #[step]
    fn begin(&self, _context: &Context, start: StartEvent) -> Result<Next> {
        match start.get::<String>("name")? {
            Some(name) => Ok(StopEvent::new(greeting(&name)).into()),
            None => Ok(NameNeeded { prompt: "Whom shall I greet?".into() }.into()),
        }
    }

    /// Greets whoever was named.
    #[step]
    fn greet(&self, _context: &Context, given: NameGiven) -> Result<StopEvent> {
        Ok(StopEvent::new(greeting(&given.name)))
    }
}

/// What follows the first step.
#[derive(Events)]
enum Next {
    Ask(NameNeeded),
    Stop(StopEvent),
}

fn greeting(name: &str) -> String {
    format!("Hello, {name}!")
}

#[cfg(test)]
mod tests {
    use wf_guest::testing::Test;

    use super::*;

    #[test]
    fn it_greets_by_name() {
        let run = Test::of(Workflow).start(json!({ "name": "Ada" }));
        assert_eq!(run.result::<String>(), greeting("Ada"));
    }

    #[test]
    fn it_asks_for_a_name() {
        let mut run = Test::of(Workflow).start(json!({}));
        assert_eq!(run.published_of::<NameNeeded>()[0].prompt, "Whom shall I greet?");
        run.send(&NameGiven { name: "Grace".into() });
        assert_eq!(run.result::<String>(), greeting("Grace"));
    }
}
