//! Who has which run, and what a run that somebody has does next: a machine without clock, chance
//! or I/O, so that a simulation drives what is shipped.
//!
//! [`Owners`] knows the runs that this host has, or is about to have; a [`Worker`] is one of them in
//! memory. Both are told what has happened and say what is to be done; [`crate::driver`] does it.
//! `T` is where an answer goes: whoever asked waits for it. Dropped, it is an answer too: that the
//! server cannot say.

pub mod letters;
mod messages;
mod owners;
mod rows;
mod timers;
mod worker;

use wf_engine::entry::Event;

use crate::model::{Idempotency, Refusal, RunView, Target};

pub use messages::{Copied, Exit, Fresh, FreshFork, Output, Report, Reported, Unbegun, UnbegunFork};
pub use owners::{Action, Identity, Owners, UNFIT_MAX, WaiterId};
pub(crate) use rows::preview;
pub use worker::Worker;

/// What whoever asked is told.
pub type Answer = Result<RunView, Refusal>;

/// What the outside asks of a run.
#[derive(Debug)]
pub enum Command<T> {
    /// Takes an event in.
    Send {
        /// The event's id, should it be accepted.
        id: String,
        /// The event.
        event: Event,
        /// Who it is for.
        target: Target,
        /// To be kept with it.
        idempotency: Option<Idempotency>,
        /// Answered once it is durable.
        reply: T,
    },
    /// Ends the run.
    Cancel {
        /// Answered once it has ended, durably.
        reply: T,
    },
}

impl<T> Command<T> {
    /// Where its answer goes.
    pub fn reply(self) -> T {
        match self {
            Command::Send { reply, .. } | Command::Cancel { reply } => reply,
        }
    }

    /// The same, asked by somebody else.
    fn asked_by<U>(self, asker: impl FnOnce(T) -> U) -> Command<U> {
        match self {
            Command::Send { id, event, target, idempotency, reply } => {
                Command::Send { id, event, target, idempotency, reply: asker(reply) }
            }
            Command::Cancel { reply } => Command::Cancel { reply: asker(reply) },
        }
    }
}
