use wf_guest::prelude::*;

struct Chatty;

/// Says more than anybody reads.
#[workflow]
impl Chatty {
    /// Writes three times what an attempt may write, to each place that there is.
    #[step]
    fn chat(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let line = "x".repeat(1023);
        for _ in 0..1024 {
            println!("{line}");
            eprintln!("{line}");
            context.info(&line);
        }
        Ok(StopEvent::new("said"))
    }
}
