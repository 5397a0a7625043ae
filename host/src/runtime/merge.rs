//! The core modules of a component as two: one of code, and one of memory.
//!
//! Linkers leave an interpreter as a dozen modules, which are linked whenever there is an instance: thousands of
//! functions are handed from one to the other, and a table is filled that none of them has by itself. As one module they
//! call each other directly, its table is laid out when it is compiled, and addresses that the linker has found are
//! numbers in the code. What is left of an instance is its memory.

mod links;
mod module;
mod numbers;
mod parts;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, RoundtripReencoder};
use wasm_encoder::{Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ExportKind, InstanceSection, ModuleArg, RawSection};
use wasmparser::{CanonicalFunction, ComponentAlias, CustomSectionReader, Instance, Validator, WasmFeatures};

use self::links::{Links, Origin, Part, Section, entries, section, sections};
use self::module::{Kind, Unsound};
use self::parts::{ARGUMENT, Holder, Parts, outer_name};

/// The numbers of the two, and of the first that is left as it is.
const MEMORY: u32 = 0;
const CODE: u32 = 1;
const OTHERS: u32 = 2;

/// What this is, for the names of what was made by it: another form of it makes others.
pub(crate) const SOURCES: [&[u8]; 5] = [
    include_bytes!("merge.rs"),
    include_bytes!("merge/links.rs"),
    include_bytes!("merge/module.rs"),
    include_bytes!("merge/numbers.rs"),
    include_bytes!("merge/parts.rs"),
];

/// What has begun is merged: a module that has something to do at its start is refused. An error says what else there is that
/// cannot be merged.
pub(crate) fn merge(component: &[u8]) -> Result<Vec<u8>> {
    let is_sound = |bytes: &[u8]| Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).map(|_| ());
    is_sound(component).context("it is not sound")?;
    let made = merged(component)?;
    is_sound(&made).context("what came of it is not sound")?;
    Ok(made)
}

fn merged(component: &[u8]) -> Result<Vec<u8>> {
    let sections = sections(component)?;
    let links = Links::read(&sections)?;
    let merged = links.mergeable()?;
    let mut wanted = Vec::new();
    for &(kind, number) in &links.taken {
        wanted.push((kind, links.item(kind, number)?));
    }
    for (instance, module) in links.modules().filter(|(instance, _)| !merged.contains(instance)) {
        for (number, import) in module.imports.iter().enumerate() {
            wanted.push((import.kind, links.import(instance, number)?));
        }
    }
    wanted.retain(|(_, origin)| matches!(origin, Origin::Own { instance, .. } if merged.contains(instance)));
    let parts = Parts::new(&links, &merged, &wanted)?;
    let mut writer = Writer::new(&links, &merged, &parts);
    writer.component.section(&wasm_encoder::ModuleSection(&parts.memory()?)).section(&wasm_encoder::ModuleSection(&parts.code(&wanted)?));
    for section in sections {
        writer.section(section)?;
    }
    Ok(writer.component.finish())
}

/// What is given to a module: by which name, of which kind, and its number.
type Given<'g> = (&'g str, ExportKind, u32);

/// Writes a component again, with the two in place of what is merged.
struct Writer<'p, 'a> {
    links: &'p Links<'a>,
    merged: &'p HashSet<usize>,
    parts: &'p Parts<'p, 'a>,
    component: Component,
    /// How many core instances, and modules, there are.
    instances: u32,
    modules: u32,
    memory: Option<u32>,
    code: Option<u32>,
    /// Instances that are left as they are.
    left: HashMap<usize, u32>,
    /// How many of each kind there are, and which is which.
    counts: HashMap<Kind, u32>,
    numbers: HashMap<(Kind, Origin), u32>,
    /// How many instances and functions there were so far.
    instances_before: usize,
    functions_before: u32,
}

impl<'p, 'a> Writer<'p, 'a> {
    fn new(links: &'p Links<'a>, merged: &'p HashSet<usize>, parts: &'p Parts<'p, 'a>) -> Writer<'p, 'a> {
        Writer {
            links,
            merged,
            parts,
            component: Component::new(),
            instances: 0,
            modules: OTHERS,
            memory: None,
            code: None,
            left: HashMap::new(),
            counts: HashMap::new(),
            numbers: HashMap::new(),
            instances_before: 0,
            functions_before: 0,
        }
    }

    fn section(&mut self, (id, data): Section<'a>) -> Result<()> {
        match id {
            section::MODULE => Ok(()),
            section::CORE_INSTANCE => entries(data)?.into_iter().try_for_each(|instance| self.instance(&instance)),
            section::ALIAS => self.aliases(entries(data)?),
            section::CANONICAL => self.canonical(entries(data)?),
            // Its numbers are others now.
            section::CUSTOM if CustomSectionReader::new(wasmparser::BinaryReader::new(data, 0))?.name() == "component-name" => Ok(()),
            _ => {
                self.component.section(&RawSection { id, data });
                Ok(())
            }
        }
    }

    fn instance(&mut self, _: &Instance<'a>) -> Result<()> {
        let number = self.instances_before;
        self.instances_before += 1;
        if self.merged.contains(&number) {
            return Ok(());
        }
        // What is put together is, where somebody takes it.
        let Part::Module(module, _) = &self.links.instances[number] else { return Ok(()) };
        let mut arguments: Vec<(&str, Vec<Given>)> = Vec::new();
        for (place, import) in module.imports.iter().enumerate() {
            let given = (import.name, ExportKind::from(import.kind), self.number(import.kind, self.links.import(number, place)?)?);
            match arguments.iter_mut().find(|(name, _)| *name == import.argument) {
                Some((_, all)) => all.push(given),
                None => arguments.push((import.argument, vec![given])),
            }
        }
        let mut made = InstanceSection::new();
        for (_, exports) in &arguments {
            made.export_items(exports.iter().copied());
        }
        let names: Vec<_> =
            arguments.iter().zip(self.instances..).map(|((name, _), number)| (*name, ModuleArg::Instance(number))).collect();
        made.instantiate(self.modules, names);
        self.component.section(&RawSection { id: section::MODULE, data: module.bytes }).section(&made);
        self.modules += 1;
        self.instances += made.len();
        self.left.insert(number, self.instances - 1);
        Ok(())
    }

    fn aliases(&mut self, aliases: Vec<ComponentAlias<'a>>) -> Result<()> {
        let mut left = ComponentAliasSection::new();
        for alias in aliases {
            match alias {
                ComponentAlias::CoreInstanceExport { kind, .. } => self.functions_before += u32::from(Kind::of(kind)? == Kind::Function),
                other => _ = left.alias(RoundtripReencoder.component_alias(other)?),
            }
        }
        if !left.is_empty() {
            self.component.section(&left);
        }
        Ok(())
    }

    fn canonical(&mut self, functions: Vec<CanonicalFunction>) -> Result<()> {
        for function in functions {
            let mut numbers = HashMap::new();
            for (kind, number) in links::taken(&function) {
                numbers.insert((kind, number), self.number(kind, self.links.item(kind, number)?)?);
            }
            let is_core = !matches!(function, CanonicalFunction::Lift { .. });
            let mut made = CanonicalFunctionSection::new();
            Canonical(numbers).parse_component_canonical(&mut made, function)?;
            self.component.section(&made);
            if is_core {
                let number = self.next(Kind::Function);
                self.numbers.insert((Kind::Function, Origin::Outer(self.functions_before)), number);
                self.functions_before += 1;
            }
        }
        Ok(())
    }

    fn next(&mut self, kind: Kind) -> u32 {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        *count - 1
    }

    /// The number of something, which is taken from its module if it was not yet.
    fn number(&mut self, kind: Kind, origin: Origin) -> Result<u32> {
        if let Some(number) = self.numbers.get(&(kind, origin)) {
            return Ok(*number);
        }
        let Origin::Own { instance, number } = origin else { bail!("a module takes what comes after it") };
        let (instance, name) = if self.merged.contains(&instance) {
            let (holder, name) = self.parts.place(kind, origin)?;
            (if holder == Holder::Memory { self.memory() } else { self.code()? }, name)
        } else {
            let exports = &self.links.module(instance)?.exports;
            let (name, _) = exports.iter().find(|(_, it)| **it == (kind, number)).context("something is not exported")?;
            (*self.left.get(&instance).context("an instance comes later")?, (*name).to_owned())
        };
        let number = self.alias(kind, instance, &name);
        self.numbers.insert((kind, origin), number);
        Ok(number)
    }

    fn alias(&mut self, kind: Kind, instance: u32, name: &str) -> u32 {
        let mut made = ComponentAliasSection::new();
        made.alias(Alias::CoreInstanceExport { instance, kind: kind.into(), name });
        self.component.section(&made);
        self.next(kind)
    }

    fn memory(&mut self) -> u32 {
        *self.memory.get_or_insert_with(|| {
            let mut made = InstanceSection::new();
            made.instantiate(MEMORY, [] as [(&str, ModuleArg); 0]);
            self.component.section(&made);
            self.instances += 1;
            self.instances - 1
        })
    }

    fn code(&mut self) -> Result<u32> {
        if let Some(code) = self.code {
            return Ok(code);
        }
        let memory = self.memory();
        let mut given = Vec::new();
        for (number, (function, _)) in self.parts.numbers.outer.iter().enumerate() {
            given.push((outer_name(number), ExportKind::Func, self.number(Kind::Function, Origin::Outer(*function))?));
        }
        for (kind, name) in self.parts.shared() {
            let number = self.alias(kind, memory, &name);
            given.push((name, kind.into(), number));
        }
        let mut made = InstanceSection::new();
        made.export_items(given.iter().map(|(name, kind, number)| (name.as_str(), *kind, *number)));
        made.instantiate(CODE, [(ARGUMENT, ModuleArg::Instance(self.instances))]);
        self.component.section(&made);
        self.instances += made.len();
        self.code = Some(self.instances - 1);
        Ok(self.instances - 1)
    }
}

/// Writes how something is lifted or lowered, with other numbers.
struct Canonical(HashMap<(Kind, u32), u32>);

impl Canonical {
    fn found(&self, kind: Kind, number: u32) -> Result<u32, Error<Unsound>> {
        let found = self.0.get(&(kind, number)).copied().context("a number is missing");
        found.map_err(|error| Error::UserError(error.into()))
    }
}

impl Reencode for Canonical {
    type Error = Unsound;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Unsound>> {
        self.found(Kind::Function, function)
    }

    fn memory_index(&mut self, memory: u32) -> Result<u32, Error<Unsound>> {
        self.found(Kind::Memory, memory)
    }
}

impl ReencodeComponent for Canonical {}
