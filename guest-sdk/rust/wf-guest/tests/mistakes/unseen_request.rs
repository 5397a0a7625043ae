use wf_guest::prelude::*;

#[derive(Event)]
#[event(input_required)]
struct Question {
    text: String,
}

#[derive(Event)]
#[event(human_response)]
struct Reply {
    text: String,
}

fn question(start: &StartEvent) -> Question {
    Question { text: format!("{:?}", start.fields()) }
}

struct Asking;

#[workflow]
impl Asking {
    #[step]
    fn ask(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let reply = context.wait::<Reply>().request(&question(&start))?.get()?;
        Ok(StopEvent::new(reply.text))
    }
}

fn main() {}
