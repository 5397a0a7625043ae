//! From the plain output of every toolchain to a component.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use wasi_preview1_component_adapter_provider as adapter;
use wasmparser::{Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding};

use super::LoadError;

/// The interface that a workflow exports.
pub(super) const STEPS: &str = "wf:workflow/steps@0.1.0";
/// The contract, for modules that do not carry it.
const WIT: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/wit/workflow.wit"));

/// What a core module shows of itself.
#[derive(Default)]
struct Module {
    /// It has the section that says what its imports and exports mean.
    described: bool,
    /// It calls WASI preview 1.
    preview1: bool,
    /// It is a command.
    start: bool,
    /// It exports our interface by name.
    steps: bool,
}

/// How a component begins; a core module has another version.
const COMPONENT: &[u8; 8] = b"\0asm\x0d\0\x01\0";

/// SHA-256, as text.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a file is a component already, by how it begins.
pub(super) fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(COMPONENT)
}

/// The bytes of the component that a file is, or becomes.
pub(super) fn component(bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(LoadError::new("it is not WebAssembly", "give the `.wasm` file that your build wrote"));
    }
    let Some(module) = look(bytes)? else { return Ok(bytes.to_vec()) };
    if module.start {
        let hint = "build a library: `crate-type = [\"cdylib\"]` in Rust, `-mexec-model=reactor` in C, `-buildmode=c-shared` in Go";
        return Err(LoadError::new("it is a command, with a `_start` of its own", hint));
    }
    if !module.described && !module.steps {
        let message = format!("it is a core module that does not export `{STEPS}`");
        return Err(LoadError::new(message, "build a workflow with one of the SDKs"));
    }
    let bytes = if module.described { Cow::Borrowed(bytes) } else { Cow::Owned(describe(bytes).map_err(unfit)?) };
    encode(&bytes, module.preview1).map_err(unfit)
}

/// None: it is a component.
fn look(bytes: &[u8]) -> Result<Option<Module>, LoadError> {
    let damaged = |error: wasmparser::BinaryReaderError| LoadError::new(format!("it is damaged WebAssembly: {error}"), "build it again");
    let mut module = Module::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::Version { encoding: Encoding::Component, .. } => return Ok(None),
            Payload::CustomSection(section) => module.described |= section.name().starts_with("component-type"),
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    module.preview1 |= import.map_err(damaged)?.module == "wasi_snapshot_preview1";
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let name = export.map_err(damaged)?.name;
                    module.start |= name == "_start";
                    module.steps |= name.starts_with(STEPS);
                }
            }
            _ => (),
        }
    }
    Ok(Some(module))
}

/// Adds the section that a module lacks.
fn describe(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("workflow.wit", WIT)?;
    let world = resolve.select_world(&[package], Some("workflow"))?;
    let mut bytes = bytes.to_vec();
    wit_component::embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8)?;
    Ok(bytes)
}

fn encode(bytes: &[u8], preview1: bool) -> anyhow::Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default().validate(true).module(bytes)?;
    if preview1 {
        encoder = encoder.adapter(adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?;
    }
    encoder.encode()
}

fn unfit(error: anyhow::Error) -> LoadError {
    LoadError::new(
        format!("no component can be made of it: {error:#}"),
        "build it against `wf:workflow@0.1.0`, without other imports than `wasi`",
    )
}
