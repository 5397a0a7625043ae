//! Where in its author's source a guest was, from the debug information that a component may bring along.

use std::ops::Range;

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian};
use wasmparser::{Parser, Payload};
use wasmtime::WasmBacktrace;

/// A component with more debug information tells nothing, in bytes: what a failure costs has a bound.
const DEBUG_MAX: usize = 16 << 20;
/// Functions that a compiler has put into one another are told so deep.
const INLINED_MAX: usize = 8;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// A module of a component: where its code is, and what it tells of that.
struct Module<'a> {
    code: Range<usize>,
    lines: Context<Slice<'a>>,
}

/// A backtrace: a line about it, then one for each function, with the places in the source below it.
pub(super) fn told(trace: &WasmBacktrace, component: &[u8]) -> String {
    let text = trace.to_string();
    let modules = modules(component);
    if modules.is_empty() {
        return text;
    }
    let mut frames = trace.frames().iter();
    let mut told = Vec::new();
    for (at, line) in text.lines().enumerate() {
        told.push(line.to_owned());
        let frame = if at > 0 { frames.next() } else { None };
        told.extend(frame.and_then(wasmtime::FrameInfo::module_offset).into_iter().flat_map(|offset| places(&modules, offset)));
    }
    told.join("\n")
}

/// The places of an instruction, from the innermost function that was put into another to the outermost.
fn places(modules: &[Module], offset: usize) -> Vec<String> {
    let Some(module) = modules.iter().find(|it| it.code.contains(&offset)) else { return Vec::new() };
    // What debug information says of code counts from where that begins.
    let within = (offset - module.code.start) as u64;
    let Ok(mut frames) = module.lines.find_frames(within).skip_all_loads() else { return Vec::new() };
    let mut places = Vec::new();
    while places.len() < INLINED_MAX
        && let Ok(Some(frame)) = frames.next()
    {
        let Some(location) = frame.location else { continue };
        if let (Some(file), Some(line)) = (location.file, location.line) {
            let column = location.column.map(|column| format!(":{column}")).unwrap_or_default();
            places.push(format!("           at {file}:{line}{column}"));
        }
    }
    places
}

/// Those that have debug information. What of it cannot be read is as if it was not there.
fn modules(component: &[u8]) -> Vec<Module<'_>> {
    let (mut modules, mut left) = (Vec::new(), DEBUG_MAX);
    let (mut code, mut sections) = (0..0, Vec::new());
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::Version { .. }) => (code, sections) = (0..0, Vec::new()),
            Ok(Payload::CodeSectionStart { range, .. }) => code = range,
            Ok(Payload::CustomSection(section)) if section.name().starts_with(".debug_") => {
                let Some(rest) = left.checked_sub(section.data().len()) else { return Vec::new() };
                left = rest;
                sections.push((section.name(), section.data()));
            }
            Ok(Payload::End(_)) if !sections.is_empty() => {
                modules.extend(module(std::mem::take(&mut code), &std::mem::take(&mut sections)))
            }
            Ok(_) => (),
            Err(_) => break,
        }
    }
    modules
}

fn module<'a>(code: Range<usize>, sections: &[(&str, &'a [u8])]) -> Option<Module<'a>> {
    let found = |name: &str| sections.iter().find(|it| it.0 == name).map_or(&[][..], |it| it.1);
    let dwarf = Dwarf::load(|id| Ok::<_, addr2line::gimli::Error>(EndianSlice::new(found(id.name()), LittleEndian))).ok()?;
    Some(Module { code, lines: Context::from_dwarf(dwarf).ok()? })
}
