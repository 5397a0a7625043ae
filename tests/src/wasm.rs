//! Modules that no toolchain would make, written out.

/// A core module with our exports. The host makes a component of it, as it does for Go.
pub struct Module {
    /// The version in the names of its exports.
    pub version: &'static str,
    /// Imports and data.
    pub fields: String,
    /// What `describe` does; the offset of a pointer and a length is left on the stack.
    pub describe: &'static str,
    /// What `invoke` does with the step's name (offset and length) and its events (offset and number); the offset of
    /// what it returns is left on the stack.
    pub invoke: &'static str,
    /// What follows the memory: further ones, and the like.
    pub further: String,
}

/// A stop event with the payload of the first event. Its name is at 28704.
const ECHO: &str = "
    (i32.store (i32.const 28672) (i32.const 0)) (i32.store (i32.const 28676) (i32.const 28688)) (i32.store (i32.const 28680) (i32.const 1))
    (i32.store (i32.const 28688) (i32.const 28704)) (i32.store (i32.const 28692) (i32.const 9))
    (i32.store (i32.const 28696) (i32.load offset=8 (local.get 2))) (i32.store (i32.const 28700) (i32.load offset=12 (local.get 2)))
    (i32.const 28672)";

/// The event whose name stands where that of a step's number does, with the payload of the first event; where none
/// stands there it traps. Names are 16 bytes apart from 28736 on, the length last.
const HAND_ON: &str = r#"
    (local $number i32) (local $at i32) (local $name i32)
    (local.set $at (i32.const 4))
    (loop $digits
        (local.set $number (i32.add (i32.mul (local.get $number) (i32.const 10))
            (i32.sub (i32.load8_u (i32.add (local.get 0) (local.get $at))) (i32.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $digits (i32.lt_u (local.get $at) (local.get 1))))
    (local.set $name (i32.add (i32.const 28736) (i32.mul (local.get $number) (i32.const 16))))
    (if (i32.eqz (i32.load offset=12 (local.get $name))) (then unreachable))
    (i32.store (i32.const 28672) (i32.const 0)) (i32.store (i32.const 28676) (i32.const 28688)) (i32.store (i32.const 28680) (i32.const 1))
    (i32.store (i32.const 28688) (local.get $name)) (i32.store (i32.const 28692) (i32.load offset=12 (local.get $name)))
    (i32.store (i32.const 28696) (i32.load offset=8 (local.get 2))) (i32.store (i32.const 28700) (i32.load offset=12 (local.get 2)))
    (i32.const 28672)"#;

/// No event.
const NOTHING: &str = "(i32.store (i32.const 28672) (i32.const 0)) (i32.store (i32.const 28680) (i32.const 0)) (i32.const 28672)";

impl Module {
    /// One whose `describe` returns this text.
    pub fn describing(manifest: &str) -> Module {
        // At 8: where the text is and how long. At 16: the text.
        let head = bytes(&[16_u32.to_le_bytes(), (manifest.len() as u32).to_le_bytes()].concat());
        let fields = format!(r#"(data (i32.const 8) "{head}") (data (i32.const 16) "{}")"#, bytes(manifest.as_bytes()));
        Module { version: "0.1.0", fields, describe: "(i32.const 8)", invoke: "unreachable", further: String::new() }
    }

    /// One whose steps end the run with what they are given. The manifest has at most 28 KB.
    pub fn echoing(manifest: &str) -> Module {
        let module = Module::describing(manifest);
        Module { fields: format!(r#"{} (data (i32.const 28704) "StopEvent")"#, module.fields), invoke: ECHO, ..module }
    }

    /// One whose steps are named `step0` and so on: each returns the event of its number with what it is given, and traps
    /// where that has no name. The manifest has at most 28 KB; names have at most 12 letters, and there are at most 250.
    pub fn handing_on(manifest: &str, events: &[String]) -> Module {
        let module = Module::describing(manifest);
        let name = |it: &String| [&[it.as_bytes(), &[0; 12]].concat()[..12], &(it.len() as u32).to_le_bytes()].concat();
        let names: Vec<u8> = events.iter().flat_map(name).collect();
        let fields = format!(r#"{} (data (i32.const 28736) "{}")"#, module.fields, bytes(&names));
        Module { fields, invoke: HAND_ON, ..module }
    }

    /// One whose steps return nothing. The manifest has at most 28 KB.
    pub fn quiet(manifest: &str) -> Module {
        Module { invoke: NOTHING, ..Module::describing(manifest) }
    }

    /// A sound one: one step from `StartEvent` to `StopEvent`, which traps when it is invoked.
    pub fn sound(name: &str) -> Module {
        let step = r#"{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}"#;
        Module::describing(&format!(r#"{{"name":"{name}","steps":[{step}]}}"#))
    }

    /// One with so many functions beside its steps, which nobody calls. Each takes a compiler a second or so, and some
    /// hundred MB: at every block it has to know where every variable is from.
    pub fn laborious(name: &str, functions: usize) -> Module {
        const VARIABLES: usize = 600;
        const BLOCKS: usize = 2000;
        let mut body = String::new();
        for block in 0..BLOCKS {
            let (one, other) = (block % VARIABLES + 1, (block * 7 + 3) % VARIABLES + 1);
            body += &format!("loop local.get {one} br_if 0 local.get {one} local.get 0 i32.add local.set {other} ");
        }
        body += &"end ".repeat(BLOCKS);
        let function = format!("(func (param i32) {} {body})", "(local i32)".repeat(VARIABLES));
        Module { further: function.repeat(functions), ..Module::sound(name) }
    }

    /// Its binary form.
    pub fn binary(&self) -> Vec<u8> {
        let Module { version, fields, describe, invoke, further } = self;
        compiled(&format!(
            r#"(module
                {fields}
                (memory (export "memory") 8)
                {further}
                (global $next (mut i32) (i32.const 32768))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
                    (global.set $next (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                (func (export "wf:workflow/steps@{version}#describe") (result i32) {describe})
                (func (export "wf:workflow/steps@{version}#invoke") (param i32 i32 i32 i32) (result i32) {invoke}))"#
        ))
    }
}

/// A sound one, which traps when it is invoked, with debug information: all of its code is in line 7 of `/author/flow.c`.
/// `debug_info`: the section of that name.
pub fn traced(name: &str, debug_info: &[u8]) -> Vec<u8> {
    let mut module = Module::sound(name).binary();
    // A unit, without anything below it: name, folder, where its lines stand, where its code begins and how long it is.
    let attributes = [0x03, 0x08, 0x1b, 0x08, 0x10, 0x17, 0x11, 0x01, 0x12, 0x06];
    custom(&mut module, ".debug_abbrev", &[&[1, 0x11, 0][..], &attributes, &[0, 0, 0]].concat());
    custom(&mut module, ".debug_info", debug_info);
    // How its lines are written: the lengths of the standard operations, no folders, one file.
    let head = [&[1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0][..], b"flow.c\0", &[0, 0, 0, 0]].concat();
    // From address 1 on, six lines further than the first, in column 9; and so it is to the end.
    let lines = [0, 5, 2, 1, 0, 0, 0, 3, 6, 5, 9, 1, 2, 0x80, 0x80, 4, 0, 1, 1];
    custom(&mut module, ".debug_line", &sized(&[&4_u16.to_le_bytes()[..], &sized(&head), &lines].concat()));
    module
}

/// What [`traced`] has of it when it is sound.
pub fn debug_info() -> Vec<u8> {
    let words = |it: [u32; 3]| it.map(u32::to_le_bytes).concat();
    sized(&[&[4, 0, 0, 0, 0, 0, 4, 1][..], b"flow.c\0/author\0", &words([0, 1, 1 << 16])].concat())
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

/// A section with a name of its own, at the end.
fn custom(module: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let number = |mut number: usize| {
        let mut all = Vec::new();
        while number >= 0x80 {
            all.push(number as u8 | 0x80);
            number >>= 7;
        }
        all.push(number as u8);
        all
    };
    let inner = [&number(name.len())[..], name.as_bytes(), bytes].concat();
    module.push(0);
    module.extend(number(inner.len()));
    module.extend(inner);
}

/// Any module or component, from its text form.
pub fn compiled(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("\\{it:02x}")).collect()
}
