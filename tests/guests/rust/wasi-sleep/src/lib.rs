use wf_guest::prelude::*;

struct WasiSleep;

/// Sleeps through WASI, and checks that its clocks moved by as much.
#[workflow]
impl WasiSleep {
    /// Sleeps as many seconds as the start event says: a fifth of one.
    #[step]
    fn sleep(&self, _context: &Context, start: StartEvent) -> Result<StopEvent> {
        let seconds = start.get("seconds")?.unwrap_or(0.2);
        let (monotonic, wall) = (std::time::Instant::now(), std::time::SystemTime::now());
        std::thread::sleep(Duration::try_from_secs_f64(seconds)?);
        let moved = json!({ "monotonic": monotonic.elapsed().as_millis() as u64, "wall": wall.elapsed()?.as_millis() as u64 });
        Ok(StopEvent::new(moved))
    }
}
