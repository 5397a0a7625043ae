use wf_guest::prelude::*;

struct Hoard;

/// Keeps more and more in its state.
#[workflow]
impl Hoard {
    /// Hoards.
    #[step]
    fn hoard(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let mebibyte = "x".repeat(1 << 20);
        for place in 0.. {
            context.set(&format!("kept-{place}"), &mebibyte)?;
        }
        Ok(StopEvent::new(json!(null)))
    }
}
