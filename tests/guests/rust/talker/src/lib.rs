use wf_guest::prelude::*;

struct Talker;

/// Says something, and goes on for long without a call of the context.
#[workflow]
impl Talker {
    /// Says that it has begun, writes as many newlines as the start event says, and then sleeps or computes for so many
    /// seconds (of its own clock, which stands still while it computes).
    #[step]
    fn talk(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        context.info("begun");
        println!("begun on stdout");
        for _ in 0..start.get("newlines")?.unwrap_or(0) {
            println!();
        }
        for _ in 0..start.get("tenths")?.unwrap_or(0) {
            std::thread::sleep(Duration::from_millis(100));
        }
        for number in 0..start.get("turns")?.unwrap_or(0_u64) {
            std::hint::black_box(number);
        }
        Ok(StopEvent::new("said"))
    }
}
