//! The two modules that are made of many: one of the memory and of what changes beside it, and one of the code.

use std::collections::HashSet;

use anyhow::{Context, Result, anyhow, ensure};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, DataSection, ElementSection, EntityType, ExportKind, ExportSection, FunctionSection, GlobalSection, ImportSection,
    MemorySection, TableSection, TypeSection,
};
use wasmparser::{ElementItems, GlobalType, Operator};

use super::links::{Links, Origin};
use super::module::{Kind, Module, Place};
use super::numbers::{Numbers, Own, Renumbered};

/// The argument of the module of code.
pub(super) const ARGUMENT: &str = "";

/// Which of the two has something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Memory,
    Code,
}

/// What becomes of everything that the modules have.
pub(super) struct Parts<'l, 'a> {
    links: &'l Links<'a>,
    /// The instances that become one.
    merged: Vec<usize>,
    memory: Own,
    pub numbers: Numbers<'l, 'a>,
}

impl<'l, 'a> Parts<'l, 'a> {
    /// `wanted` is what others want of them.
    pub fn new(links: &'l Links<'a>, merged: &HashSet<usize>, wanted: &[(Kind, Origin)]) -> Result<Parts<'l, 'a>> {
        let mut order: Vec<usize> = merged.iter().copied().collect();
        order.sort_unstable();
        let mut parts = Parts { links, merged: order, memory: (usize::MAX, 0), numbers: Numbers::new(links) };
        let (live, mut kept) = parts.live(wanted)?;
        parts.number(&live)?;
        kept.extend(wanted.iter().filter(|(kind, _)| *kind == Kind::Global).filter_map(|(_, origin)| own(*origin)));
        parts.sort_globals(&kept)?;
        Ok(parts)
    }

    fn number(&mut self, live: &HashSet<Own>) -> Result<()> {
        let links = self.links;
        for &instance in &self.merged.clone() {
            let module = links.module(instance)?;
            // Functions that are called by their number in a table have types as well.
            let types = module.types.iter().map(|ty| self.numbers.ty(ty)).collect::<Result<Vec<_>>>()?;
            for (number, (ty, place)) in module.functions.iter().enumerate() {
                let ty = *types.get(*ty as usize).context("a type is out of range")?;
                if let Place::Imported(_) = place
                    && let Origin::Outer(outer) = links.origin(instance, Kind::Function, u32::try_from(number)?)?
                    && self.numbers.outer.iter().all(|(it, _)| *it != outer)
                {
                    self.numbers.outer.push((outer, ty));
                }
            }
            for (number, place) in module.memories.iter().enumerate() {
                if let Place::Own(_) = place {
                    ensure!(self.memory.0 == usize::MAX, "it has more than one memory");
                    self.memory = (instance, u32::try_from(number)?);
                }
            }
        }
        ensure!(self.memory.0 != usize::MAX, "it has no memory");
        let mut elements = 0;
        for &instance in &self.merged {
            let module = links.module(instance)?;
            for data in module.data.clone().into_iter().flatten() {
                ensure!(instance == self.memory.0 || data?.data.is_empty(), "there is data beside the memory");
            }
            for (number, place) in module.functions.iter().enumerate() {
                let function = (instance, u32::try_from(number)?);
                if let (_, Place::Own(_)) = place
                    && live.contains(&function)
                {
                    let next = self.numbers.outer.len() + self.numbers.functions.len();
                    self.numbers.functions.insert(function, u32::try_from(next)?);
                }
            }
            for (number, place) in module.tables.iter().enumerate() {
                if let Place::Own(_) = place {
                    let next = u32::try_from(self.numbers.tables.len())?;
                    self.numbers.tables.insert((instance, u32::try_from(number)?), next);
                }
            }
            self.numbers.elements.insert(instance, elements);
            elements += module.elements.as_ref().map_or(0, |all| all.count());
        }
        Ok(())
    }

    /// The functions that somebody can call, and the globals that they write to: what has linked the modules is done.
    fn live(&self, wanted: &[(Kind, Origin)]) -> Result<(HashSet<Own>, HashSet<Own>)> {
        let mut todo: Vec<Own> = wanted.iter().filter(|(kind, _)| *kind == Kind::Function).filter_map(|(_, origin)| own(*origin)).collect();
        for &instance in &self.merged {
            let named = |function| Ok(own(self.links.origin(instance, Kind::Function, function)?));
            todo.extend(
                in_tables(self.links.module(instance)?)?.into_iter().filter_map(|it| named(it).transpose()).collect::<Result<Vec<_>>>()?,
            );
        }
        let (mut live, mut written) = <(HashSet<Own>, HashSet<Own>)>::default();
        while let Some((instance, number)) = todo.pop() {
            let (_, Place::Own(body)) = &self.links.module(instance)?.functions[number as usize] else { continue };
            if !live.insert((instance, number)) {
                continue;
            }
            for operator in body.get_operators_reader()? {
                match operator? {
                    Operator::Call { function_index } | Operator::ReturnCall { function_index } | Operator::RefFunc { function_index } => {
                        todo.extend(own(self.links.origin(instance, Kind::Function, function_index)?));
                    }
                    Operator::GlobalSet { global_index } => written.extend(own(self.links.origin(instance, Kind::Global, global_index)?)),
                    _ => (),
                }
            }
        }
        Ok((live, written))
    }

    fn sort_globals(&mut self, kept: &HashSet<Own>) -> Result<()> {
        for &instance in &self.merged {
            for (number, (_, place)) in self.links.module(instance)?.globals.iter().enumerate() {
                let place = matches!(place, Place::Own(_)).then_some((instance, u32::try_from(number)?));
                let Some(global) = place else { continue };
                match self.constant(global, kept)? {
                    Some(value) => _ = self.numbers.constants.insert(global, value),
                    None => {
                        let next = u32::try_from(self.numbers.globals.len())?;
                        self.numbers.globals.insert(global, next);
                    }
                }
            }
        }
        Ok(())
    }

    /// The value of a global that never changes.
    fn constant(&self, global: Own, kept: &HashSet<Own>) -> Result<Option<i32>> {
        let (_, Place::Own(value)) = &self.links.module(global.0)?.globals[global.1 as usize] else { return Ok(None) };
        if kept.contains(&global) {
            return Ok(None);
        }
        let mut values = Vec::new();
        for operator in value.init_expr.get_operators_reader() {
            match operator? {
                Operator::I32Const { value } => values.push(value),
                Operator::GlobalGet { global_index } => {
                    let other = own(self.links.origin(global.0, Kind::Global, global_index)?);
                    let Some(value) = other.map_or(Ok(None), |other| self.constant(other, kept))? else { return Ok(None) };
                    values.push(value);
                }
                Operator::I32Add => {
                    let (Some(one), Some(other)) = (values.pop(), values.pop()) else { return Ok(None) };
                    values.push(other.wrapping_add(one));
                }
                Operator::End => (),
                _ => return Ok(None),
            }
        }
        Ok(values.pop())
    }

    /// Where something is then, and under which name.
    pub fn place(&self, kind: Kind, origin: Origin) -> Result<(Holder, String)> {
        let global = own(origin).context("it leads out of the modules")?;
        Ok(match kind {
            Kind::Function => (Holder::Code, format!("function{}", self.numbers.functions.get(&global).context("a function is missing")?)),
            Kind::Table => (Holder::Code, format!("table{}", self.numbers.tables.get(&global).context("a table is missing")?)),
            Kind::Memory => (Holder::Memory, "memory".to_owned()),
            Kind::Global => (Holder::Memory, format!("global{}", self.numbers.globals.get(&global).context("a global is missing")?)),
        })
    }

    /// The module with the memory, what is in it, and the globals.
    pub fn memory(&self) -> Result<wasm_encoder::Module> {
        let module = self.links.module(self.memory.0)?;
        let Place::Own(ty) = &module.memories[self.memory.1 as usize] else { return Err(anyhow!("it has no memory")) };
        let (mut memories, mut globals, mut exports, mut data) = <(MemorySection, GlobalSection, ExportSection, DataSection)>::default();
        memories.memory(RoundtripReencoder.memory_type(*ty)?);
        exports.export("memory", ExportKind::Memory, 0);
        for (global, number) in self.ordered_globals() {
            let (_, Place::Own(value)) = &self.links.module(global.0)?.globals[global.1 as usize] else { continue };
            self.of(global.0).parse_global(&mut globals, value.clone())?;
            exports.export(&format!("global{number}"), ExportKind::Global, number);
        }
        if let Some(all) = &module.data {
            // They are numbered here as they were there.
            self.of(self.memory.0).parse_data_section(&mut data, all.clone())?;
        }
        let mut made = wasm_encoder::Module::new();
        made.section(&memories).section(&globals).section(&exports).section(&data);
        Ok(made)
    }

    fn ordered_globals(&self) -> Vec<(Own, u32)> {
        let mut all: Vec<(Own, u32)> = self.numbers.globals.iter().map(|(global, number)| (*global, *number)).collect();
        all.sort_by_key(|(_, number)| *number);
        all
    }

    /// What the module of code takes of the memory's, by the names of both.
    pub fn shared(&self) -> Vec<(Kind, String)> {
        let globals = self.ordered_globals().into_iter().map(|(_, number)| (Kind::Global, format!("global{number}")));
        [(Kind::Memory, "memory".to_owned())].into_iter().chain(globals).collect()
    }

    /// The module with all functions and tables. It is the same whatever the memory holds.
    pub fn code(&self, wanted: &[(Kind, Origin)]) -> Result<wasm_encoder::Module> {
        let (mut types, mut imports, mut functions) = <(TypeSection, ImportSection, FunctionSection)>::default();
        let (mut tables, mut exports, mut elements, mut code) = <(TableSection, ExportSection, ElementSection, CodeSection)>::default();
        for ty in &self.numbers.types {
            types.ty().func_type(&RoundtripReencoder.func_type(ty.clone())?);
        }
        for (number, (_, ty)) in self.numbers.outer.iter().enumerate() {
            imports.import(ARGUMENT, &outer_name(number), EntityType::Function(*ty));
        }
        let Place::Own(memory) = &self.links.module(self.memory.0)?.memories[self.memory.1 as usize] else {
            return Err(anyhow!("it has no memory"));
        };
        imports.import(ARGUMENT, "memory", EntityType::Memory(RoundtripReencoder.memory_type(*memory)?));
        for (global, number) in self.ordered_globals() {
            let ty: GlobalType = self.links.module(global.0)?.globals[global.1 as usize].0;
            imports.import(ARGUMENT, &format!("global{number}"), EntityType::Global(RoundtripReencoder.global_type(ty)?));
        }
        for &instance in &self.merged {
            let module = self.links.module(instance)?;
            for (number, (ty, place)) in module.functions.iter().enumerate() {
                if let Place::Own(body) = place
                    && self.numbers.functions.contains_key(&(instance, u32::try_from(number)?))
                {
                    functions.function(self.numbers.type_numbers[&module.types[*ty as usize]]);
                    self.of(instance).parse_function_body(&mut code, body.clone())?;
                }
            }
            for table in &module.tables {
                if let Place::Own(ty) = table {
                    tables.table(RoundtripReencoder.table_type(*ty)?);
                }
            }
            if let Some(all) = &module.elements {
                self.of(instance).parse_element_section(&mut elements, all.clone())?;
            }
        }
        let mut named = HashSet::new();
        for (kind, origin) in wanted {
            let (holder, name) = self.place(*kind, *origin)?;
            let Some(global) = own(*origin).filter(|_| holder == Holder::Code) else { continue };
            let numbers = if *kind == Kind::Function { &self.numbers.functions } else { &self.numbers.tables };
            if named.insert(name.clone()) {
                exports.export(&name, (*kind).into(), numbers[&global]);
            }
        }
        let mut made = wasm_encoder::Module::new();
        made.section(&types).section(&imports).section(&functions).section(&tables).section(&exports).section(&elements).section(&code);
        Ok(made)
    }

    /// What is written anew of an instance's module.
    fn of(&self, instance: usize) -> Renumbered<'_, 'l, 'a> {
        Renumbered { numbers: &self.numbers, instance }
    }
}

/// By which name the code takes a function that leads out.
pub(super) fn outer_name(number: usize) -> String {
    format!("outer{number}")
}

fn own(origin: Origin) -> Option<Own> {
    match origin {
        Origin::Own { instance, number } => Some((instance, number)),
        Origin::Outer(_) => None,
    }
}

/// The functions that tables are filled with.
fn in_tables(module: &Module) -> Result<Vec<u32>> {
    let mut all = Vec::new();
    for element in module.elements.clone().into_iter().flatten() {
        match element?.items {
            ElementItems::Functions(functions) => all.extend(functions.into_iter().collect::<Result<Vec<_>, _>>()?),
            ElementItems::Expressions(_, expressions) => {
                for expression in expressions {
                    for operator in expression?.get_operators_reader() {
                        if let Operator::RefFunc { function_index } = operator? {
                            all.push(function_index);
                        }
                    }
                }
            }
        }
    }
    Ok(all)
}
