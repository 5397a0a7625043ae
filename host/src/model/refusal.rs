//! Why a request was not carried out.

use serde::{Deserialize, Serialize};
use wf_engine::entry::InvocationId;
use wf_engine::run::{self, INBOX_BYTES_MAX, INBOX_EVENTS_MAX};
use wf_engine::text::Refused;

/// Why a request was not carried out. HTTP has its own words for it. Hosts tell it to one another
/// through the store: a change of its form is one of that form, too.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// No such handler or run.
    #[error("there is no such run")]
    NotFound,
    /// A new run was asked for under a handler that has one running.
    #[error("handler `{0}` has a run that has not ended")]
    AlreadyRunning(String),
    /// An event for a run that has ended.
    #[error("the run has ended")]
    AlreadyCompleted,
    /// The idempotency key was used with another body.
    #[error("the idempotency key came before with another request")]
    KeyReused,
    /// The event's type is not one that the run's own definition knows.
    #[error("unknown event type {name}; expected one of {}", expected.join(", "))]
    UnknownEvent {
        /// What was sent.
        name: String,
        /// What could have been.
        expected: Vec<String>,
    },
    /// What was handed in cannot be kept.
    #[error("{0}")]
    Invalid(String),
    /// No such step.
    #[error("there is no step `{0}`")]
    UnknownStep(String),
    /// The step does not accept the event.
    #[error("step `{step}` does not accept {event}")]
    NotAccepted {
        /// The step.
        step: String,
        /// The event's type.
        event: String,
    },
    /// The invocation does not wait for the event.
    #[error("invocation {0} does not wait for it")]
    NotWaiting(InvocationId),
    /// The run keeps as many events as it may that nothing has taken yet.
    #[error("the run keeps {events_max} events, or {bytes_max} bytes of them, that nothing has taken yet: as many as it may")]
    InboxFull {
        /// Most events.
        events_max: usize,
        /// Most bytes of them.
        bytes_max: usize,
    },
    /// The run has not begun.
    #[error("the run queues for its workflow's turn, and has not begun")]
    Queued,
    /// The run's journal does not fit this build, or its own definition, or is damaged, or a component of it is not
    /// there: nothing can be done with it here. Other runs go on.
    #[error("run `{run}` cannot be read: {why}")]
    Unfit {
        /// The run.
        run: String,
        /// Why.
        why: String,
    },
    /// The host is stopping, or the store does not take writes at the moment.
    #[error("the host is not available: {0}")]
    Unavailable(String),
}

impl Refusal {
    /// The host is not up.
    pub fn stopping() -> Refusal {
        Refusal::Unavailable("it is starting or stopping; runs go on after it".into())
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        Refusal::Invalid(refused.message)
    }
}

impl From<run::Refusal> for Refusal {
    fn from(refusal: run::Refusal) -> Refusal {
        match refusal {
            run::Refusal::InboxFull => Refusal::InboxFull { events_max: INBOX_EVENTS_MAX, bytes_max: INBOX_BYTES_MAX },
            run::Refusal::NotWaiting(id) => Refusal::NotWaiting(id),
        }
    }
}
