//! Which number everything of the modules has in what becomes of them.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use wasm_encoder::Instruction;
use wasm_encoder::reencode::{self, Reencode};
use wasmparser::{FuncType, Operator};

use super::links::{Links, Origin};
use super::module::{Kind, Unsound};

/// Something of its own that a module has: the instance, and its number there.
pub(super) type Own = (usize, u32);

/// Everything by its new number.
pub(super) struct Numbers<'l, 'a> {
    pub links: &'l Links<'a>,
    pub types: Vec<FuncType>,
    pub type_numbers: HashMap<FuncType, u32>,
    /// The functions that lead out of the modules, as the component numbers them, each with its type.
    pub outer: Vec<(u32, u32)>,
    pub functions: HashMap<Own, u32>,
    pub tables: HashMap<Own, u32>,
    /// Globals that change, or are more than a number: they stay with the memory.
    pub globals: HashMap<Own, u32>,
    /// Those that never change: addresses that the linker has found.
    pub constants: HashMap<Own, i32>,
    /// How many elements come before those of an instance.
    pub elements: HashMap<usize, u32>,
}

impl<'l, 'a> Numbers<'l, 'a> {
    pub fn new(links: &'l Links<'a>) -> Numbers<'l, 'a> {
        Numbers {
            links,
            types: Vec::new(),
            type_numbers: HashMap::new(),
            outer: Vec::new(),
            functions: HashMap::new(),
            tables: HashMap::new(),
            globals: HashMap::new(),
            constants: HashMap::new(),
            elements: HashMap::new(),
        }
    }

    /// The number of a type, which gets one if it has none.
    pub fn ty(&mut self, ty: &FuncType) -> Result<u32> {
        if let Some(number) = self.type_numbers.get(ty) {
            return Ok(*number);
        }
        let number = u32::try_from(self.types.len())?;
        self.types.push(ty.clone());
        self.type_numbers.insert(ty.clone(), number);
        Ok(number)
    }
}

/// Writes what a module has with the numbers of the two.
pub(super) struct Renumbered<'n, 'l, 'a> {
    pub numbers: &'n Numbers<'l, 'a>,
    pub instance: usize,
}

type Renumbering<T> = Result<T, reencode::Error<Unsound>>;

impl Renumbered<'_, '_, '_> {
    fn found(&self, kind: Kind, number: u32, numbers: &HashMap<Own, u32>) -> Renumbering<u32> {
        let found = self.numbers.links.origin(self.instance, kind, number).and_then(|origin| match origin {
            Origin::Own { instance, number } => {
                numbers.get(&(instance, number)).copied().context("something is of no module that is merged")
            }
            Origin::Outer(function) => {
                let place = self.numbers.outer.iter().position(|(it, _)| *it == function).context("a function is missing")?;
                Ok(u32::try_from(place)?)
            }
        });
        found.map_err(|error| reencode::Error::UserError(error.into()))
    }
}

impl Reencode for Renumbered<'_, '_, '_> {
    type Error = Unsound;

    fn function_index(&mut self, function: u32) -> Renumbering<u32> {
        self.found(Kind::Function, function, &self.numbers.functions)
    }

    fn table_index(&mut self, table: u32) -> Renumbering<u32> {
        self.found(Kind::Table, table, &self.numbers.tables)
    }

    fn global_index(&mut self, global: u32) -> Renumbering<u32> {
        self.found(Kind::Global, global, &self.numbers.globals)
    }

    fn memory_index(&mut self, _: u32) -> Renumbering<u32> {
        Ok(0)
    }

    fn element_index(&mut self, element: u32) -> Renumbering<u32> {
        Ok(self.numbers.elements[&self.instance] + element)
    }

    fn data_index(&mut self, _: u32) -> Renumbering<u32> {
        Err(reencode::Error::UserError(anyhow!("there is data beside the memory").into()))
    }

    fn type_index(&mut self, ty: u32) -> Renumbering<u32> {
        let ty = self.numbers.links.module(self.instance).map(|module| module.types.get(ty as usize));
        let number = ty.and_then(|ty| ty.and_then(|ty| self.numbers.type_numbers.get(ty)).copied().context("a type is missing"));
        number.map_err(|error| reencode::Error::UserError(error.into()))
    }

    fn instruction<'o>(&mut self, operator: Operator<'o>) -> Renumbering<Instruction<'o>> {
        if let Operator::GlobalGet { global_index } = operator
            && let Ok(Origin::Own { instance, number }) = self.numbers.links.origin(self.instance, Kind::Global, global_index)
            && let Some(value) = self.numbers.constants.get(&(instance, number))
        {
            return Ok(Instruction::I32Const(*value));
        }
        reencode::utils::instruction(self, operator)
    }
}
