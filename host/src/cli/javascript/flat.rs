//! One component of what componentize-qjs makes: that is two, an outer one that only gives the inner one, in which all
//! is, a stub for what it imports while it is made. Here the inner one has in its place functions that trap: what has
//! begun keeps only what lies at the top, and no run needs the stub, nor its memory.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ComponentImportSection, ComponentSectionId, ExportKind,
    ExportSection, Function, FunctionSection, InstanceSection, Instruction, ModuleArg, ModuleSection, RawSection, TypeSection, ValType,
};
use wasmparser::{CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentTypeRef, KnownCustom, Parser, Payload};

/// What it imports while it is made: files that a program names. No program names any.
const LOADER: &str = "local:init/module-loader";
/// Its functions, each with as many numbers as it is given: texts, and where to put what it answers.
const LOADS: [(&str, usize); 2] = [("resolve", 5), ("load", 3)];

/// The inner component; none: it has another shape.
pub(super) fn flat(component: &[u8]) -> Option<Vec<u8>> {
    let inner = inner(component)?;
    let (mut flat, mut made) = (Flat::default(), Component::new());
    flat.parse_component(&mut made, Parser::new(0), inner).ok()?;
    flat.loader.map(|_| made.finish())
}

fn inner(component: &[u8]) -> Option<&[u8]> {
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ComponentSection { unchecked_range, .. } = payload.ok()? {
            return component.get(usize::try_from(unchecked_range.start).ok()?..usize::try_from(unchecked_range.end).ok()?);
        }
    }
    None
}

/// What is numbered anew: one instance goes, and with it two functions; a module with its instance comes first.
#[derive(Default)]
struct Flat {
    /// Of the component's own numbers: how many there have been.
    instances: u32,
    functions: u32,
    /// The instance that goes, by its number.
    loader: Option<u32>,
    /// The functions that go, and what they are called there.
    loads: Vec<(u32, String)>,
}

impl Flat {
    fn count(&mut self, kind: ComponentExternalKind) {
        match kind {
            ComponentExternalKind::Instance => self.instances += 1,
            ComponentExternalKind::Func => self.functions += 1,
            _ => (),
        }
    }
}

impl Reencode for Flat {
    type Error = Infallible;
}

impl ReencodeComponent for Flat {
    fn component_instance_index(&mut self, instance: u32) -> u32 {
        instance - u32::from(self.loader.is_some_and(|loader| loader < instance))
    }

    fn component_func_index(&mut self, function: u32) -> u32 {
        function - self.loads.iter().map(|(load, _)| u32::from(*load < function)).sum::<u32>()
    }

    fn module_index(&mut self, module: u32) -> u32 {
        module + 1
    }

    fn instance_index(&mut self, instance: u32) -> u32 {
        instance + 1
    }

    fn parse_component_payload(&mut self, made: &mut Component, payload: Payload<'_>, whole: &[u8]) -> Result<(), Error> {
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    let import = import?;
                    if import.name.name == LOADER {
                        self.loader = Some(self.instances);
                        traps(made);
                    } else {
                        let mut one = ComponentImportSection::new();
                        one.import(import.name, self.component_type_ref(import.ty)?);
                        made.section(&one);
                    }
                    match import.ty {
                        ComponentTypeRef::Instance(_) => self.count(ComponentExternalKind::Instance),
                        ComponentTypeRef::Func(_) => self.count(ComponentExternalKind::Func),
                        _ => (),
                    }
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                let mut kept = ComponentAliasSection::new();
                for alias in aliases {
                    let alias = alias?;
                    if let ComponentAlias::InstanceExport { kind, instance_index, name } = alias {
                        let function = self.functions;
                        self.count(kind);
                        if self.loader == Some(instance_index) {
                            self.loads.push((function, name.to_owned()));
                            continue;
                        }
                    }
                    kept.alias(self.component_alias(alias)?);
                }
                made.section(&kept);
            }
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions {
                    let function = function?;
                    let load = match &function {
                        CanonicalFunction::Lower { func_index, .. } => self.loads.iter().find(|(load, _)| load == func_index),
                        _ => None,
                    };
                    if let Some((_, name)) = load {
                        let mut trap = ComponentAliasSection::new();
                        trap.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name });
                        made.section(&trap);
                        continue;
                    }
                    if let CanonicalFunction::Lift { .. } = function {
                        self.count(ComponentExternalKind::Func);
                    }
                    let mut one = CanonicalFunctionSection::new();
                    self.parse_component_canonical(&mut one, function)?;
                    made.section(&one);
                }
            }
            Payload::ComponentInstanceSection(ref instances) => {
                self.instances += instances.count();
                component_utils::parse_component_payload(self, made, payload, whole)?;
            }
            Payload::ComponentExportSection(ref exports) => {
                for export in exports.clone() {
                    self.count(export?.kind);
                }
                component_utils::parse_component_payload(self, made, payload, whole)?;
            }
            // It names by number.
            Payload::CustomSection(custom) if matches!(custom.as_known(), KnownCustom::ComponentName(_)) => (),
            // Their numbers are their own.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } | Payload::ComponentTypeSection(_) => {
                let id = match payload {
                    Payload::ModuleSection { .. } => ComponentSectionId::CoreModule,
                    Payload::ComponentSection { .. } => ComponentSectionId::Component,
                    _ => ComponentSectionId::Type,
                };
                if let Some((_, range)) = payload.as_section() {
                    let (begin, end) = (usize::try_from(range.start), usize::try_from(range.end));
                    let data = begin.ok().zip(end.ok()).and_then(|(begin, end)| whole.get(begin..end)).unwrap_or_default();
                    made.section(&RawSection { id: id.into(), data });
                }
            }
            _ => component_utils::parse_component_payload(self, made, payload, whole)?,
        }
        Ok(())
    }
}

/// The first module, and its instance: functions that are never called.
fn traps(made: &mut Component) {
    let (mut types, mut functions, mut exports, mut code) =
        (TypeSection::new(), FunctionSection::new(), ExportSection::new(), CodeSection::new());
    for (number, (name, given)) in (0..).zip(LOADS) {
        types.ty().function(vec![ValType::I32; given], []);
        functions.function(number);
        exports.export(name, ExportKind::Func, number);
        let mut body = Function::new([]);
        body.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
        code.function(&body);
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&functions).section(&exports).section(&code);
    let mut instances = InstanceSection::new();
    instances.instantiate(0, Vec::<(&str, ModuleArg)>::new());
    made.section(&ModuleSection(&module)).section(&instances);
}
