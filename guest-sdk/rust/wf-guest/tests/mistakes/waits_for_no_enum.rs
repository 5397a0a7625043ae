use wf_guest::prelude::*;

#[derive(Event)]
struct Reply {
    text: String,
}

struct Asking;

#[workflow]
impl Asking {
    #[step]
    fn ask(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let reply = context.wait_any::<Reply>().get()?;
        Ok(StopEvent::new(reply.text))
    }
}

fn main() {}
