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
    // No tail call, and next to nothing on the guest's own stack in its memory.
    if depth == u64::MAX { 0 } else { deeper(std::hint::black_box(depth + 1)) ^ std::hint::black_box(depth) }
}
