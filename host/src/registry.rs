//! The workflows that new runs can be started of, and the definitions that running ones hold.

mod changes;
mod components;
mod granted;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock, Weak};

use anyhow::Context;
use bytes::Bytes;
use futures_util::future::try_join_all;
use tokio::io::AsyncReadExt;
use wf_engine::definition::Definition;
use wf_engine::entry::{Micros, Part, Started};
use wf_engine::manifest::Manifest;
use wf_engine::text::{self, Limit};

use crate::config::Config;
use crate::model::{Limits, Workflow, work};
use crate::runtime::{Component, LoadError, Runtime, long_turn};
use crate::store::Store;
use components::Components;
pub(crate) use components::Kept;
use granted::AllGranted;

/// Longest manifest, in bytes.
const MANIFEST_MAX: Limit = Limit { name: "manifest_max", max: 16 << 20 };

/// What to load as one workflow, and the name to register it under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// None: the name in the first manifest.
    pub name: Option<String>,
    /// Its files, at least one: each is a component, which adds its steps. Of what somebody has in memory, its name.
    pub files: Vec<PathBuf>,
}

impl Source {
    /// A workflow in one file, by the name that it has for itself.
    pub fn file(path: PathBuf) -> Source {
        Source { name: None, files: vec![path] }
    }
}

/// As on the command line, without its name.
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, file) in self.files.iter().enumerate() {
            let plus = if place == 0 { "" } else { "+" };
            write!(formatter, "{plus}{}", file.display())?;
        }
        Ok(())
    }
}

/// Why a workflow was not registered: what happened, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Rejected {
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// A workflow, and its components, ready to run.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub workflow: Arc<Workflow>,
    /// In the definition's order.
    pub components: Vec<Arc<Component>>,
}

/// What was loaded, the workflow that new runs get of it, and what became of its last change.
#[derive(Clone)]
pub struct Listing {
    /// The files.
    pub source: Source,
    /// None: it was never sound.
    pub workflow: Option<Arc<Workflow>>,
    /// Why its newest version is not the one that runs get.
    pub rejected: Option<Rejected>,
    /// When it was last loaded, or tried to.
    pub loaded_at: Micros,
    /// Those of the workflow.
    components: Vec<Arc<Component>>,
}

/// What loading a file has changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Added,
    /// New runs get another definition: what is different about it, for people.
    Swapped(Vec<String>),
    /// It is the component that was there.
    None,
}

/// What was loaded and is not registered yet.
pub struct Prepared {
    /// The files.
    pub source: Source,
    /// Which of its loads it is.
    number: u64,
    at: Micros,
    result: Result<Loaded, Rejected>,
}

impl Prepared {
    /// Whether there is a workflow in it.
    pub fn is_sound(&self) -> bool {
        self.result.is_ok()
    }
}

/// What is being loaded, each with the number of its last load.
#[derive(Default)]
struct Loading {
    last: u64,
    sources: HashMap<Source, u64>,
}

/// All that is loaded.
pub struct Registry {
    config: Config,
    granted: AllGranted,
    /// In order of registration.
    listings: RwLock<Vec<Listing>>,
    loading: Mutex<Loading>,
    components: Components,
    /// Those of runs whose workflow is another by now.
    definitions: RwLock<Vec<Weak<Definition>>>,
}

impl Registry {
    /// Of nothing so far.
    pub fn new(config: Config) -> Registry {
        Registry {
            granted: AllGranted::new(config.clone()),
            config,
            listings: RwLock::default(),
            loading: Mutex::default(),
            components: Components::default(),
            definitions: RwLock::default(),
        }
    }

    /// Grants to workflows what these settings say, from here on.
    pub(crate) fn grant(&self, config: &Config) {
        self.granted.apply(config);
    }

    /// Keeps the stored components of these digests from being [dropped](Registry::drop_unneeded), for as long as what this
    /// gives lasts.
    pub(crate) async fn keep(&self, digests: &[String]) -> Kept {
        self.components.keep(digests).await
    }

    /// Drops the stored components that neither a run nor anything in memory needs: a run that is
    /// about to begin holds its own in memory.
    pub async fn drop_unneeded(&self, store: &dyn Store) -> crate::store::Result<usize> {
        self.components.drop_unneeded(store).await
    }

    /// The files, in order of registration.
    pub fn listings(&self) -> Vec<Listing> {
        self.listings.read().expect("no panic while locked").clone()
    }

    /// The workflows, in order of registration.
    pub fn workflows(&self) -> Vec<Arc<Workflow>> {
        self.listings.read().expect("no panic while locked").iter().filter_map(|it| it.workflow.clone()).collect()
    }

    /// The workflow of that name.
    pub fn workflow(&self, name: &str) -> Option<Arc<Workflow>> {
        let listings = self.listings.read().expect("no panic while locked");
        listings.iter().filter_map(|it| it.workflow.as_ref()).find(|it| it.name == name).cloned()
    }

    /// The limits of the workflow of that name, whether it is loaded or not.
    pub(crate) fn limits(&self, name: &str) -> Arc<Limits> {
        self.config.limits(name)
    }

    /// That workflow, ready to run.
    pub(crate) fn loaded(&self, name: &str) -> Option<Loaded> {
        let listings = self.listings.read().expect("no panic while locked");
        let listing = listings.iter().find(|it| it.workflow.as_ref().is_some_and(|it| it.name == name))?;
        Some(Loaded { workflow: listing.workflow.clone()?, components: listing.components.clone() })
    }

    /// Whether a file is being loaded that has no workflow yet: its name is not known.
    pub fn is_loading(&self) -> bool {
        let listings = self.listings.read().expect("no panic while locked");
        let is_there = |source: &Source| listings.iter().any(|it| it.source == *source && it.workflow.is_some());
        self.loading().sources.keys().any(|source| !is_there(source))
    }

    /// Loads a file, off to one side. `held`: what is in it, where nothing is to be read.
    pub async fn prepare(&self, source: &Source, held: Option<Bytes>, at: Micros, runtime: &Runtime, store: &dyn Store) -> Prepared {
        let number = {
            let mut loading = self.loading();
            loading.last += 1;
            let number = loading.last;
            loading.sources.insert(source.clone(), number);
            number
        };
        let result = self.sound(source, held, runtime, store).await;
        Prepared { source: source.clone(), number, at, result }
    }

    /// Registers what is in a file, in the place of what it held before. Where it is not sound the version before
    /// goes on.
    pub fn register(&self, prepared: Prepared) -> Result<(Arc<Workflow>, Change), Rejected> {
        let Prepared { source, number, at, result } = prepared;
        // One that began later has what is in the file now, or will.
        if self.loading().sources.get(&source) != Some(&number) {
            return Err(Rejected::new(&source, "it changed while it was loaded", "its newer version counts"));
        }
        let registered = self.publish(&source, at, result);
        self.loading().sources.remove(&source);
        registered
    }

    fn loading(&self) -> std::sync::MutexGuard<'_, Loading> {
        self.loading.lock().expect("no panic while locked")
    }

    /// The workflow of a source, checked, off to one side.
    async fn sound(&self, source: &Source, held: Option<Bytes>, runtime: &Runtime, store: &dyn Store) -> Result<Loaded, Rejected> {
        let parts = source.files.iter().map(|file| self.part(file, held.clone(), runtime, store));
        let (components, manifests): (Vec<_>, Vec<Manifest>) = try_join_all(parts).await?.into_iter().unzip();
        let first = manifests.first().map(|it| it.name.clone());
        let name = source.name.clone().or(first).unwrap_or_default();
        let part = |component: &Arc<Component>| Part { component: component.view.digest.clone(), data: None };
        let parts = components.iter().map(part).zip(manifests).collect();
        let files: Vec<String> = source.files.iter().map(|it| it.display().to_string()).collect();
        let checked = aside(move || {
            let definition = Definition::new(parts);
            findings(&definition, &files).map_or(Ok(definition), Err)
        });
        let definition = checked.await.map_err(|error| Rejected::of(source, error))?;
        let hint = "fix the workflow's steps and events and build it again";
        let definition = definition.map_err(|finding| Rejected::new(source, finding, hint))?;
        let additional_events = self.config.additional_events(&name, definition.additional_events());
        if let Some(unknown) = additional_events.iter().find(|it| !definition.is_declared(it)) {
            let message = format!("`additional_events` of `{name}` has `{unknown}`, which is no type of its events");
            let hint = format!("name one that it declares: {}", declared(&definition));
            return Err(Rejected::new(source, message, &hint));
        }
        Ok(self.ready(name, Arc::new(definition), additional_events, components))
    }

    /// The component in a file, with what it says about itself.
    async fn part(
        &self,
        file: &Path,
        held: Option<Bytes>,
        runtime: &Runtime,
        store: &dyn Store,
    ) -> Result<(Arc<Component>, Manifest), Rejected> {
        let place = file.display();
        let bytes = match held {
            Some(held) => held,
            None => {
                let read = read(file, runtime.component_max()).await;
                read.map_err(|error| Rejected::new(&place, error.to_string(), "check the path and its permissions"))?.into()
            }
        };
        let encoded = runtime.encode(bytes).await.map_err(|error| Rejected::of(&place, error))?;
        let digest = encoded.digest.clone();
        let compile = async { Ok(runtime.compile(encoded).await?) };
        let component = self.components.get(&digest, compile).await.map_err(|error| match error.downcast() {
            Ok(error) => Rejected::of(&place, error),
            Err(error) => Rejected::new(&place, error, "try again"),
        })?;
        let manifest = self.manifest(&component, runtime, store).await.map_err(|error| Rejected::of(&place, error))?;
        Ok((component, manifest))
    }

    fn publish(&self, source: &Source, at: Micros, result: Result<Loaded, Rejected>) -> Result<(Arc<Workflow>, Change), Rejected> {
        let mut listings = self.listings.write().expect("no panic while locked");
        let result = result.and_then(|loaded| {
            let name = &loaded.workflow.name;
            let taken = |it: &Listing| it.source != *source && it.workflow.as_ref().is_some_and(|it| it.name == *name);
            if listings.iter().any(taken) {
                let message = format!("a workflow named `{name}` is loaded already");
                return Err(Rejected::new(source, message, "give it another name: `name=path`"));
            }
            Ok(loaded)
        });
        let place = listings.iter().position(|it| it.source == *source).unwrap_or_else(|| {
            listings.push(Listing { source: source.clone(), workflow: None, rejected: None, loaded_at: at, components: Vec::new() });
            listings.len() - 1
        });
        let listing = &mut listings[place];
        listing.loaded_at = at;
        listing.rejected = result.as_ref().err().cloned();
        let Loaded { workflow, components } = result?;
        listing.components = components;
        let change = match listing.workflow.replace(workflow.clone()) {
            None => Change::Added,
            Some(before) if before.digests() == workflow.digests() => Change::None,
            Some(before) => Change::Swapped(changes::between(&before, &workflow)),
        };
        Ok((workflow, change))
    }

    /// Notes why there is no newer version of a file's workflow.
    pub fn reject(&self, source: &Source, at: Micros, rejected: Rejected) {
        // What is published of it is this very error.
        let _ = self.publish(source, at, Err(rejected));
    }

    /// Takes a file's workflow away: its runs finish, its name starts no more of them.
    pub fn retire(&self, source: &Source) -> Option<Arc<Workflow>> {
        self.loading().sources.remove(source);
        let mut listings = self.listings.write().expect("no panic while locked");
        let place = listings.iter().position(|it| it.source == *source)?;
        listings.remove(place).workflow
    }

    /// The manifest of a component: described once per digest, then remembered with its bytes. What is remembered and
    /// damaged is made good by that.
    async fn manifest(&self, component: &Arc<Component>, runtime: &Runtime, store: &dyn Store) -> Result<Manifest, LoadError> {
        let failed = |error: crate::store::Error| LoadError::new(error.to_string(), "check the store");
        let digest = &component.view.digest;
        let (manifest, json) = match store.manifest(digest).await.map_err(failed)? {
            Some(json) => {
                let (stored, bytes) = (store.component(digest).await.map_err(failed)?, component.bytes.clone());
                let (manifest, json, is_whole) = aside(move || (parse(&json), json, stored.as_ref() == Some(&bytes))).await?;
                if is_whole {
                    return manifest;
                }
                (manifest?, json)
            }
            None => {
                let json = runtime.describe(component).await?;
                aside(move || described(json)).await??
            }
        };
        store.put_component(digest, component.bytes.clone(), json).await.map_err(failed)?;
        Ok(manifest)
    }

    /// The workflow that a run is pinned to, from memory or from the store.
    pub(crate) async fn pinned(&self, started: &Started, runtime: &Runtime, store: &dyn Store) -> anyhow::Result<Loaded> {
        let definition = self.definition(&started.definition, store).await?;
        let components = self.components(&started.definition, runtime, store).await?;
        Ok(self.ready(started.workflow.clone(), definition, started.additional_events.clone(), components))
    }

    /// The components of these parts, from memory or from the store.
    pub(crate) async fn components(&self, parts: &[Part], runtime: &Runtime, store: &dyn Store) -> anyhow::Result<Vec<Arc<Component>>> {
        let mut components = Vec::new();
        for part in parts {
            components.push(self.component(&part.component, runtime, store).await?);
        }
        Ok(components)
    }

    fn ready(&self, name: String, definition: Arc<Definition>, additional_events: Vec<String>, components: Vec<Arc<Component>>) -> Loaded {
        let views = components.iter().map(|it| it.view.clone()).collect();
        let (limits, grants) = (self.config.limits(&name), self.granted.of(&name));
        let workflow = Arc::new(Workflow { name, definition, additional_events, components: views, limits, grants });
        Loaded { workflow, components }
    }

    /// The definition of these parts, from the store.
    pub async fn definition(&self, parts: &[Part], store: &dyn Store) -> anyhow::Result<Arc<Definition>> {
        if let Some(held) = self.held(parts) {
            return Ok(held);
        }
        let mut described = Vec::new();
        for part in parts {
            let digest = &part.component;
            let json = store.manifest(digest).await?.with_context(|| format!("component {digest} is not in the store"))?;
            described.push((part.clone(), json));
        }
        let made = aside(move || {
            let manifests: Result<Vec<_>, LoadError> = described.into_iter().map(|(part, json)| Ok((part, parse(&json)?))).collect();
            Ok::<_, LoadError>(Arc::new(Definition::new(manifests?)))
        });
        let made = made.await??;
        let mut definitions = self.definitions.write().expect("no panic while locked");
        definitions.retain(|definition| definition.strong_count() > 0);
        definitions.push(Arc::downgrade(&made));
        Ok(made)
    }

    /// The definition of these parts, where somebody has it in memory.
    fn held(&self, parts: &[Part]) -> Option<Arc<Definition>> {
        let listings = self.listings.read().expect("no panic while locked");
        let definitions = self.definitions.read().expect("no panic while locked");
        let current = listings.iter().filter_map(|it| it.workflow.as_ref()).map(|it| it.definition.clone());
        current.chain(definitions.iter().filter_map(Weak::upgrade)).find(|it| it.parts() == parts)
    }

    async fn component(&self, digest: &str, runtime: &Runtime, store: &dyn Store) -> anyhow::Result<Arc<Component>> {
        let load = async {
            let bytes = store.component(digest).await?.with_context(|| format!("component {digest} is not in the store"))?;
            Ok(runtime.load(bytes).await?)
        };
        self.components.get(digest, load).await
    }
}

/// What takes long where a definition is large: whoever asks may be on a thread that answers requests.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadError> {
    let _turn = long_turn().await;
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| LoadError::new(error.to_string(), "this is a defect of wf-host"))
}

/// The manifest in what a component says about itself, and its text. What is too large is not looked at.
fn described(json: String) -> Result<(Manifest, String), LoadError> {
    let json = text::object("it", json, MANIFEST_MAX).map_err(|refused| unfit(&refused))?;
    Ok((parse(json.get())?, json.get().to_owned()))
}

/// A file's bytes; of one that is too large, so many that it shows.
async fn read(path: &Path, max: u64) -> std::io::Result<Vec<u8>> {
    let (mut bytes, _turn) = (Vec::new(), long_turn().await);
    tokio::fs::File::open(path).await?.take(max.saturating_add(1)).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn parse(json: &str) -> Result<Manifest, LoadError> {
    work::read();
    serde_json::from_str(json).map_err(|error| unfit(&error))
}

fn unfit(error: &dyn std::error::Error) -> LoadError {
    LoadError::new(format!("its `describe` returned no valid manifest: {error}"), "see wit/manifest.schema.json")
}

/// `files`: where its components are, in order.
fn findings(definition: &Definition, files: &[String]) -> Option<String> {
    let findings: Vec<String> = definition.check_of(files).iter().map(ToString::to_string).collect();
    (!findings.is_empty()).then(|| findings.join("; "))
}

/// The types that a definition declares itself.
fn declared(definition: &Definition) -> String {
    let own = definition.event_types().map(|it| it.name.as_str()).filter(|it| !definition.is_builtin(it));
    let names: Vec<String> = own.map(|it| format!("`{it}`")).collect();
    if names.is_empty() { "it declares none".to_owned() } else { names.join(", ") }
}

impl Rejected {
    fn new(place: &impl fmt::Display, message: impl fmt::Display, hint: &str) -> Rejected {
        Rejected { message: format!("`{place}`: {message}"), hint: Some(hint.to_owned()) }
    }

    fn of(place: &impl fmt::Display, error: LoadError) -> Rejected {
        Rejected::new(place, &error, error.hint())
    }
}

#[cfg(test)]
mod tests {
    use wf_engine::text::MESSAGE_MAX;

    use super::*;

    #[test]
    fn what_a_component_says_about_itself_is_measured_before_it_is_read_and_its_error_is_short() {
        // As steps, a text of a megabyte: the reader's error repeats it.
        let wrong = |bytes: usize| format!(r#"{{"name":"a","steps":"{}"}}"#, "x".repeat(bytes));
        let error = described(wrong(1 << 20)).expect_err("no manifest");
        assert!(error.to_string().len() <= MESSAGE_MAX.max, "{} bytes", error.to_string().len());
        let error = described(wrong(MANIFEST_MAX.max)).expect_err("too large");
        assert!(error.to_string().contains(MANIFEST_MAX.name) && error.to_string().len() < 300, "{error:.300}");
    }
}
