//! Files that are no sound workflow: each has one clear error with a hint.

use std::path::Path;

use expect_test::{Expect, expect};
use wf_tests::command_line::check_command;
use wf_tests::wasm::{Module, compiled};
use wf_tests::{Serve, Server, artifacts};

fn check(bytes: &[u8], expect: Expect) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("bad.wasm"), bytes).expect("writable");
    check_command(directory.path(), &["serve", "--host", "127.0.0.1", "--port", "0", "--strict", "bad.wasm"], &expect);
}

fn check_manifest(manifest: &str, expect: Expect) {
    check(&Module::describing(manifest).binary(), expect);
}

#[test]
fn no_wasm() {
    check(
        b"hello",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it is not WebAssembly
        hint: give the `.wasm` file that your build wrote
    "#]],
    );
    check(
        b"",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it is not WebAssembly
        hint: give the `.wasm` file that your build wrote
    "#]],
    );
    check(
        b"\0asm",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it is damaged WebAssembly: unexpected end-of-file (at offset 0x4)
        hint: build it again
    "#]],
    );
    check(
        b"\0asm\x01\0\0\0\xff\xff\xff\xff",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it is damaged WebAssembly: malformed section id (at offset 0x8)
        hint: build it again
    "#]],
    );
}

#[test]
fn without_our_exports() {
    check(
        &compiled("(module)"),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it is a core module that does not export `wf:workflow/steps@0.1.0`
        hint: build a workflow with one of the SDKs
    "#]],
    );
    check(
        &compiled("(component)"),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it does not export `wf:workflow/steps@0.1.0`
        hint: export a workflow, as the SDKs do
    "#]],
    );
}

#[test]
fn a_command() {
    check(
        &compiled(r#"(module (func (export "_start")))"#),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it is a command, with a `_start` of its own
        hint: build a library: `crate-type = ["cdylib"]` in Rust, `-mexec-model=reactor` in C, `-buildmode=c-shared` in Go
    "#]],
    );
}

#[test]
fn a_wrong_version_of_the_contract() {
    check(
        &Module { version: "0.2.0", ..Module::sound("future") }.binary(),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it is a core module that does not export `wf:workflow/steps@0.1.0`
        hint: build a workflow with one of the SDKs
    "#]],
    );
    check(
        &compiled(r#"(component (instance $i) (export "wf:workflow/steps@0.2.0" (instance $i)))"#),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it exports `wf:workflow/steps@0.2.0`, which is of another version of the contract than `wf:workflow/steps@0.1.0`
        hint: build it against `wf:workflow@0.1.0`
    "#]],
    );
}

#[test]
fn a_foreign_import() {
    let mut module = Module::sound("foreign");
    module.fields.insert_str(0, r#"(import "acme:things/api@1.0.0" "take" (func))"#);
    check(
        &module.binary(),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: no component can be made of it: failed to decode world from module: module was not valid: failed to resolve import `acme:things/api@1.0.0::take`: module requires an import interface named `acme:things/api@1.0.0`
        hint: build it against `wf:workflow@0.1.0`, without other imports than `wasi`
    "#]],
    );
    let component = r#"(component (import "acme:things/api@1.0.0" (instance (export "take" (func)))))"#;
    check(
        &compiled(component),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it imports `acme:things/api@1.0.0`, which is neither ours nor WASI's
        hint: remove what needs that import; a workflow has `wf:workflow` and `wasi` to call
    "#]],
    );
}

#[test]
fn a_describe_that_traps() {
    check(
        &Module { describe: "unreachable", ..Module::sound("trap") }.binary(),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: its `describe` failed: wasm trap: wasm `unreachable` instruction executed
        hint: `describe` must return the manifest and do nothing else; the SDKs write it for you
    "#]],
    );
}

#[test]
fn a_describe_that_never_returns() {
    check(
        &Module { describe: "(loop (br 0)) unreachable", ..Module::sound("hang") }.binary(),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: its `describe` did not end within 10s
        hint: `describe` must return the manifest and do nothing else; the SDKs write it for you
    "#]],
    );
}

#[test]
fn a_describe_that_sleeps() {
    check(
        &std::fs::read(artifacts::guest("describe-sleep")).expect("readable"),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: its `describe` sleeps
        hint: `describe` must return the manifest and do nothing else; the SDKs write it for you
    "#]],
    );
}

#[test]
fn more_than_one_component_may_have() {
    let module = |further: String| Module { further, ..Module::sound("large") }.binary();
    check(
        &module("(memory 1)".repeat(4)),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it wants more than one component may have: module memory does not fit in pooling allocator requirements: defined memories count of 5 exceeds the per-instance limit of 4
        hint: one component has at most 4 memories, 32 tables of 100000 elements and 64 core instances, and begins with no more memory than `memory_max`
    "#]],
    );
    check(
        &module("(memory 5000)".to_owned()),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it wants more than one component may have: module memory does not fit in pooling allocator requirements: memory index 1 is unsupported in this pooling allocator configuration: memory has a minimum byte size of 327680000 which exceeds the limit of 0x10000000 bytes
        hint: one component has at most 4 memories, 32 tables of 100000 elements and 64 core instances, and begins with no more memory than `memory_max`
    "#]],
    );
    check(
        &module("(table 1 funcref)".repeat(40)),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it wants more than one component may have: module table does not fit in pooling allocator requirements: defined tables count of 40 exceeds the per-instance limit of 32
        hint: one component has at most 4 memories, 32 tables of 100000 elements and 64 core instances, and begins with no more memory than `memory_max`
    "#]],
    );
    check(
        &module("(table 200000 funcref)".to_owned()),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: it wants more than one component may have: module table does not fit in pooling allocator requirements: table index 0 has a minimum element size of 200000 which exceeds the limit of 100000
        hint: one component has at most 4 memories, 32 tables of 100000 elements and 64 core instances, and begins with no more memory than `memory_max`
    "#]],
    );
}

#[test]
fn a_describe_that_lies() {
    check(
        &Module { describe: "(i32.const 65530)", ..Module::sound("beyond") }.binary(),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: its `describe` failed: return pointer not aligned
        hint: `describe` must return the manifest and do nothing else; the SDKs write it for you
    "#]],
    );
    check_manifest(
        "",
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `bad.wasm`: its `describe` returned no valid manifest: it is no JSON: EOF while parsing a value at line 1 column 0
            hint: see wit/manifest.schema.json
        "#]],
    );
    check_manifest(
        "no JSON",
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `bad.wasm`: its `describe` returned no valid manifest: it is no JSON: expected ident at line 1 column 2
            hint: see wit/manifest.schema.json
        "#]],
    );
    check_manifest(
        "[]",
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `bad.wasm`: its `describe` returned no valid manifest: it is no JSON object
            hint: see wit/manifest.schema.json
        "#]],
    );
    check_manifest(
        r#"{"name":"x"}"#,
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: its `describe` returned no valid manifest: missing field `steps` at line 1 column 12
        hint: see wit/manifest.schema.json
    "#]],
    );
    check_manifest(
        r#"{"name":17,"steps":[]}"#,
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: its `describe` returned no valid manifest: invalid type: integer `17`, expected a string at line 1 column 10
        hint: see wit/manifest.schema.json
    "#]],
    );
    check_manifest(
        r#"{"name":"x","steps":[{"name":"s","accepts":"StartEvent"}]}"#,
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: its `describe` returned no valid manifest: invalid type: string "StartEvent", expected a sequence at line 1 column 55
        hint: see wit/manifest.schema.json
    "#]],
    );
}

#[test]
fn a_definition_with_findings() {
    check_manifest(
        r#"{"name":"x","steps":[]}"#,
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: no step accepts a start event: let one accept `StartEvent` or a type of kind `start`; no step returns a stop event: let one return `StopEvent` or a type of kind `stop`
        hint: fix the workflow's steps and events and build it again
    "#]],
    );
    check_manifest(
        r#"{"name":"","steps":[{"name":"s","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#,
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: the workflow's name `` is none: use letters, digits, `.`, `_` and `-`
        hint: fix the workflow's steps and events and build it again
    "#]],
    );
    check_manifest(
        r#"{"name":"x","steps":[{"name":"s","accepts":["StartEvent"],"emits":["Nope"]}]}"#,
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: step `s` names event `Nope`, which is declared nowhere: add it to the workflow's events
        hint: fix the workflow's steps and events and build it again
    "#]],
    );
    let twice = r#"{"name":"s","accepts":["StartEvent"],"emits":["StopEvent"]}"#;
    check_manifest(
        &format!(r#"{{"name":"x","steps":[{twice},{twice}]}}"#),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: step `s` is there twice: rename one of them
        hint: fix the workflow's steps and events and build it again
    "#]],
    );
    let unreached = r#"
        {"name":"x","events":[{"name":"Lost","kind":"plain"}],"steps":[
            {"name":"s","accepts":["StartEvent"],"emits":["StopEvent"]},
            {"name":"t","accepts":["Lost"],"emits":["StopEvent"]}]}"#;
    check_manifest(
        unreached,
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: step `t` accepts event `Lost`, which nothing produces: let a step return it, or name it in the `sends` of the step that sends it; no event reaches step `t` from the start: let a step that is reached return what it accepts
        hint: fix the workflow's steps and events and build it again
    "#]],
    );
    let unconsumed = r#"
        {"name":"x","events":[{"name":"Lost","kind":"plain"}],"steps":[
            {"name":"s","accepts":["StartEvent"],"emits":["StopEvent","Lost"]}]}"#;
    check_manifest(
        unconsumed,
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `bad.wasm`: step `s` returns event `Lost`, which no step accepts: let one accept it, or publish it
        hint: fix the workflow's steps and events and build it again
    "#]],
    );
}

#[tokio::test]
async fn one_bad_file_does_not_stop_the_others() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("a-bad.wasm"), b"hello").expect("writable");
    std::fs::copy(artifacts::guest("greeting"), directory.path().join("greeting.wasm")).expect("readable");
    let server = serve(directory.path()).await;
    assert_eq!(server.get("/workflows").await.body, r#"{"workflows":["greeting"]}"#);
    assert!(server.log().contains("warning: ") && server.log().contains("a-bad.wasm"), "{}", server.log());
    assert!(server.log().contains("hint: "), "{}", server.log());
}

async fn serve(directory: &Path) -> Server {
    Serve { paths: vec![directory.display().to_string()], ..Serve::default() }.start().await
}

#[tokio::test]
async fn a_damaged_cache_is_built_anew() {
    let mut server = Serve::guests(&["greeting"]).anew().start().await;
    assert!(server.stop().success());
    let mut damaged = 0;
    for file in std::fs::read_dir(server.compiled()).expect("a folder").flatten().map(|it| it.path()) {
        std::fs::write(&file, b"not what the compiler wrote").expect("writable");
        damaged += 1;
    }
    assert!(damaged > 0, "there is compiled code");
    server.restart().await;
    assert_eq!(server.run("greeting", "{}").await.result(), "Hello, World!");
}
