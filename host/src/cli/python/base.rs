//! What every Python component begins as, which is made once for each version of the SDK.

use std::fs;

use super::kept::immortal;
use super::tools::Tools;
use crate::cli::Problem;
use crate::cli::environment::{digest, kept, short, unwritable};
use crate::host::Host;
use crate::runtime::Beginning;
use crate::runtime::merge::{self, merge};

/// The program in it.
const PROGRAM: &str = include_str!("base.py");
const MODULE: &str = "base";
/// The step by which it puts its memory in order; the program knows it, too.
pub(super) const SETTLE: &str = "wf-host:settle";

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
    let defect = |said: String| {
        Problem::new(format!("the base of Python components cannot be made: {said}")).hint("this is a defect of wf-host, or of its tools")
    };
    let making = "making the base of Python components, once";
    let bytes = kept(&tools.home, &name, "the base of Python components", making, async |made| {
        let folder = made.parent().unwrap_or(&tools.home);
        let program = folder.join(MODULE).with_extension("py");
        fs::write(&program, PROGRAM).map_err(|error| unwritable(&program, &error))?;
        tools.componentize(MODULE, &[&tools.sdk.join("src"), folder], made).await?.map_err(defect)?;
        let bytes = fs::read(made).map_err(|error| unwritable(made, &error))?;
        let settled = host.begin(&bytes, Beginning { steps: vec![(SETTLE, String::new())], rehearsal: None, mend: immortal }).await;
        let (bytes, _) = settled.map_err(|error| defect(error.to_string()))?;
        merge(&bytes).map_err(|error| defect(format!("{error:#}")))
    });
    Ok(Base { bytes: bytes.await?, name })
}
