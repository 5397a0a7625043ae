use wf_guest::prelude::*;

struct WasiSleep;

/// Sleeps through WASI, and checks that its clocks moved by as much.
#[workflow]
impl WasiSleep {
    /// Sleeps a fifth of a second.
    #[step]
    fn sleep(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let (monotonic, wall) = (std::time::Instant::now(), std::time::SystemTime::now());
        std::thread::sleep(Duration::from_millis(200));
        let moved = json!({ "monotonic": monotonic.elapsed().as_millis() as u64, "wall": wall.elapsed()?.as_millis() as u64 });
        Ok(StopEvent::new(moved))
    }
}
