use wf_guest::prelude::*;

struct Trap;

/// Panics.
#[workflow]
impl Trap {
    /// Panics.
    #[step]
    fn panic(&self, _context: &Context, start: StartEvent) -> Result<StopEvent> {
        panic!("{}", start.get("message")?.unwrap_or_else(|| "it broke".to_owned()))
    }
}
