use wf_guest::prelude::*;

#[derive(Event)]
struct Item {
    number: u32,
}

struct Joining;

#[workflow]
impl Joining {
    #[step(order = "alphabet")]
    fn join(&self, _context: &Context, items: Collect<Item>) -> Result<StopEvent> {
        Ok(StopEvent::new(items.into_iter().map(|item| item.number).sum::<u32>()))
    }
}

fn main() {}
