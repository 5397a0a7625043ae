//! Why what a test asked was not done.

use serde::Serialize;
use wf_engine::text::{MESSAGE_MAX, cut};

use crate::model::Refusal;
use crate::store;

/// What happened, and what to do.
#[derive(Debug, Serialize)]
pub(crate) struct Mistake {
    error: String,
    hint: String,
}

impl Mistake {
    /// What happened, in lower case; what to do.
    pub(crate) fn new(error: impl Into<String>, hint: impl Into<String>) -> Mistake {
        Mistake { error: cut(error.into(), MESSAGE_MAX), hint: hint.into() }
    }
}

impl From<Refusal> for Mistake {
    fn from(refusal: Refusal) -> Mistake {
        Mistake::new(refusal.to_string(), "a server would refuse it as well")
    }
}

impl From<store::Error> for Mistake {
    fn from(error: store::Error) -> Mistake {
        Mistake::new(error.to_string(), "this is a defect of wf-host")
    }
}
