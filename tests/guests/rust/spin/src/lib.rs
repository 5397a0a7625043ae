use wf_guest::prelude::*;

struct Spin;

/// Never returns.
#[workflow]
impl Spin {
    /// Computes without end.
    #[step(timeout = 1.0)]
    fn spin(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        loop {
            std::hint::black_box(());
        }
    }
}
