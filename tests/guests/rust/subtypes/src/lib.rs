use wf_guest::prelude::*;

/// Any order.
#[derive(Event)]
struct Order {
    number: u32,
}

/// One that is in haste.
#[derive(Event)]
#[event(base = "Order")]
struct RushOrder {
    number: u32,
    hours: u32,
}

/// What somebody wants otherwise.
#[derive(Event)]
#[event(human_response)]
struct Change {
    by: String,
}

/// With a signature.
#[derive(Event)]
#[event(base = "Change")]
struct SignedChange {
    by: String,
    key: String,
}

/// Either.
#[derive(Events)]
enum Placed {
    Order(Order),
    Rush(RushOrder),
}

struct Subtypes;

/// Takes orders of every type by one step, and sees which type they are of.
#[workflow(additional_events(SignedChange))]
impl Subtypes {
    /// Places an order; with the start event's `hours` it is in haste.
    #[step]
    fn place(&self, _context: &Context, start: StartEvent) -> Result<Placed> {
        Ok(match start.get("hours")? {
            Some(hours) => RushOrder { number: 1, hours }.into(),
            None => Order { number: 1 }.into(),
        })
    }

    /// Waits for a change of any type, and stops with what it sees.
    #[step]
    fn take(&self, context: &Context, order: Subtype<Order>) -> Result<StopEvent> {
        let change = context.wait::<Change>().subtypes().get()?;
        let key = change.downcast::<SignedChange>()?.map(|signed| signed.key);
        let hours = order.downcast::<RushOrder>()?.map(|rush| rush.hours);
        Ok(StopEvent::new(json!([order.type_name(), order.number, hours, change.type_name(), change.by, key])))
    }
}
