//! One component of what componentize-qjs makes: that is two, an outer one that only gives the inner one, in which all
//! is, a stub for what it imports while it is made. Here the inner one has in its place functions that trap: what has
//! begun keeps only what lies at the top, and no run needs the stub, nor its memory.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ComponentImportSection, ComponentSectionId, ExportKind,
    ExportSection, Function, FunctionSection, InstanceSection, Instruction, ModuleArg, ModuleSection, RawSection, TypeSection, ValType,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentTypeRef, KnownCustom, Parser, Payload, Validator, WasmFeatures,
};

/// What this is, for the names of what was made by it.
pub(crate) const SOURCE: &[u8] = include_bytes!("flat.rs");

/// What it imports while it is made: files that a program names. No program names any.
const LOADER: &str = "local:init/module-loader";
/// Its functions, each with as many numbers as it is given: texts, and where to put what it answers.
const LOADS: [(&str, usize); 2] = [("resolve", 5), ("load", 3)];

/// The inner component; an error says in what its shape is another.
pub(crate) fn flat(component: &[u8]) -> Result<Vec<u8>, String> {
    let is_sound = |bytes: &[u8]| Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).map(|_| ());
    if !component.starts_with(b"\0asm") {
        return Err("it is not WebAssembly".to_owned());
    }
    is_sound(component).map_err(|error| format!("it is not sound: {error}"))?;
    let inner = inner(component).ok_or("there is no component in it")?;
    let (mut flat, mut made) = (Flat::default(), Component::new());
    flat.parse_component(&mut made, Parser::new(0), inner).map_err(|error| error.to_string())?;
    flat.loader.ok_or_else(|| format!("it does not import `{LOADER}`"))?;
    flat.unlike.map_or(Ok(()), |unlike| Err(unlike.to_owned()))?;
    let made = made.finish();
    is_sound(&made).map_err(|error| format!("what came of it is not sound: {error}"))?;
    Ok(made)
}

fn inner(component: &[u8]) -> Option<&[u8]> {
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ComponentSection { unchecked_range, .. } = payload.ok()? {
            return component.get(unchecked_range);
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
    /// What there is that this does not know.
    unlike: Option<&'static str>,
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
        if self.loader == Some(instance) {
            self.unlike = Some("what it imports while it is made is taken as a whole");
        }
        instance - u32::from(self.loader.is_some_and(|loader| loader < instance))
    }

    fn component_func_index(&mut self, function: u32) -> u32 {
        if self.loads.iter().any(|(load, _)| *load == function) {
            self.unlike = Some("a function that it imports while it is made is more than called");
        }
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
                            if kind != ComponentExternalKind::Func || LOADS.iter().all(|(load, _)| *load != name) {
                                self.unlike = Some("it imports more while it is made");
                            }
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
                if self.loader.is_none() && matches!(payload, Payload::ModuleSection { .. }) {
                    self.unlike = Some("a module comes before what it imports while it is made");
                }
                let id = match payload {
                    Payload::ModuleSection { .. } => ComponentSectionId::CoreModule,
                    Payload::ComponentSection { .. } => ComponentSectionId::Component,
                    _ => ComponentSectionId::Type,
                };
                if let Some((_, range)) = payload.as_section() {
                    let data = whole.get(range).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use wasmtime::component::Linker;
    use wasmtime::{Engine, Store};

    use super::*;

    const MADE: &str = r#"(component (component
      (import "before" (func $before (result u32)))
      (import "local:init/module-loader" (instance $loader
        (export "resolve" (func (param "referrer" string) (param "specifier" string) (result (result string (error string)))))
        (export "load" (func (param "path" string) (result (result string (error string)))))))
      (import "after" (instance $after (export "give" (func (result u32)))))
      (core module $main (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8)))
      (core instance $main (instantiate $main))
      (alias export $loader "resolve" (func $resolve))
      (alias export $after "give" (func $give))
      (alias export $loader "load" (func $load))
      (alias core export $main "realloc" (core func $realloc))
      (alias core export $main "memory" (core memory $memory))
      (core func $before (canon lower (func $before)))
      (core func $resolve (canon lower (func $resolve) (memory $memory) (realloc (core func $realloc))))
      (core func $load (canon lower (func $load) (memory $memory) (realloc (core func $realloc))))
      (core func $give (canon lower (func $give)))
      (core module $code
        (import "" "before" (func $before (result i32)))
        (import "" "resolve" (func (param i32 i32 i32 i32 i32)))
        (import "" "load" (func (param i32 i32 i32)))
        (import "" "give" (func $give (result i32)))
        (func (export "run") (result i32) (i32.sub (call $before) (call $give))))
      (core instance $given (export "before" (func $before)) (export "resolve" (func $resolve)) (export "load" (func $load)) (export "give" (func $give)))
      (core instance $code (instantiate $code (with "" (instance $given))))
      (func (export "run") (result u32) (canon lift (core func $code "run")))))"#;

    fn made(text: &str) -> Result<Vec<u8>, String> {
        flat(&wat::parse_str(text).expect("sound"))
    }

    #[test]
    fn what_is_within_stands_alone_and_asks_for_no_files() {
        let engine = Engine::default();
        let component = wasmtime::component::Component::new(&engine, made(MADE).expect("flat")).expect("it compiles");
        let mut linker = Linker::new(&engine);
        linker.root().func_wrap("before", |_, ()| Ok((44_u32,))).expect("defined");
        linker.instance("after").expect("defined").func_wrap("give", |_, ()| Ok((2_u32,))).expect("defined");
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).expect("it needs nothing else");
        let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").expect("exported");
        assert_eq!(run.call(&mut store, ()).expect("it returns"), (42,));
    }

    #[test]
    fn another_shape_is_named() {
        let whole = r#"(import "after" (instance $after (export "give" (func (result u32)))))"#;
        for (text, why) in [
            ("(component)".to_owned(), "no component in it"),
            ("(component (component))".to_owned(), "does not import"),
            (MADE.replacen(whole, &format!("{whole} (export \"loader\" (instance $loader))"), 1), "as a whole"),
            (MADE.replacen("(alias export $after", "(export \"resolves\" (func $resolve)) (alias export $after", 1), "more than called"),
            (MADE.replacen("(import \"before\"", "(core module) (import \"before\"", 1), "a module comes before"),
            (
                MADE.replace("\"load\" (func (param \"path\"", "\"read\" (func (param \"path\"")
                    .replace("$loader \"load\"", "$loader \"read\""),
                "imports more",
            ),
        ] {
            let said = made(&text).expect_err(why);
            assert!(said.contains(why), "{why}: {said}");
        }
        for bytes in [&b""[..], b"\0asm", b"\0asm\x0d\0\x01\0\x04\x09\0asm"] {
            flat(bytes).expect_err("it is not sound");
        }
    }
}
