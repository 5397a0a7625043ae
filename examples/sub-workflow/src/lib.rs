use serde::Deserialize;
use wf_guest::prelude::*;

/// Another workflow is to run.
#[derive(Event)]
struct Call {
    name: String,
}

/// What came of it.
#[derive(Event)]
struct Called {
    result: Value,
}

/// A run, as the API shows it.
#[derive(Deserialize)]
struct Run {
    status: String,
    result: Value,
    error: Option<String>,
}

struct SubWorkflow;

/// Greets everybody, by a run of another workflow for each: on this server, or on any that it may reach.
#[workflow]
impl SubWorkflow {
    #[step]
    fn split(&self, _context: &Context, start: StartEvent) -> Result<Vec<Call>> {
        let names: Vec<String> = start.get("names")?.unwrap_or_default();
        Ok(names.into_iter().map(|name| Call { name }).collect())
    }

    /// Starts a run, and looks at it until it has ended. It sleeps in between, out of memory.
    #[step(num_workers = 8, retry(delay = 1.0, attempts_max = 10))]
    fn call(&self, context: &Context, call: Call) -> Result<Called> {
        let server = context.variable("FLOWS_URL").ok_or(Failure::new("NoServer", "grant it `FLOWS_URL`").no_retry())?;
        let start = json!({ "start_event": { "name": call.name } });
        // The key is the same after a crash and in the next attempt: there is one run, however often it is asked for.
        let request = context.http().post(format!("{server}/workflows/greeting/run-nowait")).idempotency_key("call");
        let handler: Value = request.json(&start)?.send()?.error_for_status()?.json()?;
        let handler = handler["handler_id"].as_str().unwrap_or_default();
        loop {
            let run: Run = context.http().get(format!("{server}/results/{handler}")).send()?.json()?;
            match run.status.as_str() {
                "completed" => return Ok(Called { result: run.result }),
                "running" => context.sleep(Duration::from_secs(1)),
                ended => return Err(Failure::new("ChildFailed", run.error.unwrap_or_else(|| ended.to_owned())).no_retry()),
            }
        }
    }

    #[step]
    fn gather(&self, _context: &Context, all: Collect<Called>) -> Result<StopEvent> {
        Ok(StopEvent::new(all.into_iter().map(|it| it.result).collect::<Vec<_>>()))
    }
}
