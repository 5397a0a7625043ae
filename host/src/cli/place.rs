//! Which store a command works on: as `serve` has it, without a server being asked.

use std::path::{Path, PathBuf};

use clap::Args;
use wf_engine::time::utc_text;

use super::Problem;
use super::layers::Layers;
use crate::audit::{self, Line};
use crate::clock::Clock;
use crate::store;

#[derive(Args)]
pub(super) struct Place {
    /// A file of settings, as for `serve` [default: ./wf-host.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "WF_HOST_CONFIG")]
    config: Option<PathBuf>,
    /// The store, as for `serve` [default: a SQLite file in the data directory]
    #[arg(long, env = "WF_HOST_STORE")]
    store: Option<String>,
    /// The data directory, as for `serve` [default: .wf-host]
    #[arg(long, env = "WF_HOST_DATA_DIR")]
    data_dir: Option<PathBuf>,
}

/// Where what belongs to a store is.
pub(super) struct Found {
    pub database: PathBuf,
    pub keys: PathBuf,
    audit: PathBuf,
}

impl Place {
    /// The file of settings that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The store that is named, and the data directory, all layers together.
    pub(super) fn settle(&self, layers: &mut Layers) -> (Option<String>, PathBuf) {
        settled(layers, self.store.clone(), self.data_dir.clone())
    }

    pub(super) fn find(&self, layers: &mut Layers) -> Result<Found, Problem> {
        let (spec, data_dir) = self.settle(layers);
        let database = store::database(spec.as_deref(), &data_dir)?;
        Ok(Found {
            database,
            keys: store::beside(spec.as_deref(), &data_dir, "keys")?,
            audit: store::beside(spec.as_deref(), &data_dir, "audit.log")?,
        })
    }
}

/// The store that is named, and the data directory, all layers together.
pub(super) fn settled(layers: &mut Layers, store: Option<String>, data_dir: Option<PathBuf>) -> (Option<String>, PathBuf) {
    let from_file = layers.file.clone();
    let store = layers.pick("store", store, from_file.store, None);
    let data_dir = layers.pick("data_dir", data_dir, from_file.data_dir, Some(super::serve::DATA_DIR.into()));
    (store, data_dir.unwrap_or_default())
}

impl Found {
    /// Notes what was done. It is done; where the log cannot be written, that is said.
    pub(super) fn note(&self, action: &'static str, file: &Path, run: Option<(&str, &str)>) {
        let (handler, run) = run.map(|(handler, run)| (handler.to_owned(), run.to_owned())).unzip();
        let at = utc_text(Clock::new(0).at());
        noted(&self.audit, &Line { at, action, path: Some(file.display().to_string()), handler, run, ..Line::default() });
    }
}

/// The change is made; where the log cannot be written, that is said.
pub(super) fn noted(audit: &Path, line: &Line) {
    if let Err(error) = audit::note(audit, line) {
        Problem::new(format!("`{}` cannot be written: {error}", audit.display())).warn();
    }
}
