//! A core module as it stands in a component: what it takes, has and gives.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::ExportKind;
use wasmparser::{
    DataSectionReader, ElementSectionReader, ExternalKind, FuncType, FunctionBody, Global, GlobalType, MemoryType, Parser, Payload,
    TableInit, TableType, TypeRef, ValType,
};

/// Why something cannot be written anew.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Unsound(#[from] anyhow::Error);

/// What modules give one another; each kind has numbers of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Function,
    Table,
    Memory,
    Global,
}

impl Kind {
    pub fn of(kind: ExternalKind) -> Result<Kind> {
        Ok(match kind {
            ExternalKind::Func | ExternalKind::FuncExact => Kind::Function,
            ExternalKind::Table => Kind::Table,
            ExternalKind::Memory => Kind::Memory,
            ExternalKind::Global => Kind::Global,
            ExternalKind::Tag => bail!("it has exceptions"),
        })
    }
}

impl From<Kind> for ExportKind {
    fn from(kind: Kind) -> ExportKind {
        match kind {
            Kind::Function => ExportKind::Func,
            Kind::Table => ExportKind::Table,
            Kind::Memory => ExportKind::Memory,
            Kind::Global => ExportKind::Global,
        }
    }
}

/// What a module takes from another: of which argument, and by which name.
pub(super) struct Import<'a> {
    pub argument: &'a str,
    pub name: &'a str,
    pub kind: Kind,
}

/// Something of a module, by its number: taken from another, or its own.
pub(super) enum Place<T> {
    Imported(usize),
    Own(T),
}

/// What is read of a module.
#[derive(Default)]
pub(super) struct Module<'a> {
    pub bytes: &'a [u8],
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// Each with the number of its type.
    pub functions: Vec<(u32, Place<FunctionBody<'a>>)>,
    pub tables: Vec<Place<TableType>>,
    pub memories: Vec<Place<MemoryType>>,
    pub globals: Vec<(GlobalType, Place<Global<'a>>)>,
    pub exports: HashMap<&'a str, (Kind, u32)>,
    pub elements: Option<ElementSectionReader<'a>>,
    pub data: Option<DataSectionReader<'a>>,
}

impl<'a> Module<'a> {
    /// An error says what it has that no module of an interpreter has.
    pub fn read(bytes: &'a [u8]) -> Result<Module<'a>> {
        let mut module = Module { bytes, ..Module::default() };
        let (mut own, mut bodies) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(types) => {
                    module.types = types.into_iter_err_on_gc_types().collect::<Result<_, _>>()?;
                    module.types.iter().flat_map(|ty| ty.params().iter().chain(ty.results())).try_for_each(|ty| plain(*ty))?;
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        module.import(import?)?;
                    }
                }
                Payload::FunctionSection(functions) => own = functions.into_iter().collect::<Result<_, _>>()?,
                Payload::TableSection(tables) => {
                    for table in tables {
                        let table = table?;
                        ensure!(matches!(table.init, TableInit::RefNull), "a table begins with values");
                        plain(ValType::Ref(table.ty.element_type))?;
                        module.tables.push(Place::Own(table.ty));
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        module.memories.push(Place::Own(memory?));
                    }
                }
                Payload::GlobalSection(globals) => {
                    for global in globals {
                        let global = global?;
                        plain(global.ty.content_type)?;
                        module.globals.push((global.ty, Place::Own(global)));
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        module.exports.insert(export.name, (Kind::of(export.kind)?, export.index));
                    }
                }
                Payload::ElementSection(elements) => module.elements = Some(elements),
                Payload::DataSection(data) => module.data = Some(data),
                Payload::CodeSectionEntry(body) => bodies.push(body),
                Payload::StartSection { .. } => bail!("a module has a start"),
                Payload::TagSection(_) => bail!("a module has exceptions"),
                _ => (),
            }
        }
        ensure!(own.len() == bodies.len(), "a module has functions without code");
        module.functions.extend(own.into_iter().zip(bodies).map(|(ty, body)| (ty, Place::Own(body))));
        Ok(module)
    }

    fn import(&mut self, import: wasmparser::Import<'a>) -> Result<()> {
        let number = self.imports.len();
        let kind = match import.ty {
            TypeRef::Func(ty) => {
                self.functions.push((ty, Place::Imported(number)));
                Kind::Function
            }
            TypeRef::Table(_) => {
                self.tables.push(Place::Imported(number));
                Kind::Table
            }
            TypeRef::Memory(_) => {
                self.memories.push(Place::Imported(number));
                Kind::Memory
            }
            TypeRef::Global(ty) => {
                self.globals.push((ty, Place::Imported(number)));
                Kind::Global
            }
            _ => bail!("a module imports exceptions"),
        };
        self.imports.push(Import { argument: import.module, name: import.name, kind });
        Ok(())
    }

    /// The number of what it exports.
    pub fn export(&self, kind: Kind, name: &str) -> Result<u32> {
        let (found, number) = self.exports.get(name).with_context(|| format!("nothing is exported as `{name}`"))?;
        ensure!(*found == kind, "`{name}` is of another kind");
        Ok(*number)
    }

    /// Which import something is, where it is one.
    pub fn imported(&self, kind: Kind, number: u32) -> Result<Option<usize>> {
        let number = number as usize;
        let import = match kind {
            Kind::Function => self.functions.get(number).map(|(_, place)| place.import()),
            Kind::Table => self.tables.get(number).map(Place::import),
            Kind::Memory => self.memories.get(number).map(Place::import),
            Kind::Global => self.globals.get(number).map(|(_, place)| place.import()),
        };
        import.context("a number is out of range")
    }
}

/// A reference to a type of the module's own would need a number of the other module's.
fn plain(ty: ValType) -> Result<()> {
    let is_numbered = matches!(ty, ValType::Ref(reference) if reference.type_index().is_some());
    ensure!(!is_numbered, "a module refers to a type by its number");
    Ok(())
}

impl<T> Place<T> {
    fn import(&self) -> Option<usize> {
        match self {
            Place::Imported(number) => Some(*number),
            Place::Own(_) => None,
        }
    }
}
