//! Files that are given for components.

use std::time::Duration;

use wf_engine::manifest::Manifest;
use wf_host::model::Limits;
use wf_host::runtime::{Compiler, Component, LoadError, Options, Runtime};
use wf_tests::fuzz::{corpus, fuzz};
use wf_tests::wasm::Module;

/// What a file costs is bounded: in time by the watch of `fuzz`, in memory by this, in bytes.
const MEMORY_MAX: u64 = 2 << 30;

fn memory_of_this_process() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("what it has had");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

fn sound(error: &LoadError) {
    assert!(!error.to_string().is_empty() && !error.hint().is_empty());
    assert!(!error.hint().contains("defect"), "{error}");
}

async fn look(wasm: &Runtime, bytes: &[u8]) -> Result<(), LoadError> {
    let component = wasm.load(bytes.to_vec()).await?;
    let Component { view, bytes, .. } = &*component;
    assert_eq!(view.size, bytes.len());
    let manifest = wasm.describe(&component).await?;
    let _unread = serde_json::from_str::<Manifest>(&manifest);
    Ok(())
}

#[test]
fn fuzz_component() {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let limits = Limits {
        memory_max: 16 << 20,
        memory_total_max: Some(64 << 20),
        describe_max: Duration::from_millis(100),
        instances_max: 4,
        ..Limits::default()
    };
    let wasm = tokio
        .block_on(async { Runtime::new(Options { cache_dir: None, compiler: Compiler::Here, threads: None, limits }).expect("a runtime") });
    let mut seeds = corpus("component");
    let modules = [Module::sound("sound"), Module::quiet(r#"{"name":"quiet","steps":[]}"#)].map(|module| module.binary());
    for module in modules {
        let component = tokio.block_on(wasm.load(module.clone())).map_err(|error| error.to_string()).expect("it loads");
        seeds.extend([module, component.bytes.to_vec()]);
    }
    fuzz("component", &seeds, |bytes| {
        if let Err(error) = tokio.block_on(look(&wasm, bytes)) {
            sound(&error);
        }
    });
    let memory = memory_of_this_process();
    assert!(memory <= MEMORY_MAX, "{memory} bytes");
}
