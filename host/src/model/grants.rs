//! What a workflow may reach outside.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use wf_engine::entry::Variables;

use super::pattern::Pattern;

/// What a workflow may reach outside: by default nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grants {
    /// Requests that it may make.
    pub http: Vec<Pattern>,
    /// Variables that it has, by name.
    pub variables: Variables,
    /// Folders that it may open.
    pub folders: Vec<Folder>,
    /// Secrets that it may use without seeing them.
    pub secrets: Vec<Secret>,
    /// Certificates to trust beside the system's, as PEM.
    pub roots: Option<Arc<[u8]>>,
}

/// What a workflow is granted now: all that is loaded of it shares one, so that what changes counts for runs that are
/// under way, too.
#[derive(Debug, Default)]
pub struct Granted(RwLock<Arc<Grants>>);

impl Granted {
    /// As it is from here on.
    pub fn new(grants: Grants) -> Granted {
        Granted(RwLock::new(Arc::new(grants)))
    }

    /// As it is now.
    pub fn now(&self) -> Arc<Grants> {
        self.0.read().expect("no panic while locked").clone()
    }

    /// Grants this in the place of what was granted before.
    pub fn replace(&self, grants: Grants) {
        let mut now = self.0.write().expect("no panic while locked");
        // One that is the same keeps its connections.
        if **now != grants {
            *now = Arc::new(grants);
        }
    }
}

/// A folder that a workflow may open as `/name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// What the workflow calls it.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Whether it may be written to.
    pub writable: bool,
}

/// A value that the host puts into requests, in the place of what the workflow has for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    /// What the workflow calls it.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// The requests that it may be put into.
    pub hosts: Vec<Pattern>,
}

/// Where a secret's value comes from.
#[derive(Clone, PartialEq)]
pub enum Source {
    /// It was in a variable of this name when the host started.
    Variable(String, String),
    /// A file, that is read anew for each request; a line break at its end is none of it.
    File(PathBuf),
}

/// Without the value.
impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Variable(name, _) => write!(formatter, "env:{name}"),
            Source::File(path) => write!(formatter, "file:{}", path.display()),
        }
    }
}

/// What a component can ask for, by what it imports, and what is granted of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// `http`, `files`, `variables` or `sockets`.
    pub what: &'static str,
    /// Whether it asks for it. What runs a language asks for files, variables and sockets, whatever a workflow does, and
    /// what runs Python for requests.
    pub requested: bool,
    /// In the words of the settings. Sockets are never granted.
    pub granted: Vec<String>,
}

/// Where requests come from.
const HTTP: [&str; 2] = ["wf:workflow/http@", "wasi:http/"];

impl Grants {
    /// Both together.
    #[must_use]
    pub fn and(&self, other: &Grants) -> Grants {
        let mut both = self.clone();
        both.http.extend(other.http.iter().cloned());
        Arc::make_mut(&mut both.variables).extend(other.variables.iter().map(|(name, value)| (name.clone(), value.clone())));
        both.folders.retain(|mine| other.folders.iter().all(|its| its.name != mine.name));
        both.folders.extend(other.folders.iter().cloned());
        both.secrets.retain(|mine| other.secrets.iter().all(|its| its.name != mine.name));
        both.secrets.extend(other.secrets.iter().cloned());
        both.roots = other.roots.clone().or(both.roots);
        both
    }

    /// Whether one of the imports is for requests.
    pub(super) fn are_for_requests(imports: &[String]) -> bool {
        imports.iter().any(|import| HTTP.iter().any(|it| import.starts_with(it)))
    }

    /// Beside what the imports ask for.
    pub fn asked<'a>(&self, imports: impl Iterator<Item = &'a String> + Clone) -> Vec<Asked> {
        let asks = |beginnings: &[&str]| imports.clone().any(|import| beginnings.iter().any(|it| import.starts_with(it)));
        let folder = |it: &Folder| format!("/{} {}", it.name, if it.writable { "read-write" } else { "read-only" });
        let secret = |it: &Secret| {
            let hosts: Vec<String> = it.hosts.iter().map(ToString::to_string).collect();
            format!("{} (secret, for {})", it.name, hosts.join(", "))
        };
        let variables = self.variables.keys().cloned().chain(self.secrets.iter().map(secret));
        vec![
            Asked { what: "http", requested: asks(&HTTP), granted: self.http.iter().map(ToString::to_string).collect() },
            Asked { what: "files", requested: asks(&["wasi:filesystem/preopens@"]), granted: self.folders.iter().map(folder).collect() },
            Asked { what: "variables", requested: asks(&["wasi:cli/environment@"]), granted: variables.collect() },
            Asked {
                what: "sockets",
                requested: asks(&["wasi:sockets/tcp", "wasi:sockets/udp", "wasi:sockets/ip-name"]),
                granted: Vec::new(),
            },
        ]
    }
}
