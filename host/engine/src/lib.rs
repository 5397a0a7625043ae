//! The pure core of wf-host: a run is a fold over its journal.
//!
//! Everything that happens is a journaled [`entry::Input`]; everything to be done is an [`effect::Effect`].
//! There is no clock, no chance and no I/O here: [`run::Run::apply`] is the only way a run changes.
#![warn(missing_docs)]

// Read in this order.
pub mod json;

pub mod text;

pub mod entry;

pub mod time;

pub mod manifest;

pub mod definition;

pub mod effect;

pub mod state;

pub mod attempt;

pub mod run;

pub mod journal;

pub mod snapshot;

pub mod answers;

pub mod recorded;

pub use run::history;
