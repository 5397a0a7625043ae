//! Requests to the outside, and reads of what they gave. They move *recorded*, and commit nothing.

use super::{Attempt, Next, Request, unsound};
use crate::entry::{Chunk, Failure, Function, Response};
use crate::json::Json;
use crate::text::Refused;

/// What the host is to do in the outside.
#[derive(Clone, Debug)]
pub enum Outside {
    /// Send a request. All calls before it are durable.
    Request {
        /// Method and URL.
        target: String,
        /// What else is to be sent.
        options: Json,
    },
    /// Read more of a response's body.
    Read {
        /// The number of the request.
        request: u32,
    },
}

impl Request {
    /// What of it concerns the outside.
    pub(super) fn outside(&self) -> Option<Outside> {
        match self {
            Request::Outside { target, options } => Some(Outside::Request { target: target.clone(), options: options.clone() }),
            &Request::ReadBody { request } => Some(Outside::Read { request }),
            _ => None,
        }
    }
}

impl Attempt {
    /// A request was sent, and this came of it.
    pub fn performed(&mut self, response: Response) -> Next {
        match self.outside.take() {
            Some(Outside::Request { target, .. }) => self.came(Function::Request { target, answer: response }),
            _ => Next::Fail(unsound("a response came that was not asked for")),
        }
    }

    /// A body was read.
    pub fn received(&mut self, chunk: Chunk) -> Next {
        match self.outside.take() {
            Some(Outside::Read { request }) => self.came(Function::Read { request, answer: chunk }),
            _ => Next::Fail(unsound("a part of a body came that was not asked for")),
        }
    }

    /// Reaches the outside. Nobody there hears of anything that could still be lost.
    pub(super) fn reach(&mut self, outside: Outside) -> Next {
        self.outside = Some(outside.clone());
        match outside {
            Outside::Request { .. } if !self.unreported.is_empty() => self.progress(None),
            outside => Next::Perform(outside),
        }
    }

    fn came(&mut self, function: Function) -> Next {
        let call = self.note(function);
        self.follow(&call, true);
        self.progress(None)
    }

    /// Whether there is more of a body to read.
    pub(super) fn permit_read(&self, request: u32) -> Result<(), Failure> {
        match self.bodies.get(&request) {
            Some(true) => Ok(()),
            Some(false) => Err(Failure::new(
                "interrupted",
                format!("the body of request {request} was cut: the host went away, or the step waited, since it was sent"),
                true,
            )),
            None => Err(Refused::invalid(format!("there is no request {request} whose body has more")).into()),
        }
    }

    /// Takes note of which bodies have more.
    pub(super) fn follow_body(&mut self, ordinal: u32, function: &Function, live: bool) {
        match function {
            Function::Request { answer: Response::Head(_), .. } => drop(self.bodies.insert(ordinal, live)),
            Function::Read { request, answer: Chunk::End | Chunk::Failed(_) } => drop(self.bodies.remove(request)),
            _ => (),
        }
    }
}
