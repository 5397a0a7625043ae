//! Where compiled code is kept.

use std::path::PathBuf;

/// The user's own folder for it: what a working directory brings along is never run. `WF_HOST_CACHE_DIR`
/// names another; where that is empty, or the user has no home, nothing is kept.
pub(super) fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let Some(folder) = variable("WF_HOST_CACHE_DIR") {
        return Some(folder).filter(|it| !it.as_os_str().is_empty());
    }
    let absolute = |path: &PathBuf| path.is_absolute();
    let cache = variable("XDG_CACHE_HOME").filter(absolute).or_else(|| Some(variable("HOME").filter(absolute)?.join(".cache")));
    cache.map(|folder| folder.join("wf-host"))
}
