//! `wf-host.toml`, edited while a server is up: what can be applied is, and the rest is named.

use std::path::Path;
use std::time::Duration;

use toml::Value;

use super::Problem;
use super::layers::Noted;

/// The file is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The settings that are applied at once.
const APPLIED: [&str; 8] = ["cors_origins", "allowed_hosts", "public_url", "body_max", "retention", "runs_kept", "size_kept", "free_min"];

/// Those that each entry into a step that begins goes by.
const GRANTS: [&str; 5] = ["allow_http", "allow_env", "allow_dir", "secrets", "http_roots"];

/// What tells one content of the file from another; none: there is no such file.
type Fingerprint = Option<(std::time::SystemTime, u64)>;

/// Follows the file of these settings. `again`: all layers together, as they are now. `apply`: takes over what can be.
pub(super) async fn follow<S>(running: Noted, again: impl Fn() -> Result<(Noted, S), Problem>, apply: impl Fn(S)) {
    let path = running.path.clone();
    let mut seen = running.clone();
    let mut before = fingerprint(&path);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = fingerprint(&path);
        if now == before {
            continue;
        }
        before = now;
        match again() {
            Ok((noted, settings)) => {
                // What the log calls applied is in force.
                apply(settings);
                say(&running, &seen, &noted);
                seen = noted;
            }
            Err(problem) => tracing::warn!("`{}` was changed and is not applied; what it said before goes on: {problem}", path.display()),
        }
    }
}

fn fingerprint(path: &Path) -> Fingerprint {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// What has changed, and what becomes of it.
fn say(running: &Noted, seen: &Noted, now: &Noted) {
    for key in now.changed(seen) {
        let name = key.rsplit_once('.').map_or(key.as_str(), |(_, name)| name);
        if APPLIED.contains(&name) {
            tracing::info!("`{key}` changed: applied");
        } else if GRANTS.contains(&name) {
            let (before, after) = (texts(seen, &key), texts(now, &key));
            let came = named("granted now", after.iter().filter(|it| !before.contains(it)));
            let went = named("not any more", before.iter().filter(|it| !after.contains(it)));
            tracing::info!("`{key}` changed: applied to what steps begin from here on{came}{went}");
        } else if now.values.get(&key) == running.values.get(&key) {
            tracing::info!("`{key}` changed: it is again what this server runs with");
        } else {
            tracing::warn!("`{key}` changed: restart to apply");
        }
    }
}

/// The items of a setting, without the values of variables.
fn texts(noted: &Noted, key: &str) -> Vec<String> {
    let value = noted.values.get(key).cloned().flatten();
    let items = match value {
        Some(Value::Array(items)) => items,
        other => other.into_iter().collect(),
    };
    let text = |item: &Value| item.as_str().map(str::to_owned);
    let short = |text: String| if key.ends_with("allow_env") { text.split('=').next().unwrap_or_default().to_owned() } else { text };
    items.iter().filter_map(text).map(short).collect()
}

fn named<'a>(what: &str, items: impl Iterator<Item = &'a String>) -> String {
    let items: Vec<String> = items.map(|it| format!("`{it}`")).collect();
    if items.is_empty() { String::new() } else { format!("; {what}: {}", items.join(", ")) }
}
