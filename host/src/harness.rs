//! Runs of workflows for their tests, asked for by lines of JSON: on the engine, the machine and the runtime that are
//! served, with a store in memory and a clock that only the test moves.
//!
//! No two steps run at once, chance is what the test says, and nothing leaves: a run that is asked for again goes the
//! same way. `guest-sdk/HARNESS.md` is the protocol's page.

// Read in this order.
mod mistake;

mod request;

mod standing;

mod outside;

mod faults;

mod again;

mod trial;

use std::sync::Arc;

use serde::Serialize;
use wf_engine::json::Json;

use crate::forms::Schemas;
use crate::services::Services;
pub(crate) use mistake::Mistake;
use request::Request;
use trial::Trial;

/// The version of the protocol.
const PROTOCOL: u32 = 1;

/// What tests ask, and the run that they ask about.
pub(crate) struct Harness {
    services: Arc<Services>,
    schemas: Schemas,
    trial: Option<Trial>,
}

/// What there is to test.
#[derive(Serialize)]
struct Hello {
    harness: u32,
    wf_host: &'static str,
    workflows: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    /// The type of its start event.
    start: String,
    steps: Vec<String>,
}

/// Parts of an answer, each in a key of its own.
#[derive(Default, Serialize)]
struct Parts {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Vec<standing::Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<Vec<standing::Asked>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<standing::Tried>>,
}

impl Harness {
    /// For the workflows that are loaded.
    pub(crate) fn new(services: Arc<Services>) -> Harness {
        Harness { services, schemas: Schemas::default(), trial: None }
    }

    /// The first line: what there is to test.
    pub(crate) fn hello(&self) -> String {
        let listed = self.services.registry.workflows().into_iter().map(|it| Listed {
            name: it.name.clone(),
            start: it.definition.start_type().unwrap_or("StartEvent").to_owned(),
            steps: it.definition.steps().map(|step| step.name.clone()).collect(),
        });
        line(&Hello { harness: PROTOCOL, wf_host: env!("CARGO_PKG_VERSION"), workflows: listed.collect() })
    }

    /// The answer to a line; none: the test is over.
    pub(crate) async fn answer(&mut self, asked: &[u8]) -> Option<String> {
        match self.told(asked).await {
            Ok(answer) => answer,
            Err(mistake) => Some(line(&mistake)),
        }
    }

    async fn told(&mut self, asked: &[u8]) -> Result<Option<String>, Mistake> {
        let request = match request::read(asked)? {
            Request::End => return Ok(None),
            Request::Start(plan) => {
                // The run before is over, whatever comes of this one.
                self.trial = None;
                let begun = Trial::begin(self.services.clone(), &self.schemas, *plan).await?;
                let trial = self.trial.insert(begun);
                return match trial.settle().await {
                    Ok(()) => Ok(Some(line(&trial.standing()))),
                    Err(mistake) => Err(self.broken(mistake)),
                };
            }
            request => request,
        };
        let none = || Mistake::new("no run was started", r#"`{"do":"start","event":{…}}` starts one"#);
        let trial = self.trial.as_mut().ok_or_else(none)?;
        let done = match request {
            Request::Start(_) | Request::End => Ok(()),
            Request::Send(sending) => {
                trial.send(&self.schemas, sending).await?;
                trial.settle().await
            }
            Request::Cancel => {
                trial.cancel().await?;
                trial.settle().await
            }
            Request::Advance(time) => trial.advance(time).await,
            Request::Finish => trial.finish().await,
            Request::Restart => trial.restart().await,
            Request::State => return Ok(Some(line(&Parts { state: Some(trial.state()), ..Parts::default() }))),
            Request::Log => return Ok(Some(line(&Parts { log: Some(trial.log().await?), ..Parts::default() }))),
            Request::Requests => return Ok(Some(line(&Parts { requests: Some(trial.requests()), ..Parts::default() }))),
            Request::Replay => return Ok(Some(line(&trial.replay().await?))),
            Request::Attempts => return Ok(Some(line(&Parts { attempts: Some(trial.attempts()), ..Parts::default() }))),
        };
        match done {
            Ok(()) => Ok(Some(line(&trial.standing()))),
            Err(mistake) => Err(self.broken(mistake)),
        }
    }

    /// A run that went wrong in the middle is not gone on with.
    fn broken(&mut self, mistake: Mistake) -> Mistake {
        self.trial = None;
        mistake
    }
}

/// One line of JSON: payloads are as they came, and may have line breaks between their parts.
pub(crate) fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("cannot happen: it is JSON").replace(['\n', '\r'], " ")
}
