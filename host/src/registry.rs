//! The workflows that new runs can be started of, and the definitions that running ones hold.

mod changes;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, Weak};

use anyhow::Context;
use wf_engine::definition::Definition;
use wf_engine::entry::{Micros, Part, Started};
use wf_engine::manifest::Manifest;
use wf_engine::text::{self, Limit};

use crate::config::Config;
use crate::model::Workflow;
use crate::runtime::{Component, LoadError, Runtime};
use crate::store::Store;

/// Longest manifest, in bytes.
const MANIFEST_MAX: Limit = Limit { name: "manifest_max", max: 16 << 20 };

/// A file to load, and the name to register it under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// None: the name in the manifest.
    pub name: Option<String>,
    /// The file.
    pub path: PathBuf,
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

/// A file, the workflow that new runs get of it, and what became of its last change.
#[derive(Clone)]
pub struct Listing {
    /// The file.
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

/// All that is loaded.
pub struct Registry {
    config: Config,
    /// In order of registration.
    listings: RwLock<Vec<Listing>>,
    loaded: RwLock<HashMap<String, Weak<Component>>>,
    /// Held for reading while a component is stored, for writing while unneeded ones are dropped.
    storing: tokio::sync::RwLock<()>,
}

impl Registry {
    /// Of nothing so far.
    pub fn new(config: Config) -> Registry {
        Registry { config, listings: RwLock::default(), loaded: RwLock::default(), storing: tokio::sync::RwLock::default() }
    }

    /// Drops the stored components that neither a run nor anything in memory needs: a run that is
    /// about to begin holds its own in memory.
    pub async fn drop_unneeded(&self, store: &dyn Store) -> crate::store::Result<usize> {
        let _storing = self.storing.write().await;
        let loaded = |(digest, component): (&String, &Weak<Component>)| (component.strong_count() > 0).then(|| digest.clone());
        let held = self.loaded.read().expect("no panic while locked").iter().filter_map(loaded).collect();
        store.drop_components(held).await
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

    /// That workflow, ready to run.
    pub(crate) fn loaded(&self, name: &str) -> Option<Loaded> {
        let listings = self.listings.read().expect("no panic while locked");
        let listing = listings.iter().find(|it| it.workflow.as_ref().is_some_and(|it| it.name == name))?;
        Some(Loaded { workflow: listing.workflow.clone()?, components: listing.components.clone() })
    }

    /// Loads a file and registers what is in it, in the place of what it held before. Where it is
    /// not sound the version before goes on.
    pub async fn load(
        &self,
        source: &Source,
        at: Micros,
        runtime: &Runtime,
        store: &dyn Store,
    ) -> Result<(Arc<Workflow>, Change), Rejected> {
        let result = self.sound(source, runtime, store).await;
        self.publish(source, at, result)
    }

    /// The workflow of a file, checked, off to one side.
    async fn sound(&self, source: &Source, runtime: &Runtime, store: &dyn Store) -> Result<Loaded, Rejected> {
        let bytes = tokio::fs::read(&source.path).await;
        let bytes = bytes.map_err(|error| Rejected::new(&source.path, error.to_string(), "check the path and its permissions"))?;
        let component = runtime.load(bytes).await.map_err(|error| Rejected::of(&source.path, error))?;
        let manifest = self.manifest(&component, runtime, store).await.map_err(|error| Rejected::of(&source.path, error))?;
        let name = source.name.clone().unwrap_or_else(|| manifest.name.clone());
        let part = Part { component: component.view.digest.clone(), data: None };
        let definition = Definition::new(vec![(part, manifest)]);
        if let Some(finding) = findings(&definition) {
            return Err(Rejected::new(&source.path, finding, "fix the workflow's steps and events and build it again"));
        }
        let additional_events = self.config.additional_events(&name, definition.additional_events());
        Ok(self.ready(name, definition, additional_events, vec![component]))
    }

    fn publish(&self, source: &Source, at: Micros, result: Result<Loaded, Rejected>) -> Result<(Arc<Workflow>, Change), Rejected> {
        let mut listings = self.listings.write().expect("no panic while locked");
        let result = result.and_then(|loaded| {
            let name = &loaded.workflow.name;
            let taken = |it: &Listing| it.source != *source && it.workflow.as_ref().is_some_and(|it| it.name == *name);
            if listings.iter().any(taken) {
                let message = format!("a workflow named `{name}` is loaded already");
                return Err(Rejected::new(&source.path, message, "give it another name: `name=path`"));
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
        let mut listings = self.listings.write().expect("no panic while locked");
        let place = listings.iter().position(|it| it.source == *source)?;
        listings.remove(place).workflow
    }

    /// The manifest of a component: described once per digest, then remembered with its bytes.
    async fn manifest(&self, component: &Arc<Component>, runtime: &Runtime, store: &dyn Store) -> Result<Manifest, LoadError> {
        let _storing = self.storing.read().await;
        self.remember(component);
        if let Ok(Some(json)) = store.manifest(&component.view.digest).await {
            return parse(&json);
        }
        let json = runtime.describe(component).await?;
        let manifest = parse(&json)?;
        let json = text::object("it", json, MANIFEST_MAX).map_err(|refused| unfit(&refused))?.get().to_owned();
        let stored = store.put_component(&component.view.digest, component.bytes.clone(), json).await;
        stored.map_err(|error| LoadError::new(error.to_string(), "check the store"))?;
        Ok(manifest)
    }

    fn remember(&self, component: &Arc<Component>) {
        let mut loaded = self.loaded.write().expect("no panic while locked");
        loaded.retain(|_, component| component.strong_count() > 0);
        loaded.insert(component.view.digest.clone(), Arc::downgrade(component));
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

    fn ready(&self, name: String, definition: Definition, additional_events: Vec<String>, components: Vec<Arc<Component>>) -> Loaded {
        let views = components.iter().map(|it| it.view.clone()).collect();
        let (definition, limits) = (Arc::new(definition), self.config.limits(&name));
        let workflow = Arc::new(Workflow { name, definition, additional_events, components: views, limits });
        Loaded { workflow, components }
    }

    /// The definition of these parts, from the store.
    pub async fn definition(&self, parts: &[Part], store: &dyn Store) -> anyhow::Result<Definition> {
        let mut described = Vec::new();
        for part in parts {
            let digest = &part.component;
            let json = store.manifest(digest).await?.with_context(|| format!("component {digest} is not in the store"))?;
            described.push((part.clone(), parse(&json)?));
        }
        Ok(Definition::new(described))
    }

    async fn component(&self, digest: &str, runtime: &Runtime, store: &dyn Store) -> anyhow::Result<Arc<Component>> {
        let held = self.loaded.read().expect("no panic while locked").get(digest).and_then(Weak::upgrade);
        if let Some(component) = held {
            return Ok(component);
        }
        // A run that is about to begin needs it: it must not be dropped before it is remembered.
        let _storing = self.storing.read().await;
        let bytes = store.component(digest).await?.with_context(|| format!("component {digest} is not in the store"))?;
        let component = runtime.load(bytes.to_vec()).await?;
        self.remember(&component);
        Ok(component)
    }
}

fn parse(json: &str) -> Result<Manifest, LoadError> {
    serde_json::from_str(json).map_err(|error| unfit(&error))
}

fn unfit(error: &dyn std::error::Error) -> LoadError {
    LoadError::new(format!("its `describe` returned no valid manifest: {error}"), "see wit/manifest.schema.json")
}

fn findings(definition: &Definition) -> Option<String> {
    let findings: Vec<String> = definition.check().iter().map(ToString::to_string).collect();
    (!findings.is_empty()).then(|| findings.join("; "))
}

impl Rejected {
    pub(crate) fn new(path: &Path, message: impl std::fmt::Display, hint: &str) -> Rejected {
        Rejected { message: format!("`{}`: {message}", path.display()), hint: Some(hint.to_owned()) }
    }

    fn of(path: &Path, error: LoadError) -> Rejected {
        Rejected::new(path, &error, error.hint())
    }
}
