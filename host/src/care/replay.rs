//! Attempts that have ended, run again against what was recorded of them: on instances, and without the world.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::mpsc::unbounded_channel;
use wf_engine::attempt::Request;
use wf_engine::definition::Definition;
use wf_engine::effect::Invoke;
use wf_engine::entry::{Entry, Function, Input, Part};
use wf_engine::journal;
use wf_engine::manifest::Manifest;
use wf_engine::recorded::{Difference, Recorded, recorded};
use wf_engine::run::Run;

use super::bundle::Bundle;
use crate::config::Config;
use crate::model::{Grants, envelope};
use crate::runtime::{Component, LoadError, Report, Runtime, Terms};
use crate::store::{FrameRow, Shown};

/// Failures of these kinds say how a machine was at the time, and nothing of the step.
const PASSING: [&str; 2] = ["timeout", "host"];

/// Runs attempts again.
pub(crate) struct Replay {
    runtime: Runtime,
    config: Config,
    /// What takes the place of the components of a workflow: its name, and the manifest.
    with: Option<(String, Arc<Component>, Manifest)>,
    components: HashMap<String, Arc<Component>>,
}

/// What came of it for a run.
pub(crate) struct Replayed {
    /// How many attempts were run again.
    pub attempts: usize,
    /// How many had been cut for what has nothing to do with their step, and were not.
    pub passed: usize,
    /// Those that differ.
    pub differing: Vec<Differing>,
}

/// An attempt that does not do again what it did.
pub(crate) struct Differing {
    pub step: String,
    pub invocation: u64,
    pub attempt: u32,
    pub difference: Difference,
}

impl Replay {
    pub(crate) fn new(runtime: Runtime, config: Config) -> Replay {
        Replay { runtime, config, with: None, components: HashMap::new() }
    }

    /// From here on this component takes the place of those of a workflow. None: of that in its manifest. Says its name.
    pub(crate) async fn take(&mut self, name: Option<String>, bytes: Vec<u8>) -> Result<String, LoadError> {
        let component = self.runtime.load(bytes).await?;
        let manifest = self.manifest(&self.runtime.describe(&component).await?)?;
        let name = name.unwrap_or_else(|| manifest.name.clone());
        self.with = Some((name.clone(), component, manifest));
        Ok(name)
    }

    fn manifest(&self, text: &str) -> Result<Manifest, LoadError> {
        serde_json::from_str(text).map_err(|error| LoadError::new(error.to_string(), "it needs a newer wf-host"))
    }

    /// Runs all attempts of a run again that have ended.
    pub(crate) async fn run(&mut self, bundle: &Bundle, shown: &Shown) -> Result<Replayed, LoadError> {
        let unfit = |misfit: journal::Misfit| LoadError::new(misfit.to_string(), "`wf-host fsck` checks a store");
        let read = shown.entries.iter().map(|row| journal::read(row.seq, &row.bytes));
        let entries = read.collect::<Result<Vec<Entry>, _>>().map_err(unfit)?;
        let Some(Entry { input: Input::Started(started), .. }) = entries.first() else {
            return Ok(Replayed { attempts: 0, passed: 0, differing: Vec::new() });
        };
        let first = self.definition(bundle, &started.definition)?;
        let known = journal::forks(&entries).map(|parts| self.definition(bundle, parts)).collect::<Result<Vec<_>, _>>()?;
        let begin = || {
            let mut run = Run::new(first.clone());
            known.iter().for_each(|definition| run.redefine(definition.clone()));
            run
        };
        let attempts = recorded(begin, &entries).map_err(unfit)?;
        let mut replayed = Replayed { attempts: 0, passed: 0, differing: Vec::new() };
        for recorded in attempts {
            if recorded.end.as_ref().is_err_and(|failure| PASSING.contains(&&*failure.kind)) {
                replayed.passed += 1;
                continue;
            }
            replayed.attempts += 1;
            if let Some(difference) = self.differs(bundle, &recorded, &shown.frames).await? {
                let Invoke { step, invocation, attempt, .. } = &recorded.invoke;
                replayed.differing.push(Differing { step: step.to_string(), invocation: *invocation, attempt: *attempt, difference });
            }
        }
        Ok(replayed)
    }

    fn definition(&self, bundle: &Bundle, parts: &[Part]) -> Result<Arc<Definition>, LoadError> {
        let described = parts.iter().map(|part| {
            let (_, text) = bundle.components.get(&part.component).ok_or_else(|| missing(&part.component))?;
            Ok((part.clone(), self.manifest(text)?))
        });
        Ok(Arc::new(Definition::new(described.collect::<Result<_, LoadError>>()?)))
    }

    async fn component(&mut self, bundle: &Bundle, digest: &str) -> Result<Arc<Component>, LoadError> {
        if let Some(loaded) = self.components.get(digest) {
            return Ok(loaded.clone());
        }
        let (bytes, _) = bundle.components.get(digest).ok_or_else(|| missing(digest))?;
        let component = self.runtime.load(bytes.clone()).await?;
        self.components.insert(digest.to_owned(), component.clone());
        Ok(component)
    }

    /// The first thing that an attempt does otherwise.
    async fn differs(&mut self, bundle: &Bundle, recorded: &Recorded, frames: &[FrameRow]) -> Result<Option<Difference>, LoadError> {
        let invoke = Invoke { time_left: None, lost: false, ..recorded.invoke.clone() };
        let component = match &self.with {
            Some((name, component, manifest)) if *name == recorded.info.workflow => {
                if !manifest.steps.iter().any(|step| *step.name == *invoke.step) {
                    let (then, now) = (format!("step `{}`", invoke.step), "no such step".to_owned());
                    return Ok(Some(Difference { call: None, then, now }));
                }
                component.clone()
            }
            _ => {
                let part = invoke.definition.parts().into_iter().nth(invoke.component);
                let digest = part.map(|part| part.component).unwrap_or_default();
                self.component(bundle, &digest).await?
            }
        };
        let workflow = &recorded.info.workflow;
        // What it is granted is told again, and nothing is reached.
        let grants = Grants { http: Vec::new(), folders: Vec::new(), ..self.config.grants(workflow) };
        let terms = Terms { limits: self.config.limits(workflow), grants: Arc::new(grants), watched: true, answered: false };
        let (sender, mut reports) = unbounded_channel();
        let at = invoke.started_at;
        let _entry = self.runtime.enter(component, invoke, at, Arc::new(recorded.info.clone()), terms, sender);
        let mut calls = 0;
        while let Some(report) = reports.recv().await {
            let end = match report {
                Report::Called { request } => {
                    let difference = published(recorded, calls, &request, frames).or_else(|| recorded.differs(calls, request));
                    if difference.is_some() {
                        return Ok(difference);
                    }
                    calls += 1;
                    continue;
                }
                Report::Returned { events, .. } => Ok(events),
                Report::Failed { failure, .. } => Err(failure),
                // Whatever is asked beyond what was recorded was called before.
                Report::Logged { .. } | Report::Read { .. } | Report::Progressed { .. } | Report::Leaves { .. } | Report::Asked { .. } => {
                    continue;
                }
            };
            return Ok(recorded.ends(calls, &end));
        }
        Ok(Some(Difference { call: None, then: "its end".to_owned(), now: "no end".to_owned() }))
    }
}

/// Whether a call publishes another event than it did.
fn published(recorded: &Recorded, ordinal: u32, request: &Request, frames: &[FrameRow]) -> Option<Difference> {
    let sequence = recorded.frame(ordinal)?;
    let place = frames.binary_search_by_key(&sequence, |frame| frame.sequence).ok()?;
    let Ok((Function::Publish { event }, _)) = request.clone().whole() else { return None };
    let now = envelope(&recorded.invoke.definition, &recorded.info.workflow, &event);
    let [then, now] = [&frames[place].json, &now].map(|json| serde_json::from_slice::<BTreeMap<String, serde_json::Value>>(json).ok());
    if then == now {
        return None;
    }
    let value =
        |it: Option<BTreeMap<String, serde_json::Value>>| it.and_then(|it| it.get("value").map(ToString::to_string)).unwrap_or_default();
    let text = |value: String| format!("{} {}", request.name(), wf_engine::text::shown(&value));
    Some(Difference { call: Some(ordinal), then: text(value(then)), now: text(value(now)) })
}

fn missing(digest: &str) -> LoadError {
    LoadError::new(format!("component {digest} is missing"), "`wf-host fsck` checks a store")
}
