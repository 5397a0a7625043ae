use wf_guest::prelude::*;

#[derive(Event)]
#[event(start)]
struct OrderStartEvent {
    item: String,
}

struct Example;

#[workflow]
impl Example {
    #[step]
    fn first(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(1))
    }

    #[step]
    fn second(&self, _context: &Context, start: OrderStartEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(start.item))
    }
}

fn main() {}
