use wf_guest::prelude::*;

struct Example;

#[workflow(timout = 3.0)]
impl Example {
    #[step]
    fn only(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(1))
    }
}

fn main() {}
