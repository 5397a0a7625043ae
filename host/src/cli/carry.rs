//! `wf-host export` and `wf-host import`.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::layers::Layers;
use super::place::Place;
use super::progress::{Progress, size};
use super::screen::out;
use super::{Problem, candidates};
use crate::care::export;
use crate::care::import::{self, How};
use crate::clock::Clock;
use crate::model::unfit_id;

/// Writes a run into one file, with all that belongs to it, also while a server has it.
///
/// A copy of a run that has not ended goes on as one of its own where it is imported; the run goes on here, too. With
/// --move a handler goes with all its runs, and is here no more once the file is whole.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host export order-17                                         a copy of its newest run, in RUN.tar
  wf-host export order-17 --move -o order-17.tar                  it goes on elsewhere
  wf-host export vHhEB2Vyg9 -o bug.tar --redact email --redact card.number
  wf-host import order-17.tar --data-dir /var/lib/other

--redact takes the values of a field out of events, states, results, what steps have kept, variables, and the fields of
log lines, at any depth. Of requests to the outside all bodies and headers go, and what stands behind the `?` of an
address. What a step has written into texts, as messages of failures and of log lines, stays. A run that has not ended
goes on here; where such a copy is imported, it stands as cancelled, to be looked at.
")]
pub(super) struct Export {
    /// A run's id, or a handler's: then it is its newest run.
    #[arg(add = ArgValueCandidates::new(candidates::handlers))]
    name: String,
    /// The file to make. It must not be there [default: RUN.tar]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Take the handler away here. Called again after it was interrupted, it finishes the file.
    #[arg(long = "move")]
    moves: bool,
    /// A field whose values are not to be in the file: a name, or a path as `card.number`. May be repeated.
    #[arg(long = "redact", value_name = "FIELD", conflicts_with = "moves", value_parser = field)]
    redacted: Vec<String>,
    #[command(flatten)]
    place: Place,
}

/// Takes the runs of a file into a store, also while a server has it; one that has not ended goes on.
///
/// Import only files of those whom you would let serve workflows here: the components in them are run.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host import order-17.tar
  wf-host import order-17.tar --data-dir /var/lib/other
  wf-host import copy.tar --as order-17-again                     the handler of a copy that goes on
  wf-host import copy.tar --read-only                             one that does not
")]
pub(super) struct Import {
    /// What `wf-host export` has made.
    file: PathBuf,
    /// The handler's id of a copy that goes on [default: a new one]
    #[arg(long = "as", value_name = "HANDLER", value_parser = handler)]
    handler: Option<String>,
    /// Put in a copy that has not ended as cancelled, to be looked at. One without some of its values is so by itself.
    #[arg(long, conflicts_with = "handler")]
    read_only: bool,
    #[command(flatten)]
    place: Place,
}

/// A field's name, or its path.
fn field(text: &str) -> Result<String, String> {
    if text.split('.').any(str::is_empty) { Err("a name is empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// An id that clients can ask for.
fn handler(text: &str) -> Result<String, String> {
    unfit_id(text).map_or_else(|| Ok(text.to_owned()), |why| Err(format!("it {why}")))
}

impl Export {
    /// The file of settings that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.place.file()
    }

    pub(super) fn run(self, mut layers: Layers) -> Result<(), Problem> {
        let Export { name, output, moves, redacted, place } = self;
        let found = place.find(&mut layers)?;
        let mut progress = Progress::begun();
        let export = export::Export { database: found.database.clone(), name, to: output, moves, redacted };
        let exported = export.make(Clock::new(0).at(), &mut |done| progress.tell_bytes("written", done, None))?;
        for field in &exported.unmet {
            let problem = Problem::new(format!("there is no value of `{field}` in the run"));
            problem.hint("look whether its name is written as in the events").warn();
        }
        if let Some(run) = &exported.run {
            found.note(if moves { "move" } else { "export" }, &exported.path, Some((&run.handler, &run.id)));
        }
        let what = match &exported.run {
            None => "moved before".to_owned(),
            Some(run) if moves => format!("handler {} is here no more", run.handler),
            Some(run) if run.status == "running" => format!("a copy of run {}, which goes on", run.id),
            Some(run) => format!("run {}, {}", run.id, run.status),
        };
        out(&format!("{} ({}; {what})\n", exported.path.display(), size(exported.size)))
    }
}

impl Import {
    /// The file of settings that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.place.file()
    }

    pub(super) fn run(self, mut layers: Layers) -> Result<(), Problem> {
        let Import { file, handler, read_only, place } = self;
        let found = place.find(&mut layers)?;
        let mut progress = Progress::begun();
        let import = import::Import { file, database: found.database.clone(), handler, read_only };
        let imported = import.take(Clock::new(0).at(), &mut |done, all| progress.tell_bytes("read", done, Some(all)))?;
        found.note("import", &import.file, Some((&imported.handler, &imported.run)));
        let how = match imported.how {
            How::Ended => "has ended",
            How::GoesOn => "goes on here",
            How::Fork => "is a copy that goes on here",
            How::Cancelled => "is a copy to be looked at, cancelled here",
        };
        out(&format!("{} (run {} {how})\n", imported.handler, imported.run))
    }
}
