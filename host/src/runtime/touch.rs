//! Pages that most steps write to, written to by each instance as it begins.
//!
//! Where a pool keeps an instance's memory, it puts back what was written to, and the next instance finds these pages in
//! their place: neither is copied for it when it first writes to them, nor is another core interrupted so that it forgets
//! the one before. But it keeps so many stretches of pages only, and gives back all behind them. So the gaps between
//! them are written to, too, until they are few enough.

use std::ops::Range;

use wasm_encoder::{
    BlockType, CodeSection, ComponentSection, EntityType, Function, FunctionSection, ImportSection, InstanceSection, MemArg, MemoryType,
    Module, ModuleArg, ModuleSection, StartSection, TypeSection, ValType,
};
use wasmparser::{ComponentAlias, ExternalKind, Parser, Payload};

use super::engine::MEMORY_KEPT;

/// Of the system, in bytes.
const PAGE: usize = 4096;
/// wasmtime keeps 32 of a memory, among them those that nobody knew of.
const STRETCHES_MAX: usize = 12;
/// What is kept of a memory less what nobody knew of.
const PAGES_MAX: usize = MEMORY_KEPT / PAGE * 3 / 4;

/// The stretches of pages, as addresses, to write to where a step has changed one memory to the other, and the smallest
/// gaps between them as long as there are many. None where all of that is too much to be kept.
pub(super) fn stretches(before: &[u8], after: &[u8]) -> Vec<Range<u32>> {
    let pages = before.chunks(PAGE).zip(after.chunks(PAGE)).enumerate();
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (page, _) in pages.filter(|(_, (before, after))| before != after) {
        match stretches.last_mut() {
            Some(last) if last.end == page => last.end += 1,
            _ => stretches.push(page..page + 1),
        }
    }
    let Some(mut room) = PAGES_MAX.checked_sub(stretches.iter().map(ExactSizeIterator::len).sum()) else { return Vec::new() };
    let mut gaps: Vec<Range<usize>> = stretches.windows(2).map(|two| two[0].end..two[1].start).collect();
    gaps.sort_by_key(ExactSizeIterator::len);
    gaps.truncate(stretches.len().saturating_sub(STRETCHES_MAX));
    gaps.retain(|gap| {
        let fits = gap.len() <= room;
        room -= if fits { gap.len() } else { 0 };
        fits
    });
    stretches.dedup_by(|next, last| {
        let joins = gaps.contains(&(last.end..next.start));
        if joins {
            last.end = next.end;
        }
        joins
    });
    let address = |page: usize| u32::try_from(page * PAGE).ok();
    stretches.into_iter().filter_map(|it| Some(address(it.start)?..address(it.end)?)).collect()
}

/// The component, whose instances write to these as they begin; none where it has no memory. All of its modules are its
/// own, as in what has begun.
pub(super) fn touching(component: &[u8], stretches: &[Range<u32>]) -> Option<Vec<u8>> {
    let (mut modules, mut depth, mut memory) = (0, 0, None);
    for payload in Parser::new(0).parse_all(component) {
        match payload.ok()? {
            Payload::ModuleSection { .. } => {
                modules += u32::from(depth == 0);
                depth += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= i32::from(depth > 0),
            Payload::ComponentAliasSection(aliases) if depth == 0 => {
                for alias in aliases {
                    if let ComponentAlias::CoreInstanceExport { kind: ExternalKind::Memory, instance_index, name } = alias.ok()? {
                        memory.get_or_insert((instance_index, name.to_owned()));
                    }
                }
            }
            _ => (),
        }
    }
    let (instance, name) = memory?;
    let mut made = component.to_vec();
    ModuleSection(&module(&name, stretches)).append_to_component(&mut made);
    let mut own = InstanceSection::new();
    own.instantiate(modules, [(MEMORY, ModuleArg::Instance(instance))]);
    own.append_to_component(&mut made);
    Some(made)
}

/// What it imports the memory from.
const MEMORY: &str = "memory";

/// Writes what is there already to each page, when it starts.
fn module(memory: &str, stretches: &[Range<u32>]) -> Module {
    let (mut types, mut imports, mut functions, mut code) =
        (TypeSection::new(), ImportSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    let any = MemoryType { minimum: 0, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import(MEMORY, memory, EntityType::Memory(any));
    functions.function(0);
    let mut start = Function::new([(1, ValType::I32)]);
    let mut write = start.instructions();
    let byte = MemArg { offset: 0, align: 0, memory_index: 0 };
    for Range { start, end } in stretches {
        write.i32_const(start.cast_signed()).local_set(0).loop_(BlockType::Empty);
        write.local_get(0).local_get(0).i32_load8_u(byte).i32_store8(byte);
        write.local_get(0).i32_const(PAGE as i32).i32_add().local_tee(0).i32_const(end.cast_signed()).i32_lt_u().br_if(0).end();
    }
    write.end();
    code.function(&start);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&StartSection { function_index: 0 }).section(&code);
    module
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one stretch is one range")]
mod tests {
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Engine, Store};

    use super::*;

    /// Memory of so many pages, where those are written to.
    fn memory(pages: usize, written: &[usize]) -> Vec<u8> {
        let mut memory = vec![0; pages * PAGE];
        written.iter().for_each(|page| memory[page * PAGE + 7] = 1);
        memory
    }

    fn pages(written: &[usize]) -> Vec<Range<usize>> {
        let found = stretches(&memory(1000, &[]), &memory(1000, written));
        found.into_iter().map(|it| it.start as usize / PAGE..it.end as usize / PAGE).collect()
    }

    #[test]
    fn what_lies_together_is_one_stretch() {
        assert!(pages(&[]).is_empty());
        assert_eq!(pages(&[0, 3, 4, 5, 999]), [0..1, 3..6, 999..1000]);
    }

    #[test]
    fn the_smallest_gaps_are_written_to_until_there_are_few() {
        let far: Vec<usize> = (0..STRETCHES_MAX - 1).map(|it| it * 50).collect();
        let near = [900, 902, 905, 909];
        let found = pages(&[&far[..], &near].concat());
        assert_eq!(found.len(), STRETCHES_MAX);
        assert_eq!(found.last(), Some(&(900..910)), "the gaps between those that lie near are its own");
    }

    #[test]
    fn where_it_writes_to_too_many_nothing_is_done() {
        let all: Vec<usize> = (0..=PAGES_MAX).collect();
        assert_eq!(pages(&all[1..]), [1..PAGES_MAX + 1]);
        assert!(pages(&all).is_empty());
        let scattered: Vec<usize> = (0..50).map(|it| it * 20).collect();
        let found = pages(&scattered);
        assert_eq!(
            found.iter().map(ExactSizeIterator::len).sum::<usize>(),
            50 + (PAGES_MAX - 50) / 19 * 19,
            "as many gaps as there is room for"
        );
    }

    #[test]
    fn what_is_touched_holds_what_it_held() {
        let text = r#"(component
          (core module $memory (memory (export "memory") 1) (data (i32.const 4096) "\2a") (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0))))
          (core instance $memory (instantiate $memory))
          (alias core export $memory "memory" (core memory $unused))
          (func (export "at") (param "it" u32) (result u32) (canon lift (core func $memory "at"))))"#;
        let plain = wat::parse_str(text).expect("sound");
        let engine = Engine::default();
        for (stretches, is_within) in [(vec![0..8192, 61440..65536], true), (vec![65536..69632], false), (vec![0..69632], false)] {
            let made = touching(&plain, &stretches).expect("it has a memory");
            let component = Component::new(&engine, made).expect("it compiles");
            let mut store = Store::new(&engine, ());
            let instance = Linker::new(&engine).instantiate(&mut store, &component);
            // What lies beyond the memory traps: so it does run when an instance begins.
            assert_eq!(instance.is_ok(), is_within);
            let Ok(instance) = instance else { continue };
            let at = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "at").expect("exported");
            assert_eq!(at.call(&mut store, (4096,)).expect("it returns").0, 42);
        }
    }

    #[test]
    fn what_has_no_memory_is_left() {
        for bytes in [wat::parse_str("(component)").expect("sound"), Vec::new(), b"\0asm\x0d\0\x01\0\x02\xff".to_vec()] {
            assert_eq!(touching(&bytes, &[0..4096]), None);
        }
    }
}
