//! A host without a server, for commands that look at workflows or run one.

use std::path::Path;
use std::sync::Arc;

use super::{Problem, compile};
use crate::config::Config;
use crate::host::Host;
use crate::model::Limits;
use crate::registry::Source;
use crate::runtime::{self, Runtime};
use crate::sources;
use crate::store::{Memory, Store};

/// What `wf-host build` takes.
const SOURCES: [&str; 10] = ["py", "ts", "mts", "tsx", "js", "mjs", "c", "cc", "cpp", "zig"];

/// Opens a host. Of what it is configured with, the limits are none.
pub(super) async fn host(store: Option<Arc<dyn Store>>, config: Config) -> Result<Host, Problem> {
    let store = store.unwrap_or_else(|| Arc::new(Memory::default()));
    let cache_dir = super::cache::folder();
    let runtime = Runtime::new(runtime::Options { cache_dir, compiler: compile::compiler(), threads: None, limits: Limits::default() });
    let runtime = runtime.map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
    Ok(Host::open(store, runtime, config).await?)
}

/// The one file that an argument names.
pub(super) fn source(argument: &str) -> Result<Source, Problem> {
    let is_source = |it: &str| SOURCES.contains(&it);
    if Path::new(argument).extension().and_then(|it| it.to_str()).is_some_and(is_source) {
        let hint = format!("`wf-host build {argument}` makes one of it, or several");
        return Err(Problem::new(format!("`{argument}` is what a `.wasm` file is built of, and none")).hint(hint).usage());
    }
    let mut found = sources::sources(argument)?;
    match (found.pop(), found.len()) {
        (Some(source), 0) => Ok(source),
        (_, more) => {
            let message = format!("`{argument}` names {} files", more + 1);
            Err(Problem::new(message).hint("name one of them").usage())
        }
    }
}
