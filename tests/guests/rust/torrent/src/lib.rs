use wf_guest::prelude::*;

/// A large one of many.
#[derive(Event)]
struct DropEvent {
    sequence: u32,
    text: String,
}

struct Torrent;

/// Publishes faster than any disk writes.
#[workflow]
impl Torrent {
    /// Publishes as many events as the start event says, of as many bytes each.
    #[step(sends(DropEvent))]
    fn publish(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let (events, bytes) = (start.get("events")?.unwrap_or(400), start.get("bytes")?.unwrap_or(2_000_000_usize));
        for sequence in 0..events {
            // Each with a text of its own, so that none is stored as a copy of another.
            let text = sequence.to_string() + &"x".repeat(bytes);
            context.publish(&DropEvent { sequence, text })?;
        }
        Ok(StopEvent::new(events))
    }
}
