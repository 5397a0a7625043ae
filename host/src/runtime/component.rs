//! A component that is ready to be instantiated.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::LoadError;
use super::bindings::WorkflowPre;
use super::cache::Cache;
use super::guest::Guest;
use super::shape::{self, STEPS};
use crate::model::ComponentView;

const PACKAGE: &str = "wf:workflow/";

/// A component, compiled and linked.
pub struct Component {
    /// What the outside sees of it.
    pub view: ComponentView,
    /// The component itself.
    pub bytes: Bytes,
    pub(super) pre: WorkflowPre<Guest>,
}

pub(super) fn load(engine: &Engine, linker: &Linker<Guest>, cache: Option<&Cache>, bytes: &[u8]) -> Result<Component, LoadError> {
    let bytes = Bytes::from(shape::component(bytes)?);
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let compiled = match cache.and_then(|cache| cache.get(engine, &digest)) {
        Some(compiled) => compiled,
        None => {
            let compiled = wasmtime::component::Component::new(engine, &bytes);
            let compiled = compiled.map_err(|error| LoadError::new(format!("it is no valid component: {error:#}"), "build it again"))?;
            if let Some(cache) = cache {
                cache.put(&digest, &compiled);
            }
            compiled
        }
    };
    let names = compiled.component_type();
    let imports: Vec<String> = names.imports(engine).map(|(name, _)| name.to_owned()).collect();
    check_imports(&imports)?;
    check_exports(&names.exports(engine).map(|(name, _)| name.to_owned()).collect::<Vec<_>>())?;
    let pre = linker.instantiate_pre(&compiled).and_then(WorkflowPre::new);
    let pre =
        pre.map_err(|error| LoadError::new(format!("it does not fit this host: {error:#}"), format!("build it against `{STEPS}`")))?;
    Ok(Component { view: ComponentView { digest, size: bytes.len(), imports }, bytes, pre })
}

fn check_imports(imports: &[String]) -> Result<(), LoadError> {
    for import in imports {
        if import.starts_with(PACKAGE) && !import.ends_with("@0.1.0") {
            let message = format!("it imports `{import}`, which is of another version of the contract");
            return Err(LoadError::new(message, "build it against `wf:workflow@0.1.0`"));
        }
        if !import.starts_with(PACKAGE) && !import.starts_with("wasi:") {
            let message = format!("it imports `{import}`, which is neither ours nor WASI's");
            return Err(LoadError::new(message, "remove what needs that import; a workflow has `wf:workflow` and `wasi` to call"));
        }
    }
    Ok(())
}

fn check_exports(exports: &[String]) -> Result<(), LoadError> {
    if exports.iter().any(|export| export == STEPS) {
        return Ok(());
    }
    let other = exports.iter().find(|export| export.starts_with(PACKAGE));
    Err(match other {
        Some(other) => LoadError::new(
            format!("it exports `{other}`, which is of another version of the contract than `{STEPS}`"),
            "build it against `wf:workflow@0.1.0`",
        ),
        None => LoadError::new(format!("it does not export `{STEPS}`"), "export a workflow, as the SDKs do"),
    })
}
