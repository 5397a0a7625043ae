//! Files that are no sound workflow: each has one clear error with a hint.

use std::path::Path;

use expect_test::{Expect, expect};
use wf_tests::command_line::check_command;
use wf_tests::wasm::{Module, compiled};
use wf_tests::{Server, artifacts};

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
    check(b"hello", expect![[]]);
    check(b"", expect![[]]);
    check(b"\0asm", expect![[]]);
    check(b"\0asm\x01\0\0\0\xff\xff\xff\xff", expect![[]]);
}

#[test]
fn without_our_exports() {
    check(&compiled("(module)"), expect![[]]);
    check(&compiled("(component)"), expect![[]]);
}

#[test]
fn a_command() {
    check(&compiled(r#"(module (func (export "_start")))"#), expect![[]]);
}

#[test]
fn a_wrong_version_of_the_contract() {
    check(&Module { version: "0.2.0", ..Module::sound("future") }.binary(), expect![[]]);
    check(&compiled(r#"(component (instance $i) (export "wf:workflow/steps@0.2.0" (instance $i)))"#), expect![[]]);
}

#[test]
fn a_foreign_import() {
    let mut module = Module::sound("foreign");
    module.fields.insert_str(0, r#"(import "acme:things/api@1.0.0" "take" (func))"#);
    check(&module.binary(), expect![[]]);
    let component = r#"(component (import "acme:things/api@1.0.0" (instance (export "take" (func)))))"#;
    check(&compiled(component), expect![[]]);
}

#[test]
fn a_describe_that_traps() {
    check(&Module { describe: "unreachable", ..Module::sound("trap") }.binary(), expect![[]]);
}

#[test]
fn a_describe_that_never_returns() {
    check(&Module { describe: "(loop (br 0)) unreachable", ..Module::sound("hang") }.binary(), expect![[]]);
}

#[test]
fn a_describe_that_lies() {
    check(&Module { describe: "(i32.const 65530)", ..Module::sound("beyond") }.binary(), expect![[]]);
    check_manifest("", expect![[]]);
    check_manifest("no JSON", expect![[]]);
    check_manifest("[]", expect![[]]);
    check_manifest(r#"{"name":"x"}"#, expect![[]]);
    check_manifest(r#"{"name":17,"steps":[]}"#, expect![[]]);
    check_manifest(r#"{"name":"x","steps":[{"name":"s","accepts":"StartEvent"}]}"#, expect![[]]);
}

#[test]
fn a_definition_with_findings() {
    check_manifest(r#"{"name":"x","steps":[]}"#, expect![[]]);
    check_manifest(r#"{"name":"","steps":[{"name":"s","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#, expect![[]]);
    check_manifest(r#"{"name":"x","steps":[{"name":"s","accepts":["StartEvent"],"emits":["Nope"]}]}"#, expect![[]]);
    let twice = r#"{"name":"s","accepts":["StartEvent"],"emits":["StopEvent"]}"#;
    check_manifest(&format!(r#"{{"name":"x","steps":[{twice},{twice}]}}"#), expect![[]]);
    let unreached = r#"
        {"name":"x","events":[{"name":"Lost","kind":"plain"}],"steps":[
            {"name":"s","accepts":["StartEvent"],"emits":["StopEvent"]},
            {"name":"t","accepts":["Lost"],"emits":["StopEvent"]}]}"#;
    check_manifest(unreached, expect![[]]);
    let unconsumed = r#"
        {"name":"x","events":[{"name":"Lost","kind":"plain"}],"steps":[
            {"name":"s","accepts":["StartEvent"],"emits":["StopEvent","Lost"]}]}"#;
    check_manifest(unconsumed, expect![[]]);
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
    wf_tests::Serve { paths: vec![directory.display().to_string()], ..wf_tests::Serve::default() }.start().await
}

#[tokio::test]
async fn a_damaged_cache_is_built_anew() {
    let mut server = Server::start(&["greeting"]).await;
    assert!(server.stop().success());
    let mut damaged = 0;
    for folder in [server.data(), server.data().join("compiled")] {
        for file in std::fs::read_dir(folder).expect("a folder").flatten().map(|it| it.path()) {
            if file.is_file() && !file.display().to_string().contains("wf-host.db") {
                std::fs::write(&file, b"not what the compiler wrote").expect("writable");
                damaged += 1;
            }
        }
    }
    assert!(damaged > 0, "there is compiled code in the data directory");
    server.restart().await;
    assert_eq!(server.run("greeting", "{}").await.result(), "Hello, World!");
}
