use wf_guest::prelude::*;

struct Counter;

/// Counts on from where the handler's last run left off.
#[workflow]
impl Counter {
    /// Adds to the count.
    #[step]
    fn bump(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let by: i64 = start.get("by")?.unwrap_or(1);
        let count = context.edit("count", |count: Option<i64>| count.unwrap_or(0) + by)?;
        Ok(StopEvent::new(json!({ "count": count })))
    }
}
