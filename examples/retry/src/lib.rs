use wf_guest::prelude::*;

/// Money is to be taken.
#[derive(Event)]
struct Charge {
    cents: u64,
    /// How often the bank fails before it does not.
    failures: u32,
}

/// It was not to be had, for good.
#[derive(Event)]
struct Owed {
    cents: u64,
    why: String,
}

struct Retry;

/// Charges a card: tries again where the bank fails, and sends a bill where it fails for good.
#[workflow]
impl Retry {
    #[step]
    fn begin(&self, _context: &Context, start: StartEvent) -> Result<Charge> {
        Ok(Charge { cents: start.get("cents")?.unwrap_or(1_000), failures: start.get("failures")?.unwrap_or(2) })
    }

    /// An error is another attempt: here three in all, the second after a tenth of a second, the third after two.
    #[step(retry(delay = 0.1, attempts_max = 3, backoff = "exponential"))]
    fn charge(&self, context: &Context, charge: Charge) -> Result<StopEvent> {
        let tried = context.retry_info().attempts;
        if charge.cents == 0 {
            // Another attempt would do no better.
            return Err(Failure::new("NothingToPay", "there is nothing to pay").no_retry());
        }
        if tried < charge.failures {
            return Err(Failure::new("BankDown", format!("the bank does not answer, {} times now", tried + 1)));
        }
        Ok(StopEvent::new(json!({ "paid": charge.cents, "retries": tried })))
    }

    /// Is given what has failed for good, with what it was given.
    #[step(catch_error(steps = ["charge"]))]
    fn recover(&self, _context: &Context, failed: StepFailedEvent) -> Result<Owed> {
        let why = failed.exception["exception_message"].as_str().unwrap_or_default().to_owned();
        let input = failed.input_event.ok_or(Failure::new("NoCharge", "there is no charge"))?;
        Ok(Owed { cents: input.parse::<Charge>()?.cents, why })
    }

    #[step]
    fn bill(&self, _context: &Context, owed: Owed) -> Result<StopEvent> {
        Ok(StopEvent::new(json!({ "billed": owed.cents, "because": owed.why })))
    }
}
