use wf_guest::prelude::*;

#[derive(Event)]
#[event(human_response)]
struct Reply {
    text: String,
}

struct Asking;

#[workflow]
impl Asking {
    #[step]
    fn ask(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let reply: Reply = context.wait().get()?;
        Ok(StopEvent::new(reply.text))
    }
}

fn main() {}
