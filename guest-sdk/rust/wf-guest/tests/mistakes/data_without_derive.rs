use wf_guest::prelude::*;

struct Line {
    text: String,
}

enum Size {
    Small,
    Large,
}

#[derive(Data)]
struct Parcel {
    size: Size,
}

#[derive(Event)]
#[event(start)]
struct Order {
    lines: Vec<Line>,
    parcel: Parcel,
    note: Option<String>,
}

struct Ordering;

#[workflow]
impl Ordering {
    #[step]
    fn take(&self, _context: &Context, order: Order) -> Result<StopEvent> {
        Ok(StopEvent::new(order.lines.len()))
    }
}

fn main() {}
