//! What workflows may reach outside: from the texts of flags and settings to grants.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use clap::Args;

use super::Problem;
use super::layers::Layers;
use crate::config::{Config, WorkflowConfig};
use crate::model::{Folder, Grants, Pattern, Secret, Source};

/// A variable whose value is shorter is no secret: it would be found in every text.
const SECRET_MIN: usize = 8;

/// Grants for all workflows: for development. Each workflow's own stand in `wf-host.toml`.
#[derive(Args, Clone, Default)]
pub(super) struct Flags {
    /// Requests that workflows may make, as in `https://api.example.com`, `GET,POST http://127.0.0.1:8081` or `https://*.example.com`. Addresses of this machine and its networks are granted by themselves. May be repeated.
    #[arg(long = "allow-http", value_name = "HOST")]
    allow_http: Option<Vec<String>>,
    /// A variable that workflows have: `NAME` as it is here, or `NAME=VALUE`. May be repeated.
    #[arg(long = "allow-env", value_name = "NAME[=VALUE]")]
    allow_env: Option<Vec<String>>,
    /// A folder that workflows may read as `/NAME`; with `:rw` behind it write, too. May be repeated.
    #[arg(long = "allow-dir", value_name = "NAME=PATH[:rw]")]
    allow_dir: Option<Vec<String>>,
    /// A secret that workflows use without seeing it, in requests to these hosts: from a variable, a file, or each file of a folder, as in `KEY=env:KEY@https://api.example.com`, `KEY=file:key.txt@HOST,HOST` or `dir:/run/secrets@HOST`. May be repeated.
    #[arg(long = "secret", value_name = "NAME=SOURCE@HOSTS")]
    secrets: Option<Vec<String>>,
    /// A file with certificates to trust for requests beside the system's, as PEM.
    #[arg(long, value_name = "FILE")]
    http_roots: Option<PathBuf>,
}

/// The texts of settings, of all workflows or of one.
pub(super) struct Texts<'a> {
    pub http: &'a [String],
    pub env: &'a [String],
    pub dir: &'a [String],
    pub secrets: &'a [String],
    pub roots: Option<&'a Path>,
}

impl Flags {
    /// Brings the layers together.
    pub(super) fn settle(self, layers: &mut Layers) -> Result<Grants, Problem> {
        let file = layers.file.clone();
        let http = layers.pick("allow_http", self.allow_http, file.allow_http, Some(Vec::new())).unwrap_or_default();
        let env = layers.pick("allow_env", self.allow_env, file.allow_env, Some(Vec::new())).unwrap_or_default();
        let dir = layers.pick("allow_dir", self.allow_dir, file.allow_dir, Some(Vec::new())).unwrap_or_default();
        let secrets = layers.pick("secrets", self.secrets, file.secrets, Some(Vec::new())).unwrap_or_default();
        let roots = layers.pick("http_roots", self.http_roots, file.http_roots, None);
        grants("", &Texts { http: &http, env: &env, dir: &dir, secrets: &secrets, roots: roots.as_deref() })
    }

    /// Of a command without a server: these, and those of the file of settings in this folder, with the events that it adds. Nothing
    /// else of it counts.
    pub(super) fn config(self, layers: &mut Layers) -> Result<Config, Problem> {
        let workflows = layers.file.workflows.clone().into_iter().map(|(name, own)| {
            let grants = own.grants(&format!("workflows.{name}."))?;
            Ok((name, WorkflowConfig { grants, additional_events: own.additional_events, ..WorkflowConfig::default() }))
        });
        let workflows = workflows.collect::<Result<_, Problem>>()?;
        Ok(Config { grants: self.settle(layers)?, workflows, ..Config::default() })
    }
}

/// The grants in texts. `at`: what stands before the names of their settings.
pub(super) fn grants(at: &str, texts: &Texts) -> Result<Grants, Problem> {
    let mut grants = Grants::default();
    for text in texts.http {
        let hint = "give scheme, host and port, and before it methods where not all are meant, as in `GET,POST https://api.example.com`";
        grants.http.push(pattern(text).map_err(|why| unfit(&format!("{at}allow_http"), text, &why, hint))?);
    }
    for text in texts.env {
        let (name, value) = text.split_once('=').map_or((text.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
        if name.is_empty() || name.contains('\0') {
            return Err(unfit(&format!("{at}allow_env"), text, "it has no name", "give `NAME`, or `NAME=VALUE`"));
        }
        // One that is not set here is not set there.
        let value = value.or_else(|| std::env::var(name).ok());
        Arc::make_mut(&mut grants.variables).extend(value.map(|value| (name.to_owned(), value)));
    }
    for text in texts.dir {
        let hint = "give `name=path`, with `:rw` behind it where it may be written to";
        grants.folders.push(folder(text).map_err(|why| unfit(&format!("{at}allow_dir"), text, &why, hint))?);
    }
    for text in texts.secrets {
        let hint = "give `NAME=env:VARIABLE@HOSTS`, `NAME=file:PATH@HOSTS`, or `dir:PATH@HOSTS` for each file of a folder, as in `KEY=env:KEY@https://api.example.com`";
        grants.secrets.extend(secrets(text).map_err(|why| unfit(&format!("{at}secrets"), &without_value(text), &why, hint))?);
    }
    grants.roots = match texts.roots {
        None => None,
        Some(path) => Some(std::fs::read(path).map(Into::into).map_err(|error| {
            unfit(&format!("{at}http_roots"), &path.display().to_string(), &error.to_string(), "give a file of certificates, as PEM")
        })?),
    };
    Ok(grants)
}

fn unfit(key: &str, text: &str, why: &str, hint: &str) -> Problem {
    Problem::new(format!("`{key}` cannot be `{text}`: {why}")).hint(hint).usage()
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::from_str(text)
}

fn folder(text: &str) -> Result<Folder, String> {
    let (name, place) = text.split_once('=').ok_or("it has no path")?;
    let (path, writable) = place.strip_suffix(":rw").map_or((place, false), |path| (path, true));
    if name.is_empty() || !plain(name) {
        return Err("a name has letters, digits, `-`, `_` and `.`".to_owned());
    }
    let path = PathBuf::from(path);
    if path.is_dir() { Ok(Folder { name: name.to_owned(), path, writable }) } else { Err("there is no such folder".to_owned()) }
}

/// Not a name that leads elsewhere.
fn plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) && !name.trim_matches('.').is_empty()
}

/// One, or each file of a folder.
fn secrets(text: &str) -> Result<Vec<Secret>, String> {
    let (source, hosts) = text.rsplit_once('@').ok_or("it names no hosts")?;
    let hosts = hosts.split(',').map(pattern).collect::<Result<Vec<_>, _>>()?;
    if let Some(folder) = source.strip_prefix("dir:") {
        let mut secrets = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // What begins with a dot is how a folder of secrets is kept, not one of them.
            if entry.path().is_file() && !name.starts_with('.') && plain(&name) {
                secrets.push(Secret { name, source: Source::File(entry.path()), hosts: hosts.clone() });
            }
        }
        secrets.sort_by(|one, other| one.name.cmp(&other.name));
        return Ok(secrets);
    }
    let (name, source) = source.split_once('=').ok_or("it has no name")?;
    if !plain(name) {
        return Err("a name has letters, digits, `-`, `_` and `.`".to_owned());
    }
    let source = match source.split_once(':') {
        Some(("env", variable)) => {
            let value = std::env::var(variable).map_err(|_| format!("the variable `{variable}` is not set, or no text"))?;
            if value.len() < SECRET_MIN {
                return Err(format!("the value has less than {SECRET_MIN} bytes: it could be found in any text"));
            }
            Source::Variable(variable.to_owned(), value)
        }
        Some(("file", path)) if Path::new(path).is_file() => Source::File(path.into()),
        Some(("file", _)) => return Err("there is no such file".to_owned()),
        _ => return Err("its source is none of `env:`, `file:` and `dir:`; the value itself must not stand here".to_owned()),
    };
    Ok(vec![Secret { name: name.to_owned(), source, hosts }])
}

/// How a secret is shown where it is wrong: without what may be its value.
fn without_value(text: &str) -> String {
    let is_source = |text: &str| ["env:", "file:", "dir:"].iter().any(|it| text.starts_with(it));
    match text.split_once('=') {
        _ if is_source(text) => text.to_owned(),
        Some((_, source)) if is_source(source) => text.to_owned(),
        Some((name, _)) => format!("{name}=…"),
        None => "…".to_owned(),
    }
}

/// The text of a folder or of a secret, as it is meant from within another folder.
pub(super) fn below(folder: &Path, text: &str) -> String {
    let join = |path: &str| folder.join(path).display().to_string();
    for kind in ["=file:", "dir:"] {
        if let Some((name, path)) = text.split_once(kind).filter(|(name, _)| name.is_empty() || kind == "=file:") {
            return format!("{name}{kind}{}", join(path));
        }
    }
    match text.split_once('=') {
        Some((name, path)) if !path.starts_with("env:") => format!("{name}={}", join(path)),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(texts: &Texts) -> String {
        grants("workflows.a.", texts).map_or_else(|problem| problem.to_string(), |grants| format!("{grants:?}"))
    }

    const NONE: Texts = Texts { http: &[], env: &[], dir: &[], secrets: &[], roots: None };

    #[test]
    fn what_is_no_grant_is_said_with_its_setting() {
        let one = |text: &str| [text.to_owned()];
        let told = [
            told(&Texts { http: &one("ftp://a"), ..NONE }),
            told(&Texts { dir: &one("a=/nowhere"), ..NONE }),
            told(&Texts { dir: &one("../a=."), ..NONE }),
            told(&Texts { secrets: &one("A=env:WF_NO_SUCH@https://a"), ..NONE }),
            told(&Texts { secrets: &one("A=env:PATH"), ..NONE }),
            told(&Texts { secrets: &one("A=vault:PATH@https://a"), ..NONE }),
            told(&Texts { secrets: &one("A=in@the=open@https://a"), ..NONE }),
            told(&Texts { secrets: &one("in-the-open@https://a"), ..NONE }),
            told(&Texts { env: &one("=1"), ..NONE }),
        ];
        for (told, why) in told.iter().zip([
            "`workflows.a.allow_http` cannot be `ftp://a`",
            "there is no such folder",
            "a name has letters",
            "`WF_NO_SUCH` is not set",
            "it names no hosts",
            "its source is none of `env:`",
            "cannot be `A=…`: its source",
            "cannot be `…`: it has no name",
            "it has no name",
        ]) {
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn no_value_of_a_secret_is_shown() {
        let told = told(&Texts { secrets: &["A=env:PATH@https://a,http://[::1]:81".to_owned()], ..NONE });
        assert!(told.contains("env:PATH") && !told.contains("/bin"), "{told}");
    }

    #[test]
    fn a_folder_of_secrets_is_each_of_its_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        // As Kubernetes mounts them: links, by way of a link that is put in the place of another one when they change.
        std::fs::create_dir(path("..2026")).expect("made");
        std::os::unix::fs::symlink("..2026", path("..data")).expect("linked");
        for name in ["b", "a", ".hidden"] {
            std::fs::write(path("..2026").join(name), "12345678\n").expect("written");
            std::os::unix::fs::symlink(format!("..data/{name}"), path(name)).expect("linked");
        }
        let found = secrets(&format!("dir:{}@https://a", folder.path().display())).expect("secrets");
        assert_eq!(found.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(found[0].source, Source::File(path("a")), "whatever it leads to when it is read");
    }

    #[test]
    fn paths_are_meant_from_the_folder_of_the_settings() {
        let below = |text| below(Path::new("/etc/wf"), text);
        assert_eq!(below("data=./in:rw"), "data=/etc/wf/./in:rw");
        assert_eq!(below("K=file:k.txt@https://a"), "K=file:/etc/wf/k.txt@https://a");
        assert_eq!(below("dir:secrets@https://a"), "dir:/etc/wf/secrets@https://a");
        assert_eq!((below("K=env:K@https://a"), below("d=/abs")), ("K=env:K@https://a".to_owned(), "d=/abs".to_owned()));
    }
}
