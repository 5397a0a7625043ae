use wf_guest::prelude::*;

/// Money is to be taken.
#[derive(Event)]
struct Charge {
    cents: u64,
}

/// Goods are to be packed.
#[derive(Event)]
struct Pack {
    item: String,
}

/// The money is there.
#[derive(Event)]
struct Paid {
    cents: u64,
}

/// The goods are ready.
#[derive(Event)]
struct Packed {
    item: String,
}

/// A carrier is to say what it asks.
#[derive(Event)]
struct Ask {
    carrier: String,
}

/// What it asks.
#[derive(Event)]
struct Offer {
    carrier: String,
    cents: u64,
}

struct Joins;

/// Ships an order: waits for both of two, and then for the first two of three.
#[workflow]
impl Joins {
    /// Begins two things at once.
    #[step]
    fn begin(&self, context: &Context, start: StartEvent) -> Result<Pack> {
        context.send(&Charge { cents: start.get("cents")?.unwrap_or(1_000) })?;
        Ok(Pack { item: start.get("item")?.unwrap_or_else(|| "a lamp".to_owned()) })
    }

    #[step]
    fn charge(&self, _context: &Context, charge: Charge) -> Result<Paid> {
        Ok(Paid { cents: charge.cents })
    }

    #[step]
    fn pack(&self, _context: &Context, pack: Pack) -> Result<Packed> {
        Ok(Packed { item: pack.item })
    }

    /// Runs when there are both, whichever comes first.
    #[step]
    fn ship(&self, context: &Context, paid: Paid, packed: Packed) -> Result<Vec<Ask>> {
        context.set("order", json!({ "item": packed.item, "cents": paid.cents }))?;
        Ok(["Ant", "Bee", "Cat"].map(|carrier| Ask { carrier: carrier.to_owned() }).into())
    }

    /// The third takes its time.
    #[step]
    fn offer(&self, context: &Context, ask: Ask) -> Result<Offer> {
        let (cents, seconds) = match ask.carrier.as_str() {
            "Ant" => (700, 0),
            "Bee" => (500, 0),
            _ => (100, 3_600),
        };
        context.sleep(Duration::from_secs(seconds));
        Ok(Offer { carrier: ask.carrier, cents })
    }

    /// Runs with the first two offers, and waits for no third.
    #[step(take = 2)]
    fn choose(&self, context: &Context, offers: Collect<Offer>) -> Result<StopEvent> {
        let best = offers.into_iter().min_by_key(|it| it.cents).ok_or(Failure::new("NoOffer", "nobody ships it"))?;
        let order: Value = context.get("order")?.unwrap_or_default();
        Ok(StopEvent::new(json!({ "order": order, "carrier": best.carrier, "shipping": best.cents })))
    }
}
