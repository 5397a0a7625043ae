//! `wf-host store`.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::Problem;
use super::layers::Layers;
use super::people::table;
use super::place::Place;
use super::progress::size;
use super::screen::out;
use crate::store::{Kept, Space};

/// Shows what takes the space of a store: by table, by workflow, and which values are the largest. A server on it goes on
/// meanwhile.
///
/// A workflow takes what its runs hold. A value from 64 KiB on stands once, however many runs need it; here it counts for
/// each. What is free is given back to the disk by the server, bit by bit.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host store                             the store in this folder
  wf-host store --data-dir /backup/monday   a copy
  wf-host store --json                      for programs
")]
pub(super) struct Store {
    #[command(flatten)]
    place: Place,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl Store {
    /// The file that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.place.file()
    }

    pub(super) fn run(self, mut layers: Layers) -> Result<(), Problem> {
        let (store, data_dir) = self.place.settle(&mut layers);
        let kept = Kept::at(store.as_deref(), &data_dir).map_err(|error| Problem::from(error).usage())?;
        let examination = kept.examine()?;
        let space = examination.space()?;
        out(&if self.json { as_json(&space) } else { as_text(&space, examination.path()) })
    }
}

fn as_text(space: &Space, path: &Path) -> String {
    let mut text = format!("{}: {}, of which {} are free", path.display(), size(space.file), size(space.free));
    text += &if space.log > 0 { format!("; its log: {}\n\n", size(space.log)) } else { "\n\n".to_owned() };
    let tables = space.tables.iter().map(|it| [it.name.clone(), it.rows.to_string(), size(it.bytes)]);
    text += &table(["TABLE", "ROWS", "SIZE"], tables.collect());
    let workflows = space.workflows.iter().map(|it| [it.name.clone(), it.runs.to_string(), it.ended.to_string(), size(it.bytes)]);
    text += &format!("\n\n{}\n", table(["WORKFLOW", "RUNS", "ENDED", "SIZE"], workflows.collect()));
    if !space.values.is_empty() {
        let values =
            space.values.iter().map(|it| [it.key.to_string(), it.runs.to_string(), it.run.clone().unwrap_or_default(), size(it.bytes)]);
        text += &format!("\n{}\n", table(["VALUE", "RUNS", "ONE OF THEM", "SIZE"], values.collect()));
    }
    text
}

fn as_json(space: &Space) -> String {
    let tables = space.tables.iter().map(|it| json!({ "name": it.name, "rows": it.rows, "bytes": it.bytes })).collect::<Vec<_>>();
    let workflows = space.workflows.iter().map(|it| json!({ "name": it.name, "runs": it.runs, "ended": it.ended, "bytes": it.bytes }));
    let values = space.values.iter().map(|it| json!({ "key": it.key, "runs": it.runs, "run": it.run, "bytes": it.bytes }));
    let shown = json!({
        "file": space.file, "log": space.log, "free": space.free, "tables": tables,
        "workflows": workflows.collect::<Vec<_>>(), "values": values.collect::<Vec<_>>(),
    });
    format!("{shown:#}\n")
}
