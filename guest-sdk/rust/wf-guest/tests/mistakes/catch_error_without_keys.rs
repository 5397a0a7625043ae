use wf_guest::prelude::*;

struct Example;

#[workflow]
impl Example {
    #[step(catch_error(steps("only")))]
    fn only(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(1))
    }
}

fn main() {}
