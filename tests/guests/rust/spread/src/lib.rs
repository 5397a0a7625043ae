use wf_guest::prelude::*;

/// A number to square.
#[derive(Event)]
struct WorkEvent {
    i: u64,
}

/// A number that is squared.
#[derive(Event)]
struct DoneEvent {
    square: u64,
}

struct Spread;

/// Squares `n` numbers, each at a step of its own, and adds them up.
#[workflow]
impl Spread {
    /// Sends the numbers out.
    #[step]
    fn dispatch(&self, context: &Context, start: StartEvent) -> Result<Option<WorkEvent>> {
        let n: usize = start.get("n")?.unwrap_or(100);
        context.set("n", n)?;
        for i in 0..n as u64 {
            context.send(&WorkEvent { i })?;
        }
        Ok(None)
    }

    /// Squares one.
    #[step(num_workers = 4)]
    fn work(&self, _context: &Context, work: WorkEvent) -> Result<DoneEvent> {
        Ok(DoneEvent { square: work.i * work.i })
    }

    /// Adds them up.
    #[step]
    fn gather(&self, context: &Context, done: DoneEvent) -> Result<Option<StopEvent>> {
        let n: usize = context.get("n")?.unwrap_or(0);
        let all = context.collect(&done, n)?;
        Ok(all.map(|all| StopEvent::new(all.iter().map(|done| done.square).sum::<u64>())))
    }
}
