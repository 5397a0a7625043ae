//! Who may come in: API keys, and the sessions that were opened with them, as hashes in a file
//! beside the store. Commands change it while a host serves; every host on the store looks at it.

mod ring;

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use glob::Pattern;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wf_engine::entry::Micros;

pub use ring::Ring;

/// What a key begins with, so that scanners for secrets and people know it.
const KEY: &str = "wfh_";
/// The same of a session.
const SESSION: &str = "wfs_";
/// So many letters and digits hold 256 bits of chance: there is nothing to guess, so a plain hash suffices.
const SECRET: usize = 43;
/// Most sessions of one key; the oldest ends for a new one.
const SESSIONS_MAX: usize = 100;
/// How long somebody stays signed in.
pub const SESSION_MAX: Micros = 7 * 86_400 * 1_000_000;
/// Longest name, in bytes.
const NAME_MAX: usize = 64;
const VERSION: u32 = 1;

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking.
    Read,
    /// Starting, sending, cancelling.
    Run,
    /// Everything, purging included.
    Admin,
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Scope::Read => "read",
            Scope::Run => "run",
            Scope::Admin => "admin",
        })
    }
}

/// A key, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Whose it is, or what for.
    pub name: String,
    hash: SecretHash,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// Which workflows it knows; empty: all.
    pub workflows: Vec<WorkflowPattern>,
    /// When it was made.
    pub created_at: Micros,
    /// When it stops working by itself.
    pub expires_at: Option<Micros>,
}

impl Key {
    /// Whether it is good for that.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }

    /// Whether it knows a workflow.
    pub fn knows(&self, workflow: &str) -> bool {
        self.workflows.is_empty() || self.workflows.iter().any(|pattern| pattern.0.matches(workflow))
    }

    fn lasts(&self, now: Micros) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

/// Names of workflows: one, or a pattern such as `billing-*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkflowPattern(Pattern);

impl TryFrom<String> for WorkflowPattern {
    type Error = Error;

    fn try_from(text: String) -> Result<WorkflowPattern, Error> {
        let pattern = Pattern::new(&text);
        pattern.map(WorkflowPattern).map_err(|error| Error::Pattern(text, error.msg.to_owned()))
    }
}

impl From<WorkflowPattern> for String {
    fn from(pattern: WorkflowPattern) -> String {
        pattern.to_string()
    }
}

impl fmt::Display for WorkflowPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    /// The name of the key that it was opened with.
    key: String,
    hash: SecretHash,
    expires_at: Micros,
}

/// SHA-256 of a secret. How long it takes to find one tells nothing: nobody chooses a secret by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Of a key or a session, as whoever comes in shows it.
    pub fn of(secret: &str) -> SecretHash {
        SecretHash(Sha256::digest(secret).into())
    }
}

impl Serialize for SecretHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&digits)
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretHash, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let byte = |at: usize| digits.get(at * 2..at * 2 + 2).and_then(|it| u8::from_str_radix(it, 16).ok());
        let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
        let hash = bytes.filter(|_| digits.len() == 64).and_then(|it| it.try_into().ok()).map(SecretHash);
        hash.ok_or_else(|| serde::de::Error::custom("a hash is 64 hexadecimal digits"))
    }
}

/// The keys, and who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    version: u32,
    keys: Vec<Key>,
    sessions: Vec<Session>,
    /// Of the rest of the file; none: an older build has written it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
}

/// What a change of the keys is refused for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that nobody could tell apart, or that does not fit a line.
    #[error("`{0}` cannot be the name of a key")]
    Name(String),
    /// There is one of that name.
    #[error("there is a key `{0}` already")]
    Taken(String),
    /// There is none of that name.
    #[error("there is no key `{0}`")]
    Unknown(String),
    /// A pattern that fits nothing.
    #[error("`{0}` is no pattern of workflow names: {1}")]
    Pattern(String, String),
    /// The file cannot be used.
    #[error("the keys in `{path}` cannot be {done}: {why}")]
    File {
        /// Where it is.
        path: String,
        /// `read` or `written`.
        done: &'static str,
        /// Why not.
        why: String,
    },
}

impl Error {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Error::Name(_) => "a name is 1 to 64 letters, digits, `.`, `_` and `-`",
            Error::Taken(_) => "choose another name, or `wf-host keys revoke` it first",
            Error::Unknown(_) => "`wf-host keys ls` lists those that are there",
            Error::Pattern(..) => "write a name, or a pattern such as `billing-*`",
            Error::File { .. } => "correct the file or its permissions; until then nobody comes in",
        }
    }
}

impl Keys {
    /// The keys, in the order in which they were made.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Makes a key, and gives it: this once, as only its hash is kept.
    pub fn add(&mut self, mut key: NewKey, now: Micros) -> Result<String, Error> {
        let letter = |it: char| it.is_ascii_alphanumeric() || "._-".contains(it);
        if !(1..=NAME_MAX).contains(&key.name.len()) || !key.name.chars().all(letter) {
            return Err(Error::Name(key.name));
        }
        if self.keys.iter().any(|it| it.name == key.name) {
            return Err(Error::Taken(key.name));
        }
        let workflows = key.workflows.into_iter().map(WorkflowPattern::try_from).collect::<Result<_, _>>()?;
        key.scopes.sort_unstable();
        key.scopes.dedup();
        let secret = secret(KEY);
        let NewKey { name, scopes, expires_at, .. } = key;
        self.keys.push(Key { name, hash: SecretHash::of(&secret), scopes, workflows, created_at: now, expires_at });
        Ok(secret)
    }

    /// Takes a key away, and all sessions that were opened with it.
    pub fn revoke(&mut self, name: &str) -> Result<(), Error> {
        let before = self.keys.len();
        self.keys.retain(|key| key.name != name);
        self.sessions.retain(|session| session.key != name);
        if self.keys.len() < before { Ok(()) } else { Err(Error::Unknown(name.to_owned())) }
    }

    /// Signs somebody in with a key that is still there, and gives what they show from now on.
    pub fn open_session(&mut self, key: &str, now: Micros) -> Result<String, Error> {
        if !self.keys.iter().any(|it| it.name == key) {
            return Err(Error::Unknown(key.to_owned()));
        }
        self.sessions.retain(|session| now < session.expires_at);
        let own: Vec<usize> = (0..self.sessions.len()).filter(|at| self.sessions[*at].key == key).collect();
        if own.len() >= SESSIONS_MAX {
            self.sessions.remove(own[0]);
        }
        let secret = secret(SESSION);
        self.sessions.push(Session { key: key.to_owned(), hash: SecretHash::of(&secret), expires_at: now.saturating_add(SESSION_MAX) });
        Ok(secret)
    }

    fn own_sum(&self) -> String {
        let text = serde_json::to_vec(self).expect("keys are JSON");
        format!("{:08x}", crc32fast::hash(&text))
    }

    /// Signs somebody out.
    pub fn close_session(&mut self, shown: &SecretHash) {
        self.sessions.retain(|session| session.hash != *shown);
    }
}

/// A key that is to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Whose it is, or what for.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// Which workflows it knows, as patterns; empty: all.
    pub workflows: Vec<String>,
    /// When it stops working by itself.
    pub expires_at: Option<Micros>,
}

/// Whether that is what a key looks like; not what somebody has signed in with.
pub fn is_key(shown: &str) -> bool {
    shown.starts_with(KEY)
}

fn secret(prefix: &str) -> String {
    let chance = rand::rng().sample_iter(rand::distr::Alphanumeric).take(SECRET).map(char::from);
    prefix.chars().chain(chance).collect()
}

/// The file of a store's keys.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

/// Tells one version of the file from another.
pub type Stamp = Option<(u64, i64, i64, u64)>;

impl KeyFile {
    /// The file at a path; it need not be there.
    pub fn new(path: PathBuf) -> KeyFile {
        KeyFile { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which version is there; none: no file.
    pub fn stamp(&self) -> Stamp {
        let stamp = |it: Metadata| (it.ino(), it.mtime(), it.mtime_nsec(), it.len());
        fs::metadata(&self.path).ok().map(stamp)
    }

    /// What is in it; none: there is no file, and nobody needs a key.
    pub fn read(&self) -> Result<Option<Keys>, Error> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(self.error("read", error)),
        };
        let keys: Keys = serde_json::from_slice(&text).map_err(|error| self.error("read", error))?;
        let newer = format!("a newer wf-host has written them (version {})", keys.version);
        if keys.version == VERSION { Ok(Some(keys)) } else { Err(self.error("read", newer)) }
    }

    /// What is wrong with the file; none: nothing, or there is none. A letter that has changed is a key that nobody
    /// has, or somebody else's.
    pub fn damage(&self) -> Result<Option<String>, Error> {
        let keys = match self.read() {
            Err(Error::File { why, .. }) => return Ok(Some(why)),
            keys => keys?,
        };
        let Some(keys) = keys else { return Ok(None) };
        let text = fs::read(&self.path).map_err(|error| self.error("read", error))?;
        let is_sound = match &keys.sum {
            // As it was written, to the letter.
            Some(sum) => {
                *sum == Keys { sum: None, ..keys.clone() }.own_sum() && serde_json::to_vec_pretty(&keys).is_ok_and(|it| it == text)
            }
            // An older build knew no other names.
            None => serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&text).is_ok_and(|whole| whole.len() == 3),
        };
        Ok((!is_sound).then(|| "it is not as it was written".to_owned()))
    }

    /// Changes it, all or nothing, beside whoever else does. A file that is not there begins empty.
    pub fn change<T>(&self, change: impl FnOnce(&mut Keys) -> Result<T, Error>) -> Result<T, Error> {
        let written = |error: io::Error| self.error("written", error);
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        crate::store::private_folder(folder).map_err(|error| self.error("written", error))?;
        let mut name = self.path.clone().into_os_string();
        name.push(".lock");
        let lock = File::options().create(true).truncate(false).write(true).mode(0o600).open(name).map_err(written)?;
        lock.lock().map_err(written)?;
        let mut keys = self.read()?.unwrap_or_default();
        let answer = change(&mut keys)?;
        (keys.version, keys.sum) = (VERSION, None);
        keys.sum = Some(keys.own_sum());
        self.write(folder, &serde_json::to_vec_pretty(&keys).map_err(|error| self.error("written", error))?).map_err(written)?;
        Ok(answer)
    }

    /// Puts the text of another file of keys in its place, all or nothing. Nothing of what was there is left.
    pub(crate) fn replace(&self, text: &[u8]) -> Result<(), Error> {
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.write(folder, text).map_err(|error| self.error("written", error))
    }

    fn write(&self, folder: &Path, text: &[u8]) -> io::Result<()> {
        // Its user alone can read what this makes.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text).and_then(|()| file.as_file().sync_all())?;
        file.persist(&self.path).map_err(|error| error.error)?;
        File::open(folder).and_then(|folder| folder.sync_all())
    }

    fn error(&self, done: &'static str, why: impl ToString) -> Error {
        Error::File { path: self.path.display().to_string(), done, why: why.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_000_000;

    fn new(name: &str) -> NewKey {
        NewKey { name: name.to_owned(), scopes: vec![Scope::Run, Scope::Read, Scope::Run], workflows: Vec::new(), expires_at: None }
    }

    #[test]
    fn a_key_is_known_by_its_hash_until_it_is_revoked_or_expires() {
        let mut keys = Keys::default();
        let secret = keys.add(new("ada"), NOW).expect("a key");
        let short = keys.add(NewKey { expires_at: Some(NOW + 10), ..new("short") }, NOW).expect("a key");
        assert!(secret.starts_with(KEY) && secret.len() == 47, "{secret}");
        let name = |keys: &Keys, secret: &str, now| Ring::of(keys).find(&SecretHash::of(secret), now).map(|key| key.name.clone());
        assert_eq!(name(&keys, &secret, NOW), Some("ada".to_owned()));
        assert_eq!(name(&keys, &secret[..46], NOW), None);
        assert_eq!(name(&keys, &short, NOW + 9), Some("short".to_owned()));
        assert_eq!(name(&keys, &short, NOW + 10), None);
        assert!(!serde_json::to_string(&keys).expect("JSON").contains(&secret[KEY.len()..]), "only the hash is kept");
        keys.revoke("ada").expect("it is there");
        assert_eq!(name(&keys, &secret, NOW), None);
        assert_eq!(keys.revoke("ada").map_err(|error| error.to_string()), Err("there is no key `ada`".to_owned()));
    }

    #[test]
    fn a_session_ends_with_its_key_its_time_and_the_one_who_signs_out() {
        let mut keys = Keys::default();
        keys.add(new("ada"), NOW).expect("a key");
        keys.add(NewKey { expires_at: Some(NOW + 10), ..new("short") }, NOW).expect("a key");
        let found = |keys: &Keys, secret: &str, now| Ring::of(keys).find(&SecretHash::of(secret), now).is_some();
        let mut open = |name: &str| keys.open_session(name, NOW).expect("a session");
        let (one, two, three) = (open("ada"), open("ada"), open("short"));
        assert!(found(&keys, &one, NOW) && found(&keys, &two, NOW + SESSION_MAX - 1) && !found(&keys, &two, NOW + SESSION_MAX));
        assert!(found(&keys, &three, NOW + 9) && !found(&keys, &three, NOW + 10));
        keys.close_session(&SecretHash::of(&one));
        assert!(!found(&keys, &one, NOW) && found(&keys, &two, NOW));
        keys.revoke("ada").expect("it is there");
        assert!(keys.open_session("ada", NOW).is_err(), "it went meanwhile");
        // Whoever gets the name later has not signed in.
        keys.add(new("ada"), NOW).expect("a key");
        assert!(!found(&keys, &two, NOW));
    }

    #[test]
    fn sessions_are_few_and_the_oldest_goes() {
        let mut keys = Keys::default();
        keys.add(new("ada"), NOW).expect("a key");
        let mut open = |now| keys.open_session("ada", now).expect("a session");
        let first = open(NOW);
        for _ in 0..SESSIONS_MAX {
            open(NOW);
        }
        assert_eq!(keys.sessions.len(), SESSIONS_MAX);
        assert!(Ring::of(&keys).find(&SecretHash::of(&first), NOW).is_none());
        keys.open_session("ada", NOW + SESSION_MAX).expect("a session");
        assert_eq!(keys.sessions.len(), 1, "what is over goes");
    }

    #[test]
    fn scopes_and_patterns() {
        let key = |scopes: &[Scope], workflows: &[&str]| Key {
            name: "ada".to_owned(),
            hash: SecretHash::of("x"),
            scopes: scopes.to_vec(),
            workflows: workflows.iter().map(|&it| it.to_owned().try_into().expect("a pattern")).collect(),
            created_at: NOW,
            expires_at: None,
        };
        let all = [Scope::Read, Scope::Run, Scope::Admin];
        let may = |scopes: &[Scope]| all.map(|scope| key(scopes, &[]).may(scope));
        assert_eq!(may(&[Scope::Read]), [true, false, false]);
        assert_eq!(may(&[Scope::Run]), [false, true, false]);
        assert_eq!(may(&[Scope::Admin]), [true, true, true]);
        assert!(key(&all, &[]).knows("anything"));
        let some = key(&all, &["billing-*", "greeting"]);
        assert_eq!(["billing-1", "greeting", "greetings", "billing"].map(|it| some.knows(it)), [true, true, false, false]);
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        let mut keys = Keys::default();
        let mut add = |new: NewKey| keys.add(new, NOW).map(drop).map_err(|error| error.to_string());
        for name in ["", "a b", "a\n", &"x".repeat(65)] {
            assert_eq!(add(new(name)), Err(format!("`{name}` cannot be the name of a key")));
        }
        assert!(add(NewKey { workflows: vec!["a***".to_owned()], ..new("ada") }).is_err());
        assert_eq!(add(new("ada")), Ok(()));
        assert_eq!(add(new("ada")), Err("there is a key `ada` already".to_owned()));
    }

    #[test]
    fn the_file_is_its_users_alone_and_changes_add_up() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let file = KeyFile::new(folder.path().join("deep/wf-host.db.keys"));
        assert_eq!(file.read().expect("readable"), None);
        let threads: Vec<_> = (0..8)
            .map(|at| {
                let file = file.clone();
                std::thread::spawn(move || file.change(|keys| keys.add(new(&format!("key{at}")), NOW)).expect("a key"))
            })
            .collect();
        threads.into_iter().for_each(|it| drop(it.join().expect("no panic")));
        assert_eq!(file.read().expect("readable").expect("a file").keys().len(), 8);
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(file.path()), mode(file.path().parent().expect("a folder"))), (0o600, 0o700));
        let before = file.stamp();
        file.change(|keys| keys.revoke("key3")).expect("it is there");
        assert_ne!(file.stamp(), before);
        fs::write(file.path(), "{").expect("writable");
        assert!(file.read().is_err());
        let pattern = r#"{"version":1,"keys":[{"name":"a","hash":"HASH","scopes":["run"],"workflows":["a***"],"created_at":1,"expires_at":null}],"sessions":[]}"#;
        fs::write(file.path(), pattern.replace("HASH", &"0".repeat(64))).expect("writable");
        assert!(file.read().expect_err("refused").to_string().contains("`a***` is no pattern of workflow names: "));
        fs::write(file.path(), r#"{"version":2,"keys":[],"sessions":[]}"#).expect("writable");
        assert!(file.read().expect_err("refused").to_string().ends_with("a newer wf-host has written them (version 2)"));
    }
}
