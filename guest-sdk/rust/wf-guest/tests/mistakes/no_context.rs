use wf_guest::prelude::*;

struct Example;

#[workflow]
impl Example {
    #[step]
    fn only(&self, _start: StartEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(1))
    }
}

fn main() {}
