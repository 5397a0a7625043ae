use wf_guest::prelude::*;

/// One that counts.
#[derive(Event)]
struct CountEvent {
    by: i64,
}

/// One that has counted.
#[derive(Event)]
struct CountedEvent {}

struct Exclusive;

/// Counts in parallel, with a change that is never repeated.
#[workflow]
impl Exclusive {
    /// Starts as many as the start event says: 20.
    #[step]
    fn split(&self, _context: &Context, start: StartEvent) -> Result<Vec<CountEvent>> {
        let n = start.get("n")?.unwrap_or(20);
        Ok((0..n).map(|_| CountEvent { by: 1 }).collect())
    }

    /// Counts, and how often it changed what there was.
    #[step(num_workers = 20)]
    fn count(&self, context: &Context, event: CountEvent) -> Result<CountedEvent> {
        context.push("begun", event.by)?;
        context.edit_exclusive("count", |count: Option<i64>| {
            // In the middle of it: a sleep that keeps the instance.
            context.sleep(Duration::from_millis(1));
            count.unwrap_or(0) + event.by
        })?;
        Ok(CountedEvent {})
    }

    /// Stops with the count, and with how many had begun.
    #[step]
    fn sum(&self, context: &Context, _all: Collect<CountedEvent>) -> Result<StopEvent> {
        let begun: Vec<i64> = context.get("begun")?.unwrap_or_default();
        Ok(StopEvent::new(json!({ "count": context.get::<i64>("count")?, "begun": begun.len() })))
    }
}
