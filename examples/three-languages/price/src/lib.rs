use wf_guest::prelude::*;

/// What is to be made.
#[derive(Event)]
struct Line {
    item: String,
    count: i64,
}

/// What it costs.
#[derive(Event)]
struct Priced {
    item: String,
    count: i64,
    cents: i64,
}

struct Price;

/// Knows what things cost.
#[workflow]
impl Price {
    /// Looks up the price, which takes a moment.
    #[step]
    fn price(&self, context: &Context, line: Line) -> Result<Priced> {
        let each = if line.item == "tea" { 320 } else { 450 };
        context.sleep(std::time::Duration::from_millis(50));
        Ok(Priced { cents: each * line.count, item: line.item, count: line.count })
    }
}
