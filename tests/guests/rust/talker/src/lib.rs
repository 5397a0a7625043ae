use wf_guest::prelude::*;

/// It goes on.
#[derive(Event)]
struct AgainEvent {
    newlines: u32,
    times: u32,
}

struct Talker;

/// Says something, and goes on for long without a call of the context.
#[workflow]
impl Talker {
    /// Says that it has begun, writes as many newlines as the start event says, and then sleeps or computes for so many
    /// seconds (of its own clock, which stands still while it computes). With `times` the newlines are written so often.
    #[step(sends(AgainEvent))]
    fn talk(&self, context: &Context, start: StartEvent) -> Result<Option<StopEvent>> {
        context.info("begun");
        println!("begun on stdout");
        let newlines = start.get("newlines")?.unwrap_or(0);
        write(newlines);
        for _ in 0..start.get("tenths")?.unwrap_or(0) {
            std::thread::sleep(Duration::from_millis(100));
        }
        for number in 0..start.get("turns")?.unwrap_or(0_u64) {
            std::hint::black_box(number);
        }
        on(context, newlines, start.get("times")?.unwrap_or(1))
    }

    /// Writes them again.
    #[step(sends(AgainEvent))]
    fn again(&self, context: &Context, again: AgainEvent) -> Result<Option<StopEvent>> {
        write(again.newlines);
        on(context, again.newlines, again.times)
    }
}

fn write(newlines: u32) {
    for _ in 0..newlines {
        println!();
    }
}

fn on(context: &Context, newlines: u32, times: u32) -> Result<Option<StopEvent>> {
    if times <= 1 {
        return Ok(Some(StopEvent::new("said")));
    }
    context.send(&AgainEvent { newlines, times: times - 1 })?;
    Ok(None)
}
