use wf_guest::prelude::*;

struct Probe {
    count: u32,
}

#[workflow]
impl Probe {
    #[step]
    fn begin(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        Ok(StopEvent::new(self.count))
    }
}

fn main() {}
