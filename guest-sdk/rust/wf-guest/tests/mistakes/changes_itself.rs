use wf_guest::prelude::*;

struct Example;

#[workflow]
impl Example {
    #[step]
    fn only(&mut self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(1))
    }
}

fn main() {}
