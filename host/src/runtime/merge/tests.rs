use wasmparser::Instance;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use super::links::{entries, section, sections};
use super::merge;

/// As a linker leaves an interpreter: who has the memory and a table has also what leads to those that come later; there
/// is a shim for what needs the memory of who calls it, and what fills it comes last.
const LINKED: &str = r#"(component
  (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
  (import "length" (func $length (param "text" string) (result u32)))
  (core module $main
    (type $one (func (param i32) (result i32)))
    (memory (export "memory") 1)
    (table (export "table") 4 funcref)
    (global (export "stack") (mut i32) (i32.const 1024))
    (global (export "first:memory_base") i32 (i32.const 64))
    (global (export "first:table_base") i32 (i32.const 1))
    (global (export "second:table_base") i32 (i32.const 2))
    (global (export "second:twice") (mut i32) (i32.const 2))
    (func (export "twice") (param i32) (result i32) (call_indirect (type $one) (local.get 0) (i32.const 2)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512))
    (data (i32.const 64) "\05\00\00\00hello"))
  (core module $shim
    (type $length (func (param i32 i32) (result i32)))
    (table (export "imports") 1 funcref)
    (func (export "0") (param i32 i32) (result i32) (call_indirect (type $length) (local.get 0) (local.get 1) (i32.const 0))))
  (core module $first
    (type $one (func (param i32) (result i32)))
    (import "env" "memory" (memory 1))
    (import "env" "table" (table 4 funcref))
    (import "env" "stack" (global $stack (mut i32)))
    (import "env" "memory_base" (global $memory i32))
    (import "env" "table_base" (global $table i32))
    (import "env" "twice" (func $twice (param i32) (result i32)))
    (import "GOT.func" "twice" (global $got (mut i32)))
    (import "world" "add" (func $add (param i32 i32) (result i32)))
    (import "world" "length" (func $length (param i32 i32) (result i32)))
    (global $end i32 (i32.add (global.get $memory) (i32.const 4)))
    (elem (global.get $table) func $own)
    (func $unused (global.set $got (i32.const 77)))
    (func $own (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    ;; 5 of the memory, the length of what comes after it, twice by name and by number, one more, and how often it was called.
    (func (export "run") (param $it i32) (result i32)
      (global.set $stack (i32.add (global.get $stack) (i32.const 1)))
      (local.set $it (call $add (local.get $it) (i32.load (global.get $memory))))
      (local.set $it (call $add (local.get $it) (call $length (global.get $end) (i32.load (global.get $memory)))))
      (local.set $it (call $twice (local.get $it)))
      (local.set $it (call_indirect (type $one) (local.get $it) (global.get $got)))
      (local.set $it (call_indirect (type $one) (local.get $it) (global.get $table)))
      (i32.add (local.get $it) (global.get $stack))))
  (core module $second
    (import "env" "table" (table 4 funcref))
    (import "env" "table_base" (global $table i32))
    (elem (global.get $table) func $twice)
    (func $twice (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
  (core module $fixup
    (import "" "0" (func $length (param i32 i32) (result i32)))
    (import "" "imports" (table 1 funcref))
    (elem (i32.const 0) func $length))
  (core instance $shim (instantiate $shim))
  (core instance $main (instantiate $main))
  (alias core export $main "memory" (core memory $memory))
  (alias core export $main "realloc" (core func $realloc))
  (core func $add (canon lower (func $add)))
  (core instance $world (export "add" (func $add)) (export "length" (func $shim "0")))
  (core instance $env
    (export "memory" (memory $memory)) (export "table" (table $main "table")) (export "stack" (global $main "stack"))
    (export "memory_base" (global $main "first:memory_base")) (export "table_base" (global $main "first:table_base"))
    (export "twice" (func $main "twice")))
  (core instance $got (export "twice" (global $main "second:twice")))
  (core instance $first (instantiate $first (with "env" (instance $env)) (with "GOT.func" (instance $got)) (with "world" (instance $world))))
  (core instance $env2 (export "table" (table $main "table")) (export "table_base" (global $main "second:table_base")))
  (core instance $second (instantiate $second (with "env" (instance $env2))))
  (core func $length (canon lower (func $length) (memory $memory) (realloc (core func $realloc))))
  (core instance $arguments (export "0" (func $length)) (export "imports" (table $shim "imports")))
  (core instance $fixup (instantiate $fixup (with "" (instance $arguments))))
  (func (export "run") (param "it" u32) (result u32) (canon lift (core func $first "run")))
)"#;

/// What two calls of one instance answer.
fn answers(component: &[u8]) -> (u32, u32) {
    let engine = Engine::default();
    let component = Component::new(&engine, component).expect("it compiles");
    let mut linker = Linker::new(&engine);
    linker.root().func_wrap("add", |_, (a, b): (u32, u32)| Ok((a + b,))).expect("defined");
    linker.root().func_wrap("length", |_, (text,): (String,)| Ok((u32::try_from(text.len()).expect("short"),))).expect("defined");
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).expect("linked");
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run").expect("exported");
    let mut call = || run.call(&mut store, (1,)).expect("it returns").0;
    (call(), call())
}

/// How many modules there are, and how many instances of them.
fn counts(component: &[u8]) -> (usize, usize) {
    let sections = sections(component).expect("sound");
    let of = |id| sections.iter().filter(move |(it, _)| *it == id).map(|(_, data)| *data);
    let instances = of(section::CORE_INSTANCE).flat_map(|data| entries::<Instance>(data).expect("sound"));
    (of(section::MODULE).count(), instances.filter(|it| matches!(it, Instance::Instantiate { .. })).count())
}

#[test]
fn what_is_merged_does_what_it_did() {
    let linked = wat::parse_str(LINKED).expect("sound");
    let made = merge(&linked).expect("it can be merged");
    // 1 + 5 + 5, twice, twice again, and one more; and the stack, which began with 1024.
    assert_eq!(answers(&linked), (45 + 1025, 45 + 1026));
    assert_eq!(answers(&made), answers(&linked));
    assert_eq!((counts(&linked), counts(&made)), ((5, 5), (3, 3)), "memory, code, and what comes last");
}

#[test]
fn code_is_the_same_whatever_the_memory_holds() {
    let code = |text: &str| {
        let made = merge(&wat::parse_str(text).expect("sound")).expect("it can be merged");
        let all = sections(&made).expect("sound");
        let modules: Vec<Vec<u8>> = all.iter().filter(|(id, _)| *id == section::MODULE).map(|(_, data)| data.to_vec()).collect();
        (modules[0].clone(), modules[1].clone())
    };
    let other = LINKED.replace("hello", "HELLO").replace("(mut i32) (i32.const 1024)", "(mut i32) (i32.const 2048)");
    let ((memory, one), (changed, other)) = (code(LINKED), code(&other));
    assert!(memory != changed && one == other);
}

#[test]
fn what_cannot_be_merged_says_why() {
    for (from, to, why) in [
        (r#"(elem (i32.const 0) func $length))"#, r#"(elem (i32.const 0) func $length) (func $f) (start $f))"#, "a module has a start"),
        (r#"(elem (global.get $table) func $twice)"#, r#"(memory 1) (elem (global.get $table) func $twice)"#, "more than one memory"),
        (
            "(core instance $shim (instantiate $shim))",
            "(core instance $shim (instantiate $shim)) (core instance (instantiate $shim))",
            "a module has two instances",
        ),
    ] {
        let text = LINKED.replacen(from, to, 1);
        assert_ne!(text, LINKED);
        let error = merge(&wat::parse_str(text).expect("sound")).expect_err("it cannot be merged");
        assert!(format!("{error:#}").contains(why), "{error:#}");
    }
    for bytes in [&b""[..], b"\0asm", b"\0asm\x0d\0\x01\0", b"\0asm\x0d\0\x01\0\x02\xff"] {
        merge(bytes).expect_err("it is no component with modules");
    }
}

#[test]
fn what_has_numbers_of_modules_elsewhere_is_refused() {
    let memory = "(core module $m (memory (export \"memory\") 1)) (core instance $m (instantiate $m))";
    for (more, why) in [
        (r#"(core module $x) (export "x" (core module $x))"#, "exports a module"),
        (r#"(import "x" (core module $x))"#, "imports a module"),
        (r#"(core module $x) (component (alias outer 1 $x (core module)))"#, "a component within it takes a module"),
        (
            r#"(core module $d (func (export "end") (param i32))) (core instance $d (instantiate $d))
               (type $r (resource (rep i32) (dtor (core func $d "end"))))"#,
            "resources of its own",
        ),
        (r#"(core module $t (type $f (func)) (table 1 (ref null $f)))  (core instance (instantiate $t))"#, "a type by its number"),
    ] {
        let component = wat::parse_str(format!("(component {memory} {more})")).expect(more);
        let error = merge(&component).expect_err(more);
        assert!(format!("{error:#}").contains(why), "{more}: {error:#}");
    }
    merge(&wat::parse_str(format!("(component {memory})")).expect("sound")).expect("alone it can be");
}
