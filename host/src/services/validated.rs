//! Whether an event from outside fits: by its schema, or by the components that have a say of their own.

use wf_engine::entry::{Event, Part};
use wf_engine::text::{self, Limit};

use super::Services;
use crate::forms::Given;
use crate::model::Workflow;

impl Services {
    /// The event, where its value fits; else why not, in the words of whoever refuses it.
    pub async fn validated(&self, workflow: &Workflow, given: Given) -> Result<Event, String> {
        let asked = workflow.definition.validators(&given.event.name, given.unfit.is_none());
        if asked.is_empty() {
            return given.by_schema();
        }
        let parts = workflow.definition.parts();
        let parts: Vec<Part> = asked.into_iter().map(|place| parts[place].clone()).collect();
        let components = self.registry.components(&parts, &self.runtime, &*self.store).await;
        let max = Limit { name: "payload_max", max: workflow.limits.payload_max };
        let mut event = given.event;
        for component in components.map_err(|error| format!("its component cannot be asked: {error:#}"))? {
            let other = self.runtime.validate(&component, &workflow.name, &event, self.clock.at(), &workflow.limits).await?;
            if let Some(other) = other {
                let read = text::object(&format!("the value of {}", event.name), other, max);
                event.payload = read.map_err(|refused| refused.message)?;
            }
        }
        Ok(event)
    }
}
