//! The plain output of every toolchain is a workflow: one module, in each shape that a file can have.

use wf_host::model::Limits;
use wf_host::runtime::{Compiler, LoadError, Options, Runtime};
use wf_tests::wasm::{Module, compiled};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const MANIFEST: &str = r#"{"name":"shaped","steps":[]}"#;

/// Has the section that says what its imports and exports mean, as wit-bindgen leaves it.
fn described(mut module: Vec<u8>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("workflow.wit", include_str!("../../wit/workflow.wit")).expect("sound WIT");
    let world = resolve.select_world(&[package], Some("workflow")).expect("the world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a module");
    module
}

fn plain() -> Vec<u8> {
    Module::describing(MANIFEST).binary()
}

/// Calls WASI preview 1, as wasm32-wasip1 does.
fn preview1() -> Vec<u8> {
    let mut module = Module::describing(MANIFEST);
    module.fields =
        format!(r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32))) {}"#, module.fields);
    module.describe = "(drop (call $random (i32.const 16384) (i32.const 4))) (i32.const 8)";
    module.binary()
}

fn component() -> Vec<u8> {
    ComponentEncoder::default().module(&described(plain())).and_then(|mut it| it.encode()).expect("a component")
}

fn runtime(cache: Option<&std::path::Path>) -> Runtime {
    let options = Options {
        cache_dir: cache.map(Into::into),
        compiler: Compiler::Here,
        threads: None,
        limits: Limits { instances_max: 4, ..Limits::default() },
    };
    Runtime::new(options).expect("a runtime")
}

async fn describe(runtime: &Runtime, bytes: Vec<u8>) -> Result<String, LoadError> {
    let component = runtime.load(bytes).await?;
    runtime.describe(&component).await
}

#[tokio::test]
async fn every_shape_loads() {
    let runtime = runtime(None);
    for (shape, bytes) in [
        ("a component", component()),
        ("a core module with its section", described(plain())),
        ("a preview-1 module", described(preview1())),
        ("a module without the section", plain()),
        ("a preview-1 module without the section", preview1()),
    ] {
        assert_eq!(describe(&runtime, bytes).await.unwrap_or_else(|error| panic!("{shape}: {error}")), MANIFEST, "{shape}");
    }
}

#[tokio::test]
async fn the_digest_is_of_the_component() {
    let runtime = runtime(None);
    let digest = async |bytes| runtime.load(bytes).await.expect("it loads").view.digest.clone();
    assert_eq!(digest(component()).await, digest(component()).await);
    assert_ne!(digest(plain()).await, digest(preview1()).await);
    assert_eq!(digest(component()).await.len(), 64);
}

#[tokio::test]
async fn what_is_imported_is_shown() {
    let component = runtime(None).load(described(preview1())).await.expect("it loads");
    assert!(component.view.imports.iter().any(|it| it.starts_with("wasi:random/")), "{:?}", component.view.imports);
}

#[tokio::test]
async fn compiled_code_is_kept_and_what_is_not_ours_is_ignored() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("compiled");
    assert_eq!(describe(&runtime(Some(&cache)), component()).await.expect("it loads"), MANIFEST);
    let files: Vec<_> = std::fs::read_dir(&cache).expect("a folder").flatten().map(|it| it.path()).collect();
    let [file] = &files[..] else { panic!("one file: {files:?}") };
    assert_eq!(std::fs::metadata(&cache).expect("a folder").permissions().mode() & 0o777, 0o700);
    let good = std::fs::read(file).expect("readable");
    // A file that is made again is another, in the place of the one before.
    let number = || std::fs::metadata(file).expect("a file").ino();
    let before = number();
    assert_eq!(describe(&runtime(Some(&cache)), component()).await.expect("it loads"), MANIFEST);
    assert_eq!(number(), before, "what is there is used");
    let mut flipped = good.clone();
    *flipped.last_mut().expect("bytes") ^= 1;
    // Of another wasmtime: a checksum that is right, and code that is not.
    let foreign = {
        use sha2::Digest;
        let code = b"not code of this engine";
        [&good[..8], &sha2::Sha256::digest(code)[..], code].concat()
    };
    for damaged in [Vec::new(), good[..good.len() / 2].to_vec(), flipped, b"something else".repeat(100), foreign] {
        std::fs::write(file, &damaged).expect("writable");
        assert_eq!(describe(&runtime(Some(&cache)), component()).await.expect("it loads"), MANIFEST);
        assert_eq!(std::fs::read(file).expect("readable").len(), good.len(), "it is made again");
    }
}

#[tokio::test]
async fn more_descriptions_than_instances() {
    let runtime = runtime(None);
    let component = runtime.load(plain()).await.expect("it loads");
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let (runtime, component) = (runtime.clone(), component.clone());
            tokio::spawn(async move { runtime.describe(&component).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("no panic").expect("a turn for each"), MANIFEST);
    }
}

#[tokio::test]
async fn what_is_no_workflow_says_why() {
    let runtime = runtime(None);
    let error = async |bytes| match describe(&runtime, bytes).await {
        Ok(text) => panic!("{text}"),
        Err(error) => format!("{error}\n{}", error.hint()),
    };
    let seen = [
        error(b"hello".to_vec()).await,
        error(compiled("(module)")).await,
        error(compiled("(component)")).await,
        error(plain()[..40].to_vec()).await,
        error(compiled(r#"(component (import "acme:db/query" (instance)))"#)).await,
    ];
    expect_test::expect![[r#"
        it is not WebAssembly
        give the `.wasm` file that your build wrote

        it is a core module that does not export `wf:workflow/steps@0.1.0`
        build a workflow with one of the SDKs

        it does not export `wf:workflow/steps@0.1.0`
        export a workflow, as the SDKs do

        it is damaged WebAssembly: unexpected end-of-file (at offset 0x24)
        build it again

        it imports `acme:db/query`, which is neither ours nor WASI's
        remove what needs that import; a workflow has `wf:workflow` and `wasi` to call"#]]
    .assert_eq(&seen.join("\n\n"));
}
