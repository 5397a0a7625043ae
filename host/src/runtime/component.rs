//! A component that is ready to be instantiated.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::bindings::WorkflowPre;
use super::guest::Guest;
use super::shape::{STEPS, digest};
use super::{LoadError, libraries};
use crate::model::ComponentView;

const PACKAGE: &str = "wf:workflow/";

/// A component, compiled and linked.
pub struct Component {
    /// What the outside sees of it.
    pub view: ComponentView,
    /// The component itself.
    pub bytes: Bytes,
    pub(super) pre: WorkflowPre<Guest>,
    /// Held, so that the next component that has them finds them.
    _libraries: Vec<Arc<libraries::Compiled>>,
}

/// A component that is not compiled yet.
pub(crate) struct Encoded {
    pub(crate) digest: String,
    pub(super) bytes: Bytes,
}

impl Encoded {
    pub(super) fn new(bytes: Bytes) -> Encoded {
        Encoded { digest: digest(&bytes), bytes }
    }
}

/// Checks what a compiled component imports and exports, and links it.
pub(super) fn link(
    wasm: &Engine,
    linker: &Linker<Guest>,
    encoded: Encoded,
    compiled: &wasmtime::component::Component,
    libraries: Vec<Arc<libraries::Compiled>>,
) -> Result<Component, LoadError> {
    let Encoded { digest, bytes } = encoded;
    let names = compiled.component_type();
    let imports: Vec<String> = names.imports(wasm).map(|(name, _)| name.to_owned()).filter(|name| !libraries::is_import(name)).collect();
    check_imports(&imports)?;
    check_exports(&names.exports(wasm).map(|(name, _)| name.to_owned()).collect::<Vec<_>>())?;
    let pre = linked(linker, compiled, &libraries).and_then(WorkflowPre::new);
    let pre =
        pre.map_err(|error| LoadError::new(format!("it does not fit this host: {error:#}"), format!("build it against `{STEPS}`")))?;
    Ok(Component { view: ComponentView { digest, size: bytes.len(), imports }, bytes, pre, _libraries: libraries })
}

fn linked(
    linker: &Linker<Guest>,
    compiled: &wasmtime::component::Component,
    libraries: &[Arc<libraries::Compiled>],
) -> wasmtime::Result<wasmtime::component::InstancePre<Guest>> {
    let mut linker = linker.clone();
    for library in libraries {
        linker.root().module(&libraries::import(&library.digest), &library.module)?;
    }
    linker.instantiate_pre(compiled)
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
