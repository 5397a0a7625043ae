//! What must not leave before the append behind it is durable.

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesOrdered, StreamExt};

use super::Reply;
use crate::model::{Frame, Refusal, RunView};
use crate::store;
use crate::tail::Tail;

type Answer = Box<dyn FnOnce(Result<(), Refusal>) + Send>;
type Durable = BoxFuture<'static, store::Result<()>>;

/// What waits for an append.
#[derive(Default)]
pub(super) struct Held {
    pub frames: Vec<Frame>,
    pub ended: Option<RunView>,
    answer: Option<Answer>,
}

/// The appends under way, in their order.
#[derive(Default)]
pub(super) struct Appends(FuturesOrdered<BoxFuture<'static, (store::Result<()>, Held)>>);

impl Held {
    /// An answer to the outside.
    pub(super) fn reply<T: Send + 'static>(reply: Reply<T>, value: T) -> Held {
        // A client that went away needs no answer.
        let answer: Answer = Box::new(move |result| drop(reply.send(result.map(|()| value))));
        Held { answer: Some(answer), ..Held::default() }
    }

    pub(super) fn is_answer(&self) -> bool {
        self.answer.is_some()
    }

    pub(super) fn release(self, tail: &Tail) {
        tail.extend(self.frames);
        if let Some(view) = self.ended {
            tail.end(view);
        }
        if let Some(answer) = self.answer {
            answer(Ok(()));
        }
    }

    pub(super) fn refuse(self, error: &store::Error) {
        self.refuse_with(error.clone().into());
    }

    pub(super) fn refuse_with(self, refusal: Refusal) {
        if let Some(answer) = self.answer {
            answer(Err(refusal));
        }
    }
}

impl Appends {
    /// Holds something until an append is durable; none: until all before it are.
    pub(super) fn push(&mut self, held: Held, durable: Option<Durable>) {
        let result = async move {
            match durable {
                Some(durable) => durable.await,
                None => Ok(()),
            }
        };
        self.0.push_back(result.map(|result| (result, held)).boxed());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next that is durable, or failed.
    pub(super) async fn next(&mut self) -> Option<(store::Result<()>, Held)> {
        self.0.next().await
    }
}
