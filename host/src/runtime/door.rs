//! The way of one entry to the outside: what it asks for, and the bodies that it reads.

use std::collections::HashMap;
use std::sync::Arc;

use wf_engine::entry::{Chunk, Failure, Response};

use crate::outside::{Asked, Exchange, Placeholders, SharedBody, Told};

/// Bodies that one entry may have open.
const OPEN_MAX: usize = 16;

/// The way of one entry to the outside.
pub(super) struct Door {
    exchange: Arc<Exchange>,
    placeholders: Placeholders,
    /// What the call that is made asks for.
    asked: Option<Asked>,
    /// By the number of the request.
    bodies: HashMap<u32, SharedBody>,
}

impl Door {
    pub(super) fn new(exchange: Arc<Exchange>, placeholders: Placeholders) -> Door {
        Door { exchange, placeholders, asked: None, bodies: HashMap::new() }
    }

    /// What it has for its secrets, by the names of the variables that hold it.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.placeholders.variables()
    }

    /// Takes note of what the next call asks for: the attempt knows only its method and URL.
    pub(super) fn ask(&mut self, asked: Option<Asked>) {
        self.asked = asked;
    }

    /// Whether a request can leave as far as this entry goes; else why not.
    pub(super) fn may_leave(&self) -> Result<(), Failure> {
        if self.bodies.len() < OPEN_MAX {
            return Ok(());
        }
        let message = format!("{OPEN_MAX} answers are open at once (limit open_max): read them to their end, or close them");
        Err(Failure::new("limit", message, false))
    }

    /// Sends what was asked for, as the request of this number.
    pub(super) async fn send(&mut self, number: u32) -> Response {
        let Some(asked) = self.asked.take() else {
            return Response::Failed(Failure::new("invalid", "nothing was asked for", false));
        };
        match self.exchange.send(asked, &self.placeholders).await {
            Ok((head, body)) => {
                self.bodies.insert(number, Arc::new(tokio::sync::Mutex::new(body)));
                Response::Head(head)
            }
            Err(failure) => Response::Failed(failure),
        }
    }

    /// What was asked for, for whoever answers it here.
    pub(super) fn asked(&mut self) -> Option<Asked> {
        self.asked.take()
    }

    /// Takes the answer that was given here to the request of this number.
    pub(super) fn answered(&mut self, number: u32, url: String, told: Told) -> Response {
        let (head, body) = told.answer(url);
        self.bodies.insert(number, Arc::new(tokio::sync::Mutex::new(body)));
        Response::Head(head)
    }

    /// Reads more of the answer to a request.
    pub(super) async fn read(&mut self, request: u32) -> Chunk {
        let Some(body) = self.bodies.get(&request) else {
            return Chunk::Failed(Failure::new("invalid", format!("the answer to request {request} was closed"), false));
        };
        let chunk = body.lock().await.read().await;
        if !matches!(chunk, Chunk::Data(_)) {
            self.bodies.remove(&request);
        }
        chunk
    }

    /// The answer to a request, as long as it is open.
    pub(super) fn body(&self, request: u32) -> Option<SharedBody> {
        self.bodies.get(&request).cloned()
    }

    /// Whether a read would not have to wait.
    pub(super) fn has_come(&self, request: u32) -> bool {
        self.bodies.get(&request).is_none_or(|body| body.try_lock().is_ok_and(|mut body| body.has_come()))
    }

    pub(super) fn close(&mut self, request: u32) {
        self.bodies.remove(&request);
    }
}
