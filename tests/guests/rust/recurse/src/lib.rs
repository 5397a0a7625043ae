use wf_guest::prelude::*;

struct Recurse;

/// Calls itself without end.
#[workflow]
impl Recurse {
    /// Recurses.
    #[step]
    fn recurse(&self, _context: &Context, start: StartEvent) -> Result<StopEvent> {
        let depth = deeper(start.get("depth")?.unwrap_or(0));
        Ok(StopEvent::new(depth))
    }
}

fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    if frame[0] == u64::MAX { 0 } else { deeper(depth + 1) + frame[63] }
}
