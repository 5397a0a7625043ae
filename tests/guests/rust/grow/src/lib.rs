use wf_guest::prelude::*;

struct Grow;

/// Wants ever more memory.
#[workflow]
impl Grow {
    /// Allocates without end.
    #[step]
    fn grow(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let mut all: Vec<Vec<u8>> = Vec::new();
        loop {
            all.push(vec![1; 1 << 20]);
            std::hint::black_box(&all);
        }
    }
}
