use wf_guest::prelude::*;

/// How many numbers to square.
#[derive(Event)]
#[event(start)]
struct FanStart {
    #[serde(default = "three")]
    #[schemars(range(min = 0, max = 1000))]
    n: u32,
}

fn three() -> u32 {
    3
}

/// A number to square.
#[derive(Event)]
struct WorkEvent {
    i: u32,
}

/// A number that is squared.
#[derive(Event)]
struct DoneEvent {
    i: u32,
    square: u32,
}

struct Fanout;

/// Squares numbers, several at once.
#[workflow]
impl Fanout {
    /// Sends the numbers out.
    #[step(sends(WorkEvent))]
    fn dispatch(&self, context: &Context, start: FanStart) -> Result<Option<StopEvent>> {
        context.set("n", start.n)?;
        for i in 0..start.n {
            context.send_to("work", &WorkEvent { i })?;
        }
        Ok((start.n == 0).then(|| StopEvent::new(json!([]))))
    }

    /// Squares one.
    #[step(num_workers = 4)]
    fn work(&self, context: &Context, work: WorkEvent) -> Result<DoneEvent> {
        context.sleep(Duration::from_millis(10));
        Ok(DoneEvent { i: work.i, square: work.i * work.i })
    }

    /// Gathers them all.
    #[step]
    fn collect(&self, context: &Context, done: DoneEvent) -> Result<Option<StopEvent>> {
        let n = context.get("n")?.unwrap_or(0);
        let Some(all) = context.collect(&done, n)? else { return Ok(None) };
        let mut squares: Vec<u32> = all.iter().map(|done| done.square).collect();
        squares.sort_unstable();
        Ok(Some(StopEvent::new(squares)))
    }
}
