//! How the core modules of a component are linked to one another.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{
    BinaryReader, CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExport, ComponentExternalKind, ComponentImport,
    ComponentInstance, ComponentOuterAliasKind, ComponentType, ComponentTypeRef, FromReader, Instance, Parser, Payload, SectionLimited,
};

use super::module::{Kind, Module};

/// Of a file: what it is, and in which version.
const HEADER: usize = 8;

/// What a section of a component is; of others, nothing is about core modules.
pub(super) mod section {
    use wasm_encoder::ComponentSectionId as Id;

    pub const CUSTOM: u8 = Id::CoreCustom as u8;
    pub const MODULE: u8 = Id::CoreModule as u8;
    pub const CORE_INSTANCE: u8 = Id::CoreInstance as u8;
    pub const ALIAS: u8 = Id::Alias as u8;
    pub const CANONICAL: u8 = Id::CanonicalFunction as u8;
    pub const COMPONENT: u8 = Id::Component as u8;
    pub const INSTANCE: u8 = Id::Instance as u8;
    pub const TYPE: u8 = Id::Type as u8;
    pub const IMPORT: u8 = Id::Import as u8;
    pub const EXPORT: u8 = Id::Export as u8;
}

/// A section of a component: what it is, and what it holds.
pub(super) type Section<'a> = (u8, &'a [u8]);

/// The sections of a component, those within it as a whole.
pub(super) fn sections(component: &[u8]) -> Result<Vec<Section<'_>>> {
    let mut reader = BinaryReader::new(component.get(HEADER..).context("it is too short")?, HEADER);
    let mut all = Vec::new();
    while !reader.eof() {
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()? as usize;
        all.push((id, reader.read_bytes(size)?));
    }
    Ok(all)
}

/// The entries of a section.
pub(super) fn entries<'a, T: FromReader<'a>>(data: &'a [u8]) -> Result<Vec<T>> {
    let all = SectionLimited::<T>::new(BinaryReader::new(data, 0))?;
    Ok(all.into_iter().collect::<Result<_, _>>()?)
}

/// What is written again as it is must not have numbers of modules, or of what they have.
fn passed_on(id: u8, data: &[u8]) -> Result<()> {
    let is_module = |kind: ComponentExternalKind| kind == ComponentExternalKind::Module;
    match id {
        section::IMPORT => {
            let mut all = entries::<ComponentImport>(data)?.into_iter();
            ensure!(!all.any(|import| matches!(import.ty, ComponentTypeRef::Module(_))), "it imports a module");
        }
        section::EXPORT => ensure!(!entries::<ComponentExport>(data)?.iter().any(|it| is_module(it.kind)), "it exports a module"),
        section::INSTANCE => {
            for instance in entries(data)? {
                let gives = match instance {
                    ComponentInstance::Instantiate { args, .. } => args.iter().any(|it| is_module(it.kind)),
                    ComponentInstance::FromExports(exports) => exports.iter().any(|it| is_module(it.kind)),
                };
                ensure!(!gives, "it gives a module on");
            }
        }
        section::TYPE => {
            let mut all = entries::<ComponentType>(data)?.into_iter();
            ensure!(!all.any(|ty| matches!(ty, ComponentType::Resource { dtor: Some(_), .. })), "it has resources of its own");
        }
        section::COMPONENT => {
            for payload in Parser::new(0).parse_all(data) {
                let Payload::ComponentAliasSection(aliases) = payload? else { continue };
                for alias in aliases {
                    let is_outer = matches!(alias?, ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. });
                    ensure!(!is_outer, "a component within it takes a module of it");
                }
            }
        }
        _ => (),
    }
    Ok(())
}

/// What is taken from modules to lift a function, or to lower one.
pub(super) fn taken(function: &CanonicalFunction) -> Vec<(Kind, u32)> {
    let (lifted, options) = match function {
        CanonicalFunction::Lift { core_func_index, options, .. } => (Some((Kind::Function, *core_func_index)), &**options),
        CanonicalFunction::Lower { options, .. } => (None, &**options),
        _ => return Vec::new(),
    };
    let options = options.iter().filter_map(|option| match option {
        CanonicalOption::Memory(memory) => Some((Kind::Memory, *memory)),
        CanonicalOption::Realloc(function) | CanonicalOption::PostReturn(function) | CanonicalOption::Callback(function) => {
            Some((Kind::Function, *function))
        }
        _ => None,
    });
    lifted.into_iter().chain(options).collect()
}

/// Something that modules give one another, where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// The module of this instance has it, by a number of its own.
    Own { instance: usize, number: u32 },
    /// It leads out of the modules: this core function of the component.
    Outer(u32),
}

/// A core instance.
pub(super) enum Part<'a> {
    /// Of a module, with its arguments, which are instances.
    Module(Box<Module<'a>>, HashMap<&'a str, u32>),
    /// What the component has put together.
    Bundle(HashMap<&'a str, (Kind, u32)>),
}

enum Item<'a> {
    /// What an instance exports.
    Alias(u32, &'a str),
    /// What leads out; whether functions of modules are called meanwhile.
    Outer { calls_back: bool },
}

/// What of a component is about core modules.
#[derive(Default)]
pub(super) struct Links<'a> {
    pub instances: Vec<Part<'a>>,
    items: HashMap<Kind, Vec<Item<'a>>>,
    /// What the component itself takes from modules, to lift and to lower with.
    pub taken: Vec<(Kind, u32)>,
}

impl<'a> Links<'a> {
    pub fn read(sections: &[Section<'a>]) -> Result<Links<'a>> {
        let (mut links, mut modules) = (Links::default(), Vec::new());
        for (id, data) in sections {
            match *id {
                section::MODULE => modules.push(Some(*data)),
                section::CORE_INSTANCE => {
                    for instance in entries(data)? {
                        links.instance(&mut modules, instance)?;
                    }
                }
                section::ALIAS => {
                    for alias in entries(data)? {
                        links.alias(alias)?;
                    }
                }
                section::CANONICAL => entries(data)?.iter().try_for_each(|function| links.canonical(function))?,
                _ => passed_on(*id, data)?,
            }
        }
        Ok(links)
    }

    fn instance(&mut self, modules: &mut [Option<&'a [u8]>], instance: Instance<'a>) -> Result<()> {
        self.instances.push(match instance {
            Instance::Instantiate { module_index, args } => {
                let bytes = modules.get_mut(module_index as usize).and_then(Option::take).context("a module has two instances, or none")?;
                Part::Module(Box::new(Module::read(bytes)?), args.iter().map(|it| (it.name, it.index)).collect())
            }
            Instance::FromExports(exports) => {
                let kinds = exports.iter().map(|it| Ok((it.name, (Kind::of(it.kind)?, it.index))));
                Part::Bundle(kinds.collect::<Result<_>>()?)
            }
        });
        Ok(())
    }

    fn alias(&mut self, alias: ComponentAlias<'a>) -> Result<()> {
        match alias {
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
                self.items.entry(Kind::of(kind)?).or_default().push(Item::Alias(instance_index, name));
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => bail!("it has a module from elsewhere"),
            _ => (),
        }
        Ok(())
    }

    fn canonical(&mut self, function: &CanonicalFunction) -> Result<()> {
        let taken = taken(function);
        let calls_back = taken.iter().any(|(kind, _)| *kind == Kind::Function);
        self.taken.extend(taken);
        match function {
            CanonicalFunction::Lift { .. } => (),
            CanonicalFunction::Lower { .. }
            | CanonicalFunction::ResourceNew { .. }
            | CanonicalFunction::ResourceDrop { .. }
            | CanonicalFunction::ResourceRep { .. } => self.items.entry(Kind::Function).or_default().push(Item::Outer { calls_back }),
            _ => bail!("it is asynchronous"),
        }
        Ok(())
    }

    /// The instances of modules, in their order.
    pub fn modules(&self) -> impl Iterator<Item = (usize, &Module<'a>)> {
        self.instances.iter().enumerate().filter_map(|(number, part)| match part {
            Part::Module(module, _) => Some((number, &**module)),
            Part::Bundle(_) => None,
        })
    }

    pub fn module(&self, instance: usize) -> Result<&Module<'a>> {
        match self.instances.get(instance) {
            Some(Part::Module(module, _)) => Ok(module),
            _ => bail!("there is no such instance"),
        }
    }

    /// Where a core item of the component comes from.
    pub fn item(&self, kind: Kind, number: u32) -> Result<Origin> {
        match self.items.get(&kind).and_then(|all| all.get(number as usize)).context("a number is out of range")? {
            Item::Alias(instance, name) => self.export(*instance, kind, name),
            Item::Outer { .. } => Ok(Origin::Outer(number)),
        }
    }

    /// Where something comes from, which an instance exports.
    pub fn export(&self, instance: u32, kind: Kind, name: &str) -> Result<Origin> {
        let instance = instance as usize;
        match self.instances.get(instance).context("a number is out of range")? {
            Part::Module(module, _) => self.origin(instance, kind, module.export(kind, name)?),
            Part::Bundle(all) => {
                let (_, number) = all.get(name).filter(|(it, _)| *it == kind).with_context(|| format!("nothing is given as `{name}`"))?;
                self.item(kind, *number)
            }
        }
    }

    /// Where something comes from, which the module of an instance has by a number of its own.
    pub fn origin(&self, instance: usize, kind: Kind, number: u32) -> Result<Origin> {
        match self.module(instance)?.imported(kind, number)? {
            Some(import) => self.import(instance, import),
            None => Ok(Origin::Own { instance, number }),
        }
    }

    /// Where an import of an instance's module comes from.
    pub fn import(&self, instance: usize, import: usize) -> Result<Origin> {
        let Some(Part::Module(module, arguments)) = self.instances.get(instance) else { bail!("there is no such instance") };
        let import = module.imports.get(import).context("a number is out of range")?;
        let argument = arguments.get(import.argument).with_context(|| format!("nothing is given as `{}`", import.argument))?;
        self.export(*argument, import.kind, import.name)
    }

    /// The instances whose modules can become one: all but those that take what calls back into the others, which have to
    /// be there before.
    pub fn mergeable(&self) -> Result<HashSet<usize>> {
        let mut all: HashSet<usize> = self.modules().map(|(instance, _)| instance).collect();
        loop {
            let before = all.len();
            for (instance, module) in self.modules() {
                for import in 0..module.imports.len() {
                    let is_later = match self.import(instance, import)? {
                        Origin::Own { instance, .. } => !all.contains(&instance),
                        Origin::Outer(number) => self.calls_back(number),
                    };
                    if is_later {
                        all.remove(&instance);
                    }
                }
            }
            if all.len() == before {
                return Ok(all);
            }
        }
    }

    fn calls_back(&self, function: u32) -> bool {
        let found = self.items.get(&Kind::Function).and_then(|all| all.get(function as usize));
        matches!(found, Some(Item::Outer { calls_back: true }))
    }
}
