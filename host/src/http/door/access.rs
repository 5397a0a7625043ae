//! What a path is about, and what it takes to go there.

use crate::http::uri;
use crate::keys::Scope;

/// What a path is about.
#[derive(Debug, PartialEq)]
pub(super) enum Subject {
    /// Nothing single.
    Server,
    /// A workflow by its name.
    Workflow(String),
    /// A handler by its id.
    Handler(String),
    /// A run by its id.
    Run(String),
}

/// A way in.
#[derive(Debug, PartialEq)]
pub(super) struct Way {
    pub subject: Subject,
    /// None: whoever has a key.
    pub scope: Option<Scope>,
    /// What the audit log calls it; none: nothing is done.
    pub action: Option<&'static str>,
}

/// The way of a request; none: no such path, or one that cannot be read. Whatever is not named here
/// is closed to keys that know some workflows alone.
pub(super) fn way(changes: bool, path: &str, query: &str) -> Option<Way> {
    let parts: Option<Vec<String>> = path.strip_prefix('/')?.split('/').map(uri::part).collect();
    let parts = parts?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let reading = |subject| Some(Way { subject, scope: Some(Scope::Read), action: None });
    let doing = |subject, scope, action| Some(Way { subject, scope: Some(scope), action: Some(action) });
    let anyone = |action| Some(Way { subject: Subject::Server, scope: None, action });
    let workflow = |name: &str| Subject::Workflow(name.to_owned());
    let handler = |id: &str| Subject::Handler(id.to_owned());
    match (parts.as_slice(), changes) {
        ([""] | ["ui", _] | ["api", "v1", "session" | "openapi.json"], false) => anyone(None),
        (["api", "v1", "sign-out"], true) => anyone(Some("sign-out")),
        (["workflows" | "handlers"] | ["api", "v1", "workflows" | "runs"], false) => reading(Subject::Server),
        (["workflows", name, "schema" | "events" | "representation"] | ["api", "v1", "workflows", name], false) => reading(workflow(name)),
        (["workflows", name, "run" | "run-nowait"], true) => doing(workflow(name), Scope::Run, "start"),
        (["handlers" | "results" | "events", id] | ["api", "v1", "handlers", id, "context"], false) => reading(handler(id)),
        (["events", id], true) => doing(handler(id), Scope::Run, "send"),
        (["handlers", id, "cancel"], true) if uri::purges(query) => doing(handler(id), Scope::Admin, "purge"),
        (["handlers", id, "cancel"], true) => doing(handler(id), Scope::Run, "cancel"),
        (["api", "v1", "runs", id] | ["api", "v1", "runs", id, "events" | "logs" | "history" | "state" | "representation"], false) => {
            reading(Subject::Run((*id).to_owned()))
        }
        (["api", "v1", "workflows", name, "breakpoints"], false) => reading(workflow(name)),
        (["api", "v1", "workflows", name, "breakpoints"], true) => doing(workflow(name), Scope::Run, "break"),
        (["api", "v1", "runs", id, "go-on"], true) => doing(Subject::Run((*id).to_owned()), Scope::Run, "go-on"),
        (["api", "v1", "runs", id, "fork"], true) => doing(Subject::Run((*id).to_owned()), Scope::Run, "fork"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_known_by_their_paths_as_the_routes_read_them() {
        let subject = |changes, path| way(changes, path, "").map(|way| (way.subject, way.scope));
        let handler = |id: &str| Subject::Handler(id.to_owned());
        assert_eq!(subject(false, "/handlers/user%3A42"), Some((handler("user:42"), Some(Scope::Read))));
        assert_eq!(subject(true, "/handlers/a%2Fb/cancel"), Some((handler("a/b"), Some(Scope::Run))));
        assert_eq!(subject(false, "/"), Some((Subject::Server, None)));
        for path in ["/nope", "/workflows/a/nope", "/handlers/%ff", "", "/handlers/a/b"] {
            assert_eq!(subject(false, path), None, "{path}");
        }
        let purge = |query| way(true, "/handlers/a/cancel", query).expect("a way").action;
        let queries = ["purge=false", "purge=true", "x&purge=TRUE", "purge=1", "purge=%74rue", "%70urge=true", "purge=false&purge=true"];
        assert_eq!(queries.map(purge), ["cancel", "purge", "purge", "cancel", "purge", "purge", "purge"].map(Some));
    }
}
