//! What every component in JavaScript begins as, which is made once for each world and each version of the SDK.

use std::fs;

use super::tools::Tools;
use crate::cli::Problem;
use crate::cli::environment::{digest, kept, output, short, unwritable, whole};
use crate::runtime::flat::{self, flat};
use crate::runtime::merge::{self, merge};

/// How the host makes it, but for what it shares with others: another way makes another base.
const OWN: [&[u8]; 2] = [env!("CARGO_PKG_VERSION").as_bytes(), flat::SOURCE];

/// The base, ready to be given a bundle.
pub(super) struct Base {
    /// The same where the same is in it.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Finds it, or makes it.
pub(super) async fn ready(tools: &Tools, world: &str) -> Result<Base, Problem> {
    let name =
        format!("base-{}", short(&digest([tools.version().as_bytes(), world.as_bytes()].into_iter().chain(OWN).chain(merge::SOURCES))));
    let making = format!("making the base of JavaScript components, once: world `{world}`");
    let defect = |said: &str| {
        Problem::new(format!("the base of JavaScript components cannot be made: {said}"))
            .hint("this is a defect of wf-host, or of its tools")
    };
    let bytes = kept(&tools.home, &name, "a base of JavaScript components", &making, async |made| {
        let built = output(tools.program("base.mjs").arg(world).arg(made)).await?;
        if !built.status.success() {
            return Err(defect(&whole(&built)));
        }
        let bytes = fs::read(made).map_err(|error| unwritable(made, &error))?;
        let bytes = flat(&bytes).map_err(|said| defect(&format!("componentize-qjs made a component of another shape: {said}")))?;
        merge(&bytes).map_err(|error| defect(&format!("{error:#}")))
    });
    Ok(Base { bytes: bytes.await?, name })
}
