//! The libraries of a component: core modules with code alone, as an interpreter is whose memory lies in another module.
//! Components that were made with the same tools have the same ones: each is compiled once, and is in memory once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{Component, ComponentImportSection, ComponentSectionId, ComponentTypeRef, CoreTypeSection, ModuleType, RawSection};
use wasmparser::{BinaryReader, ExternalKind, Parser, Payload, TypeRef};

use super::shape::digest;

/// How the import of a library is named, before its digest: nobody else has reason to import a module.
const IMPORT: &str = "library-x";
/// A module with less code than this is compiled as quickly as it is looked for, in bytes.
const CODE_MIN: u32 = 64 << 10;
/// Of a file: what it is, and in which version.
const HEADER: usize = 8;

/// A component whose libraries stand apart.
pub(super) struct Split {
    /// The component, which imports them.
    pub shell: Vec<u8>,
    pub libraries: Vec<Library>,
}

/// A core module with code alone.
pub(super) struct Library {
    pub digest: String,
    pub bytes: Bytes,
}

/// A library that is ready to be linked.
pub(super) struct Compiled {
    pub digest: String,
    pub module: wasmtime::Module,
}

/// By which name a component imports a library.
pub(super) fn import(digest: &str) -> String {
    format!("{IMPORT}{digest}")
}

/// Whether an import is one of those that [`split`] makes.
pub(super) fn is_import(name: &str) -> bool {
    name.starts_with(IMPORT)
}

/// None: it has no libraries, or is of a shape that cannot be taken apart; the compiler says what is wrong with it.
pub(super) fn split(component: &Bytes) -> Option<Split> {
    let mut shell = Component::new();
    let (mut libraries, mut imported) = (Vec::<Library>::new(), BTreeSet::new());
    let mut sections = BinaryReader::new(component.get(HEADER..)?, HEADER);
    while !sections.eof() {
        let id = sections.read_u8().ok()?;
        let size = sections.read_var_u32().ok()? as usize;
        let begin = sections.original_position();
        let data = sections.read_bytes(size).ok()?;
        if id == u8::from(ComponentSectionId::CoreType) {
            // Its types are named by number, and ours would come between them.
            return None;
        }
        let kind = (id == u8::from(ComponentSectionId::CoreModule)).then(|| kind(data)).flatten();
        let Some(kind) = kind else {
            shell.section(&RawSection { id, data });
            continue;
        };
        let library = Library { digest: digest(data), bytes: component.slice(begin..begin + size) };
        if !imported.insert(library.digest.clone()) {
            return None;
        }
        let mut types = CoreTypeSection::new();
        types.ty().module(&kind);
        let mut imports = ComponentImportSection::new();
        let number = u32::try_from(libraries.len()).ok()?;
        imports.import(import(&library.digest).as_str(), ComponentTypeRef::Module(number));
        shell.section(&types).section(&imports);
        libraries.push(library);
    }
    (!libraries.is_empty()).then(|| Split { shell: shell.finish(), libraries })
}

/// What a library takes and gives; none: the module is no library.
fn kind(module: &[u8]) -> Option<ModuleType> {
    let mut kind = ModuleType::new();
    let (mut functions, mut tables, mut globals) = (Vec::new(), Vec::new(), Vec::new());
    let (mut imported, mut code) = (BTreeSet::new(), 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::TypeSection(types) => {
                for function in types.into_iter_err_on_gc_types() {
                    kind.ty().func_type(&RoundtripReencoder.func_type(function.ok()?).ok()?);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.ok()?;
                    match import.ty {
                        TypeRef::Func(function) => functions.push(function),
                        TypeRef::Table(table) => tables.push(table),
                        TypeRef::Global(global) => globals.push(global),
                        TypeRef::Memory(_) => (),
                        _ => return None,
                    }
                    // A type names each once.
                    imported.insert((import.module, import.name)).then_some(())?;
                    kind.import(import.module, import.name, RoundtripReencoder.entity_type(import.ty).ok()?);
                }
            }
            Payload::FunctionSection(own) => functions.extend(own.into_iter().collect::<Result<Vec<_>, _>>().ok()?),
            Payload::TableSection(own) => {
                for table in own {
                    tables.push(table.ok()?.ty);
                }
            }
            Payload::GlobalSection(own) => {
                for global in own {
                    globals.push(global.ok()?.ty);
                }
            }
            Payload::MemorySection(_) | Payload::TagSection(_) => return None,
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.ok()?;
                    let at = export.index as usize;
                    let ty = match export.kind {
                        ExternalKind::Func => TypeRef::Func(*functions.get(at)?),
                        ExternalKind::Table => TypeRef::Table(*tables.get(at)?),
                        ExternalKind::Global => TypeRef::Global(*globals.get(at)?),
                        _ => return None,
                    };
                    kind.export(export.name, RoundtripReencoder.entity_type(ty).ok()?);
                }
            }
            Payload::CodeSectionStart { size, .. } => code = size,
            _ => (),
        }
    }
    (code >= CODE_MIN).then_some(kind)
}

/// The libraries that somebody holds, or is compiling, by digest.
#[derive(Default)]
pub(super) struct Libraries(Mutex<HashMap<String, Arc<Place>>>);

/// Locked while it is compiled: others wait for it.
type Place = tokio::sync::Mutex<Weak<Compiled>>;

impl Libraries {
    /// The place of a library, empty where nobody holds it.
    pub(super) fn place(&self, digest: &str) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_needed = |place: &Arc<Place>| Arc::strong_count(place) > 1 || place.try_lock().is_ok_and(|held| held.strong_count() > 0);
        places.retain(|_, place| is_needed(place));
        places.entry(digest.to_owned()).or_default().clone()
    }
}
