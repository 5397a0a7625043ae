//! Every form that a step can have.

use wf_guest::prelude::*;
use wf_guest::testing::Test;

/// Begins.
#[derive(Event)]
#[event(start)]
struct OrderStart {
    /// How many.
    count: u32,
}

#[derive(Event)]
struct Item {
    place: u32,
}

#[derive(Event)]
struct Left {}

#[derive(Event)]
struct Right {}

#[derive(Event)]
struct Done {
    place: u32,
}

#[derive(Event)]
struct Urgent;

#[derive(Events)]
enum Next {
    Left(Left),
    Right(Right),
}

struct Whole;

/// Shows everything.
#[workflow(name = "whole", version = "1", timeout = 60.0)]
impl Whole {
    #[step(sends(Urgent), num_workers = 2, timeout = 5.0, retry(delay = 0.1, attempts_max = 3, backoff = "exponential"))]
    fn begin(&self, context: &Context, start: OrderStart) -> Result<Vec<Item>> {
        context.publish(&Urgent)?;
        Ok((0..start.count).map(|place| Item { place }).collect())
    }

    #[step]
    fn work(&self, _context: &Context, item: Item) -> Result<Done> {
        Ok(Done { place: item.place })
    }

    #[step]
    fn gather(&self, _context: &Context, done: Collect<Done>) -> Result<Next> {
        let done: Vec<Done> = done.into_iter().collect();
        Ok(if done.is_empty() { Left {}.into() } else { Right {}.into() })
    }

    #[step]
    fn either(&self, _context: &Context, next: Next) -> Result<Option<StopEvent>> {
        match next {
            Next::Left(_) => Ok(None),
            Next::Right(_) => Ok(Some(StopEvent::new("done"))),
        }
    }

    #[step(catch_error(max_recoveries = 2))]
    fn recover(&self, _context: &Context, failed: StepFailedEvent) -> Result<StopEvent> {
        let text: u32 = "7".parse()?;
        Ok(StopEvent::new(json!({ "failed": failed.step_name, "text": text })))
    }
}

#[test]
fn every_form_of_a_step_runs() {
    let mut run = Test::of(Whole).start(json!({ "count": 2 }));
    run.finish();
    assert_eq!(run.result::<String>(), "done");
    assert_eq!((run.attempts("work"), run.attempts("gather"), run.attempts("recover")), (2, 1, 0));
}
