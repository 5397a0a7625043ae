//! The gate before the fold: a journal is read, checked and replayed here, or it is an error with
//! a name, for that run alone.

use std::fmt;

use serde::Deserialize;

use crate::effect::Effect;
use crate::entry::{Buffered, Call, Commit, ENTRY_VERSION, Entry, Forked, Function, Input, Part, RULES};
use crate::history::History;
use crate::json::{Fields, Json};
use crate::run::Run;
use crate::text;

/// Why a journal does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The text of an entry is not one.
    Unreadable {
        /// Its place in the journal.
        seq: u64,
        /// Why.
        message: String,
    },
    /// An entry has a form that this build does not know.
    Version {
        /// Its place in the journal.
        seq: u64,
        /// The form.
        found: u64,
    },
    /// The run was begun by rules that this build does not know.
    Rules {
        /// The number of the rules.
        found: u64,
    },
    /// An entry is missing, or there twice.
    Gap {
        /// The place of the entry that should be here.
        expected: u64,
        /// The place of the one that is.
        found: u64,
    },
    /// The first entry is no `Started`, or a later one is.
    Beginning {
        /// The place of the entry.
        seq: u64,
    },
    /// The run is pinned to a definition that it was not given. A fork is given its own by [`Run::redefine`].
    Definition {
        /// What the journal names.
        expected: Vec<Part>,
    },
    /// An entry says what cannot be.
    Unsound {
        /// Its place in the journal.
        seq: u64,
        /// What.
        message: &'static str,
    },
    /// The fold counts other frames than the host that wrote the journal did.
    Frames {
        /// The place of the entry that tells.
        seq: u64,
        /// How many frames there were before it.
        told: u64,
        /// How many the fold counts.
        counted: u64,
    },
    /// A snapshot has a form that this build does not know, or is damaged. Replay goes without.
    Snapshot(String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Unreadable { seq, message } => write!(formatter, "entry {seq} of the journal is unreadable: {message}"),
            Misfit::Version { seq, found } => write!(
                formatter,
                "entry {seq} of the journal has form {found}, and this build knows form {ENTRY_VERSION}: it was written by another version"
            ),
            Misfit::Rules { found } => {
                write!(formatter, "the run follows rules {found}, and this build knows rules 1 to {RULES}: it was begun by a newer version")
            }
            Misfit::Gap { expected, found } => write!(formatter, "entry {expected} of the journal is missing: entry {found} stands there"),
            Misfit::Beginning { seq: 0 } => write!(formatter, "the journal does not begin with the start of a run"),
            Misfit::Beginning { seq } => write!(formatter, "entry {seq} of the journal starts the run a second time"),
            Misfit::Definition { expected } => {
                let digests: Vec<&str> = expected.iter().map(|part| part.component.as_str()).collect();
                write!(formatter, "the run is pinned to another definition: {}", digests.join(", "))
            }
            Misfit::Unsound { seq, message } => write!(formatter, "entry {seq} of the journal cannot be: {message}"),
            Misfit::Frames { seq, told, counted } => write!(
                formatter,
                "the journal tells of {told} frames before entry {seq}, and its replay makes {counted}: this build follows other rules"
            ),
            Misfit::Snapshot(message) => write!(formatter, "the snapshot cannot be used: {message}"),
        }
    }
}

impl std::error::Error for Misfit {}

/// Reads an entry. A form that is newer than this build is told by its number.
pub fn read(seq: u64, bytes: &[u8]) -> Result<Entry, Misfit> {
    serde_json::from_slice(bytes).map_err(|error| newer(seq, bytes).unwrap_or(Misfit::Unreadable { seq, message: error.to_string() }))
}

/// Checks an entry against the run that comes before it, and applies it.
pub fn accept(run: &mut Run, entry: &Entry) -> Result<Vec<Effect>, Misfit> {
    let seq = entry.seq;
    if entry.v != ENTRY_VERSION {
        return Err(Misfit::Version { seq, found: entry.v.into() });
    }
    if seq != run.next_seq() {
        return Err(Misfit::Gap { expected: run.next_seq(), found: seq });
    }
    match &entry.input {
        Input::Started(started) if seq == 0 => {
            if !(1..=RULES).contains(&started.rules) {
                return Err(Misfit::Rules { found: started.rules.into() });
            }
            pinned(run.definition().parts() == started.definition, &started.definition)?;
            object(seq, &started.state)?;
        }
        Input::Forked(forked) => {
            pinned(run.knows(&forked.definition), &forked.definition)?;
            forked.state.iter().try_for_each(|state| object(seq, state))?;
            fork(run, seq, forked)?;
        }
        Input::Started(_) => return Err(Misfit::Beginning { seq }),
        _ if seq == 0 => return Err(Misfit::Beginning { seq }),
        _ => (),
    }
    paths(seq, &entry.input)?;
    events(seq, &entry.input)?;
    if let Some(told) = entry.frames.filter(|told| *told != run.next_sequence()) {
        return Err(Misfit::Frames { seq, told, counted: run.next_sequence() });
    }
    Ok(run.apply(entry))
}

/// Rebuilds a run: `run` is one before its first entry, or one from a snapshot, and `entries` are
/// those that come after it. The effects were carried out, or lost, long ago.
pub fn replay<'a>(mut run: Run, entries: impl IntoIterator<Item = &'a Entry>) -> Result<Run, Misfit> {
    for entry in entries {
        accept(&mut run, entry)?;
    }
    Ok(run)
}

/// What happened in a run by some entries: `run` is as it was before them, as it is for [`replay`], and was
/// given what a fork among them goes on with.
pub fn history<'a>(mut run: Run, entries: impl IntoIterator<Item = &'a Entry>) -> Result<History, Misfit> {
    let mut history = History::from(&run);
    for entry in entries {
        run.watch();
        accept(&mut run, entry)?;
        history.add(&mut run, entry);
    }
    Ok(history)
}

/// What the forks among some entries go on with, in order: their runs are [given](Run::redefine) each of them.
pub fn forks<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> impl Iterator<Item = &'a [Part]> {
    entries.into_iter().filter_map(|entry| if let Input::Forked(forked) = &entry.input { Some(&*forked.definition) } else { None })
}

fn pinned(is_known: bool, expected: &[Part]) -> Result<(), Misfit> {
    if is_known { Ok(()) } else { Err(Misfit::Definition { expected: expected.to_vec() }) }
}

fn object(seq: u64, state: &Json) -> Result<(), Misfit> {
    if state.get().starts_with('{') { Ok(()) } else { Err(Misfit::Unsound { seq, message: "the state is no object" }) }
}

/// The events that the fold routes: it looks into the fields of their payloads.
fn events(seq: u64, input: &Input) -> Result<(), Misfit> {
    let (calls, commit) = reported(input);
    let called = calls.iter().filter_map(|call| match &call.function {
        Function::Collect { event, .. } => Some(event),
        Function::Wait(wait) => wait.request.as_ref(),
        _ => None,
    });
    let own = match input {
        Input::Started(started) => std::slice::from_ref(&started.start),
        Input::EventReceived { event, .. } => std::slice::from_ref(event),
        Input::StepReturned { events, .. } => events,
        Input::Forked(forked) => forked.events.as_ref().map_or(&[][..], |(_, events)| events),
        _ => &[],
    };
    let sent = commit.into_iter().flat_map(|commit| commit.sends()).map(|(event, _)| event);
    let sound = own.iter().chain(called).chain(sent).all(|event| Fields::read(&event.payload).is_some());
    if sound { Ok(()) } else { Err(Misfit::Unsound { seq, message: "a payload is no object with fields that can be read" }) }
}

/// The calls of an instance's report, and what it commits.
fn reported(input: &Input) -> (&[Call], Option<&Commit>) {
    match input {
        Input::StepProgressed { calls, commit, .. } => (calls, commit.as_ref()),
        Input::StepReturned { calls, commit, .. } => (calls, Some(commit)),
        Input::StepFailed { calls, .. } => (calls, None),
        _ => (&[], None),
    }
}

/// What an instance reports of the state: the fold takes its paths apart.
fn paths(seq: u64, input: &Input) -> Result<(), Misfit> {
    let (calls, commit) = reported(input);
    let written = commit.into_iter().flat_map(|commit| &commit.effects).filter_map(Buffered::path);
    let told = calls.iter().filter(|call| !matches!(&call.function, Function::Get { path, .. } if path.is_empty()));
    let mut told = told.filter_map(|call| call.function.path()).chain(written);
    let sound = told.all(|path| text::path(path).is_ok());
    if sound { Ok(()) } else { Err(Misfit::Unsound { seq, message: "a path of the state is none" }) }
}

fn fork(run: &Run, seq: u64, forked: &Forked) -> Result<(), Misfit> {
    if !run.is_running() {
        return Err(Misfit::Unsound { seq, message: "a run is forked that has ended by then" });
    }
    let in_flight = forked.events.as_ref().is_none_or(|(id, _)| run.is_in_flight(*id));
    if in_flight { Ok(()) } else { Err(Misfit::Unsound { seq, message: "a fork edits what is not in flight" }) }
}

/// What can be told of an entry whose form is not known.
fn newer(seq: u64, bytes: &[u8]) -> Option<Misfit> {
    #[derive(Deserialize)]
    struct Form {
        v: u64,
        input: Option<Beginning>,
    }
    #[derive(Deserialize)]
    struct Beginning {
        #[serde(rename = "Started")]
        started: Option<Rules>,
    }
    #[derive(Deserialize)]
    struct Rules {
        rules: u64,
    }
    let Form { v, input } = serde_json::from_slice(bytes).ok()?;
    if v != u64::from(ENTRY_VERSION) {
        return Some(Misfit::Version { seq, found: v });
    }
    let rules = input?.started?.rules;
    (!(1..=u64::from(RULES)).contains(&rules)).then_some(Misfit::Rules { found: rules })
}
