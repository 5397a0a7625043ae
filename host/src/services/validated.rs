//! Whether an event from outside fits: by its schema, or by the components that have a say of their own.

use wf_engine::entry::{Event, Part};
use wf_engine::text::{self, Limit};

use super::Services;
use crate::forms::Given;
use crate::model::{Refusal, Workflow};

impl Services {
    /// The event, where its value fits, else why not, in the words of whoever refuses it; a refusal where nobody can say.
    pub async fn validated(&self, workflow: &Workflow, given: Given) -> Result<Result<Event, String>, Refusal> {
        let asked = workflow.definition.validators(&given.event.name, given.unfit.is_none());
        if asked.is_empty() {
            return Ok(given.by_schema());
        }
        let parts = workflow.definition.parts();
        let parts: Vec<Part> = asked.into_iter().map(|place| parts[place].clone()).collect();
        let components = self.registry.components(&parts, &self.runtime, &*self.store).await;
        let max = Limit { name: "payload_max", max: workflow.limits.payload_max };
        let mut event = given.event;
        for component in components.map_err(|error| Refusal::Unavailable(format!("{error:#}")))? {
            let said = self.runtime.validate(&component, &workflow.name, &event, self.clock.at(), &workflow.limits).await;
            match said.map_err(Refusal::Unavailable)? {
                Err(words) => return Ok(Err(words)),
                Ok(None) => (),
                Ok(Some(other)) => match text::object(&format!("the value of {}", event.name), other, max) {
                    Err(refused) => return Ok(Err(refused.message)),
                    Ok(payload) => event.payload = payload,
                },
            }
        }
        Ok(Ok(event))
    }
}
