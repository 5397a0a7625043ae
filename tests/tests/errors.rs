//! Errors that no other file has a reason to bring about: what is said, where, and the exit code.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::{Expect, expect};
use wf_tests::command_line::{check_command, filtered};
use wf_tests::wasm::compiled;
use wf_tests::{artifacts, server};

/// Runs a command that was made ready, with nothing on stdin.
fn check(directory: &Path, command: &mut Command, expect: Expect) {
    let Output { status, stdout, stderr } = command.current_dir(directory).stdin(Stdio::null()).output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let code = status.code().expect("it exits");
    expect.assert_eq(&filtered(&format!("exit code {code}\n--- stdout\n{}--- stderr\n{}", text(stdout), text(stderr)), directory));
}

fn wf_host(arguments: &[&str]) -> Command {
    let mut command = server::command();
    command.args(arguments);
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

fn program(path: &Path, script: &str) {
    write(path, format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
}

#[test]
fn a_build_without_its_tools() {
    let folder = folder();
    write(&folder.path().join("Cargo.toml"), "");
    check(
        folder.path(),
        wf_host(&["build"]).env("PATH", ""),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: Rust is not installed
        hint: install Rust from https://rustup.rs, then `rustup target add wasm32-wasip2`
    "#]],
    );
    // A Rust that has only its own machine's target, and no cargo beside it.
    let tools = folder.path().join("tools");
    program(&tools.join("rustc"), &format!("case $2 in sysroot) echo {0};; *) echo {0}/$4;; esac", folder.path().display()));
    check(
        folder.path(),
        wf_host(&["build"]).env("PATH", &tools),
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: Rust has no WebAssembly target here
            hint: `rustup target add wasm32-wasip2`; without rustup, on Debian: `apt-get install rustc-web rust-web-src cargo-web`
        "#]],
    );
    fs::create_dir_all(folder.path().join("wasm32-wasip2")).expect("made");
    check(
        folder.path(),
        wf_host(&["build"]).env("PATH", &tools),
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: cargo cannot be started: No such file or directory (os error 2)
        hint: install Rust from https://rustup.rs, then `rustup target add wasm32-wasip2`
    "#]],
    );
}

#[test]
fn a_build_that_fails_or_makes_nothing() {
    let folder = folder();
    let manifest = "[package]\nname = \"tea\"\nedition = \"2024\"\n[lib]\n";
    write(&folder.path().join("Cargo.toml"), manifest);
    write(&folder.path().join("src/lib.rs"), "fn tea() { milk() }");
    let output = wf_host(&["build"]).current_dir(folder.path()).output().expect("it starts");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("error: the build failed\n"), "{stderr}");
    assert_eq!(stderr.matches("cannot find function `milk`").count(), 1, "each error once: {stderr}");
    assert!(stderr.ends_with("hint: correct what the compiler names above\n"), "{stderr}");
    write(&folder.path().join("src/lib.rs"), "");
    let output = wf_host(&["build"]).current_dir(folder.path()).output().expect("it starts");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1));
    let expected = "error: the build made no `.wasm` file\nhint: the library's `crate-type` must name `cdylib` in Cargo.toml\n";
    assert!(stderr.ends_with(expected), "{stderr}");
}

#[test]
fn a_project_where_none_can_be() {
    let folder = folder();
    write(&folder.path().join("file"), "");
    check_command(
        folder.path(),
        &["new", "file/hello"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `file/hello` could not be made: Not a directory (os error 20)
            hint: name a folder that you can write to
        "#]],
    );
}

#[test]
fn a_run_that_nobody_answers() {
    let folder = folder();
    let guest = artifacts::guest("hitl").display().to_string();
    check(
        folder.path(),
        &mut wf_host(&["run", &guest]),
        expect![[r#"
        exit code 1
        --- stdout
        {"value":{"prompt":"What is your name?"},"qualified_name":"hitl.RequestEvent","type":"RequestEvent","types":["InputRequiredEvent"]}
        --- stderr
        error: the run waits for an answer, and there is no more input
        hint: give answers as lines of JSON on stdin, as `{"type":"ResponseEvent","value":{"response":"response"}}`, or run it on a terminal
    "#]],
    );
}

#[test]
fn an_answer_of_an_unknown_type_is_refused_and_the_end_of_input_noticed() {
    let guest = artifacts::guest("hitl").display().to_string();
    for (answer, said) in [(r#"{"type":"Nope","value":{}}"#, "warning: unknown event type Nope;"), (r#"{"type":"StartEvent"}"#, "")] {
        let mut child = wf_host(&["run", &guest]);
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().expect("it starts");
        writeln!(child.stdin.take().expect("piped"), "{answer}").expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.starts_with(said) && stderr.contains("and there is no more input"), "{answer}: {stderr}");
    }
}

#[test]
fn output_that_cannot_be_written() {
    let guest = artifacts::guest("greeting").display().to_string();
    let full = fs::File::options().write(true).open("/dev/full").expect("a device");
    let output = wf_host(&["inspect", &guest]).stdout(full).output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: stdout: No space left on device (os error 28)\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let guest = artifacts::guest("greeting").display().to_string();
    for arguments in [&["inspect", guest.as_str()][..], &["config"], &["check", guest.as_str()]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = wf_host(arguments).stdout(writer).output().expect("it starts");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(141), ""), "{arguments:?}");
    }
}

#[test]
fn components_of_another_kind() {
    let folder = folder();
    write(&folder.path().join("junk.wasm"), b"\0asm\x0d\0\x01\0junk");
    check_command(
        folder.path(),
        &["check", "junk.wasm"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `junk.wasm`: it is no valid component: failed to parse WebAssembly module: unexpected end-of-file (at offset 0xa)
            hint: build it again
        "#]],
    );
    let bare = r#"(component (instance $steps) (export "wf:workflow/steps@0.1.0" (instance $steps)))"#;
    write(&folder.path().join("bare.wasm"), compiled(bare));
    check_command(
        folder.path(),
        &["check", "bare.wasm"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `bare.wasm`: it does not fit this host: instance export `wf:workflow/steps@0.1.0` does not have export `describe`
            hint: build it against `wf:workflow/steps@0.1.0`
        "#]],
    );
    check_command(
        folder.path(),
        &["check", "a[.wasm"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `a[.wasm` is no glob: Pattern syntax error near position 1: invalid range pattern
            hint: quote what is no wildcard
        "#]],
    );
}
