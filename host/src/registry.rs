//! The workflows that new runs can be started of, and the definitions that running ones hold.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, Weak};

use anyhow::Context;
use wf_engine::definition::Definition;
use wf_engine::entry::Started;
use wf_engine::manifest::Manifest;

use crate::host::Workflow;
use crate::runtime::{Component, LoadError, Runtime};
use crate::store::Store;

/// A file to load, and the name to register it under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// None: the name in the manifest.
    pub name: Option<String>,
    /// The file.
    pub path: PathBuf,
}

/// Why a workflow was not registered: what happened, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Rejected {
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// All that is loaded.
#[derive(Default)]
pub struct Registry {
    /// In order of registration.
    current: RwLock<Vec<Arc<Workflow>>>,
    loaded: RwLock<HashMap<String, Weak<Component>>>,
}

impl Registry {
    /// The workflows, in order of registration.
    pub fn workflows(&self) -> Vec<Arc<Workflow>> {
        self.current.read().expect("no panic while locked").clone()
    }

    /// The workflow of that name.
    pub fn workflow(&self, name: &str) -> Option<Arc<Workflow>> {
        self.current.read().expect("no panic while locked").iter().find(|it| it.name == name).cloned()
    }

    /// Loads a file and registers what is in it.
    pub async fn register(&self, source: &Source, runtime: &Runtime, store: &dyn Store) -> Result<Arc<Workflow>, Rejected> {
        let bytes = tokio::fs::read(&source.path).await;
        let bytes = bytes.map_err(|error| Rejected::new(&source.path, error.to_string(), "check the path and its permissions"))?;
        let component = runtime.load(bytes).await.map_err(|error| Rejected::of(&source.path, error))?;
        let manifest = self.manifest(&component, runtime, store).await.map_err(|error| Rejected::of(&source.path, error))?;
        let name = source.name.clone().unwrap_or_else(|| manifest.name.clone());
        let definition = Definition::new(vec![(component.digest.clone(), manifest)]);
        if let Some(finding) = findings(&definition) {
            return Err(Rejected::new(&source.path, finding, "fix the workflow's steps and events and build it again"));
        }
        let additional_events = definition.additional_events();
        let workflow = Arc::new(Workflow { name, definition: Arc::new(definition), additional_events, components: vec![component] });
        self.publish(workflow.clone(), &source.path)?;
        Ok(workflow)
    }

    fn publish(&self, workflow: Arc<Workflow>, path: &Path) -> Result<(), Rejected> {
        let mut current = self.current.write().expect("no panic while locked");
        if current.iter().any(|it| it.name == workflow.name) {
            let message = format!("a workflow named `{}` is loaded already", workflow.name);
            return Err(Rejected::new(path, message, "give it another name: `name=path`"));
        }
        current.push(workflow);
        Ok(())
    }

    /// The manifest of a component: described once per digest, then remembered with its bytes.
    async fn manifest(&self, component: &Arc<Component>, runtime: &Runtime, store: &dyn Store) -> Result<Manifest, LoadError> {
        self.remember(component);
        if let Ok(Some(json)) = store.manifest(&component.digest).await {
            return parse(&json);
        }
        let json = runtime.describe(component).await?;
        let manifest = parse(&json)?;
        let stored = store.put_component(&component.digest, component.bytes.clone(), json).await;
        stored.map_err(|error| LoadError::new(error.to_string(), "check the store"))?;
        Ok(manifest)
    }

    fn remember(&self, component: &Arc<Component>) {
        self.loaded.write().expect("no panic while locked").insert(component.digest.clone(), Arc::downgrade(component));
    }

    /// The workflow that a run is pinned to, from memory or from the store.
    pub async fn pinned(&self, started: &Started, runtime: &Runtime, store: &dyn Store) -> anyhow::Result<Workflow> {
        let definition = self.definition(&started.definition, store).await?;
        let mut components = Vec::new();
        for digest in &started.definition {
            components.push(self.component(digest, runtime, store).await?);
        }
        Ok(Workflow {
            name: started.workflow.clone(),
            definition: Arc::new(definition),
            additional_events: started.additional_events.clone(),
            components,
        })
    }

    /// The definition of these components, from the store.
    pub async fn definition(&self, digests: &[String], store: &dyn Store) -> anyhow::Result<Definition> {
        let mut described = Vec::new();
        for digest in digests {
            let json = store.manifest(digest).await?.with_context(|| format!("component {digest} is not in the store"))?;
            described.push((digest.clone(), parse(&json)?));
        }
        Ok(Definition::new(described))
    }

    async fn component(&self, digest: &str, runtime: &Runtime, store: &dyn Store) -> anyhow::Result<Arc<Component>> {
        let held = self.loaded.read().expect("no panic while locked").get(digest).and_then(Weak::upgrade);
        if let Some(component) = held {
            return Ok(component);
        }
        let bytes = store.component(digest).await?.with_context(|| format!("component {digest} is not in the store"))?;
        let component = runtime.load(bytes.to_vec()).await?;
        self.remember(&component);
        Ok(component)
    }
}

fn parse(json: &str) -> Result<Manifest, LoadError> {
    serde_json::from_str(json)
        .map_err(|error| LoadError::new(format!("its `describe` returned no valid manifest: {error}"), "see wit/manifest.schema.json"))
}

fn findings(definition: &Definition) -> Option<String> {
    let findings: Vec<String> = definition.check().iter().map(ToString::to_string).collect();
    (!findings.is_empty()).then(|| findings.join("; "))
}

impl Rejected {
    fn new(path: &Path, message: impl std::fmt::Display, hint: &str) -> Rejected {
        Rejected { message: format!("`{}`: {message}", path.display()), hint: Some(hint.to_owned()) }
    }

    fn of(path: &Path, error: LoadError) -> Rejected {
        Rejected::new(path, &error, error.hint())
    }
}
