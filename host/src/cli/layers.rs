//! How settings come together: file, then environment, then flags.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory};
use serde::Serialize;
use toml::Value;

use file::File;
pub(super) use file::{Workflow, schema};

use super::{Arguments, Problem};

/// Where a setting was said.
#[derive(Clone, Debug, PartialEq)]
enum Origin {
    /// In a flag or an argument.
    CommandLine(String),
    /// In a variable.
    Environment(String),
    /// In the file.
    File,
    Default,
}

/// A setting as it is, for `wf-host config`.
struct Setting {
    key: &'static str,
    /// None: it is not set.
    value: Option<Value>,
    origin: Origin,
}

/// What all layers together say, to be compared with what they say later.
#[derive(Clone)]
pub(super) struct Noted {
    /// Of the file, whether it is there or not.
    pub path: PathBuf,
    /// By key; those of single workflows as `workflows.order.retention`. None: it is not set.
    pub values: BTreeMap<String, Option<Value>>,
}

impl Noted {
    /// The keys of what is not as it was.
    pub(super) fn changed(&self, before: &Noted) -> BTreeSet<String> {
        let keys = self.values.keys().chain(before.values.keys());
        keys.filter(|key| self.values.get(*key) != before.values.get(*key)).cloned().collect()
    }
}

/// Brings the layers together, and remembers which one it was.
pub(super) struct Layers<'a> {
    pub(super) file: File,
    /// Its path, where there is one.
    path: Option<std::path::PathBuf>,
    matches: &'a ArgMatches,
    settings: Vec<Setting>,
}

impl<'a> Layers<'a> {
    /// With the file that the arguments of a command ask for.
    pub(super) fn new(file: Option<&std::path::Path>, matches: &'a ArgMatches) -> Result<Layers<'a>, Problem> {
        let (file, path) = File::find(file)?;
        Ok(Layers { file, path, matches, settings: Vec::new() })
    }

    /// For a command that has no settings.
    pub(super) fn none(matches: &'a ArgMatches) -> Layers<'a> {
        Layers { file: File::default(), path: None, matches, settings: Vec::new() }
    }

    /// The setting of that name: what clap has found, else what the file says, else the default.
    pub(super) fn pick<T: Serialize>(&mut self, key: &'static str, given: Option<T>, file: Option<T>, default: Option<T>) -> Option<T> {
        let origin = match (&given, &file) {
            (Some(_), _) => self.given(key),
            (None, Some(_)) => Origin::File,
            (None, None) => Origin::Default,
        };
        self.note(key, given.or(file).or(default), origin)
    }

    /// The same, for what another variable than ours says.
    pub(super) fn variable<T: Serialize>(&mut self, key: &'static str, name: &str, value: T) -> Option<T> {
        self.note(key, Some(value), Origin::Environment(name.to_owned()))
    }

    fn note<T: Serialize>(&mut self, key: &'static str, value: Option<T>, origin: Origin) -> Option<T> {
        let shown = value.as_ref().and_then(|value| Value::try_from(value).ok());
        self.settings.push(Setting { key, value: shown, origin });
        value
    }

    fn given(&self, id: &str) -> Origin {
        let command = Arguments::command();
        let argument = command.get_subcommands().chain([&command]).flat_map(|it| it.get_arguments()).find(|it| it.get_id() == id);
        let variable = argument.and_then(|it| it.get_env()).map(|it| it.to_string_lossy().into_owned());
        let flag = argument.and_then(|it| it.get_long()).map(|it| format!("--{it}"));
        match (self.matches.try_contains_id(id).ok().and_then(|_| self.matches.value_source(id)), variable) {
            (Some(ValueSource::EnvVariable), Some(name)) => Origin::Environment(name),
            _ => Origin::CommandLine(flag.unwrap_or_else(|| "the arguments".to_owned())),
        }
    }

    fn shown(&self, origin: &Origin) -> String {
        match origin {
            Origin::CommandLine(name) | Origin::Environment(name) => name.clone(),
            Origin::File => self.path.as_deref().unwrap_or("wf-host.toml".as_ref()).display().to_string(),
            Origin::Default => "default".to_owned(),
        }
    }

    /// What they say.
    pub(super) fn noted(&self) -> Noted {
        let mut values: BTreeMap<String, Option<Value>> =
            self.settings.iter().map(|setting| (setting.key.to_owned(), setting.value.clone())).collect();
        for (name, workflow) in &self.file.workflows {
            let own = Value::try_from(workflow).ok().and_then(table).unwrap_or_default();
            values.extend(own.into_iter().map(|(key, value)| (format!("workflows.{name}.{key}"), Some(value))));
        }
        Noted { path: self.path.clone().unwrap_or_else(|| file::DEFAULT.into()), values }
    }

    /// As a file of settings.
    pub(super) fn toml(&self) -> String {
        let lines: Vec<(String, String)> = self
            .settings
            .iter()
            .map(|setting| match &setting.value {
                Some(value) => (format!("{} = {value}", setting.key), self.shown(&setting.origin)),
                None => (format!("# {} =", setting.key), "not set".to_owned()),
            })
            .collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|it| *it <= 60).max().unwrap_or(0);
        let mut text = String::new();
        for (line, origin) in lines {
            let _ = writeln!(text, "{line:width$}  # {origin}");
        }
        for (name, workflow) in &self.file.workflows {
            let key =
                toml::Table::from_iter([(name.clone(), Value::Table(Value::try_from(workflow).ok().and_then(table).unwrap_or_default()))]);
            let whole = toml::Table::from_iter([("workflows".to_owned(), Value::Table(key))]);
            let _ = write!(text, "\n# {}\n{whole}", self.shown(&Origin::File));
        }
        text.trim_end().to_owned()
    }

    /// As JSON, with the origin of each.
    pub(super) fn json(&self) -> String {
        let settings = self.settings.iter().map(|setting| {
            let value = serde_json::to_value(&setting.value).unwrap_or_default();
            (setting.key.to_owned(), serde_json::json!({ "value": value, "origin": self.shown(&setting.origin) }))
        });
        let mut settings: serde_json::Map<String, serde_json::Value> = settings.collect();
        let workflows = serde_json::to_value(&self.file.workflows).unwrap_or_default();
        let origin = if self.file.workflows.is_empty() { Origin::Default } else { Origin::File };
        settings.insert("workflows".to_owned(), serde_json::json!({ "value": workflows, "origin": self.shown(&origin) }));
        format!("{:#}", serde_json::Value::Object(settings))
    }
}

fn table(value: Value) -> Option<toml::Table> {
    if let Value::Table(table) = value { Some(table) } else { None }
}
