//! What every Python component begins as, which is made once for each version of the SDK.

use std::fs;
use std::time::Instant;

use super::kept;
use super::tools::Tools;
use crate::cli::Problem;
use crate::cli::environment::{Lock, digest, progress, short, unwritable};
use crate::cli::progress::size;
use crate::host::Host;
use crate::runtime::merge::{self, merge};

/// The program in it.
const PROGRAM: &str = include_str!("base.py");
const MODULE: &str = "base";
/// The step by which it puts its memory in order; the program knows it, too.
const SETTLE: &str = "wf-host:settle";

/// How the host makes it, but for what it shares with others: another way makes another base.
const OWN: [&[u8]; 2] = [env!("CARGO_PKG_VERSION").as_bytes(), include_bytes!("kept.rs")];

/// The base, ready to be given files.
pub(super) struct Base {
    /// The same where the same is in it.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Finds it, or makes it.
pub(super) async fn ready(host: &Host, tools: &Tools) -> Result<Base, Problem> {
    let sdk = tools.sdk.file_name().unwrap_or_default();
    let name =
        format!("base-{}", short(&digest([sdk.as_encoded_bytes(), PROGRAM.as_bytes()].into_iter().chain(OWN).chain(merge::SOURCES))));
    let path = tools.home.join(&name).with_extension("wasm");
    if let Ok(bytes) = fs::read(&path) {
        return Ok(Base { name, bytes });
    }
    let _lock = Lock::take(&tools.home, "the base of Python components").await?;
    if let Ok(bytes) = fs::read(&path) {
        return Ok(Base { name, bytes });
    }
    progress("making the base of Python components, once");
    let begun = Instant::now();
    let folder = tempfile::tempdir_in(&tools.home).map_err(|error| unwritable(&tools.home, &error))?;
    let program = folder.path().join(MODULE).with_extension("py");
    fs::write(&program, PROGRAM).map_err(|error| unwritable(&program, &error))?;
    let made = folder.path().join("base.wasm");
    let defect = |said: String| {
        Problem::new(format!("the base of Python components cannot be made: {said}")).hint("this is a defect of wf-host, or of its tools")
    };
    tools.componentize(MODULE, &[&tools.sdk.join("src"), folder.path()], &made).await?.map_err(defect)?;
    let bytes = fs::read(&made).map_err(|error| unwritable(&made, &error))?;
    let settled = host.begin(&bytes, SETTLE, String::new(), kept::immortal).await;
    let (bytes, _) = settled.map_err(|error| defect(error.to_string()))?;
    let bytes = merge(&bytes).map_err(|error| defect(format!("{error:#}")))?;
    fs::write(&made, &bytes).and_then(|()| fs::rename(&made, &path)).map_err(|error| unwritable(&path, &error))?;
    progress(&format!("made it in {:.1?}, {}", begun.elapsed(), size(bytes.len() as u64)));
    Ok(Base { name, bytes })
}
