use wf_guest::prelude::*;

struct Busy;

/// Is on a thread for as long as it may be.
#[workflow]
impl Busy {
    /// Computes without end.
    #[step]
    fn work(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        loop {
            std::hint::black_box(());
        }
    }
}
