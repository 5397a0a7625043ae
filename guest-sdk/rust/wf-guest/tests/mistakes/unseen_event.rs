use wf_guest::prelude::*;

#[derive(Event)]
struct Progress {
    percent: u8,
}

struct Working;

#[workflow]
impl Working {
    #[step]
    fn work(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        for progress in [Progress { percent: 50 }, Progress { percent: 100 }] {
            context.publish(&progress)?;
        }
        Ok(StopEvent::new(()))
    }
}

fn main() {}
