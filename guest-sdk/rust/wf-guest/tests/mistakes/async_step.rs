use wf_guest::prelude::*;

struct Probe;

#[workflow]
impl Probe {
    #[step]
    async fn begin(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(1))
    }
}

fn main() {}
