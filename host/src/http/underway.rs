//! What is under way on a connection, and whether it is idle.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::watch;

/// How many requests of a connection have no whole answer yet.
#[derive(Default)]
pub(super) struct Underway(watch::Sender<usize>);

/// One of them, until it is dropped.
pub(super) struct Begun(watch::Sender<usize>);

/// The body of an answer, which is under way until it has gone.
pub(super) struct Answering<B> {
    body: B,
    _begun: Begun,
}

impl Underway {
    pub(super) fn begin(&self) -> Begun {
        self.0.send_modify(|requests| *requests += 1);
        Begun(self.0.clone())
    }

    /// Ends when nothing has been under way for so long.
    pub(super) fn idle(&self, most: Duration) -> impl Future<Output = ()> + Send + use<> {
        let mut requests = self.0.subscribe();
        async move {
            loop {
                let most = if *requests.borrow_and_update() == 0 { most } else { Duration::MAX };
                match tokio::time::timeout(most, requests.changed()).await {
                    Ok(Ok(())) => (),
                    // Or the connection has ended.
                    Ok(Err(_)) | Err(_) => return,
                }
            }
        }
    }
}

impl Begun {
    pub(super) fn with<B>(self, body: B) -> Answering<B> {
        Answering { body, _begun: self }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}

impl<B: Body + Unpin> Body for Answering<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_connection_is_idle_once_its_last_answer_has_gone_and_not_before() {
        let underway = Underway::default();
        let mut idle = std::pin::pin!(underway.idle(SHORT));
        let (first, second) = (underway.begin(), underway.begin().with(()));
        assert!(tokio::time::timeout(5 * SHORT, &mut idle).await.is_err(), "two are under way");
        drop(first);
        assert!(tokio::time::timeout(5 * SHORT, &mut idle).await.is_err(), "the body of one still goes out");
        drop(second);
        idle.await;
    }

    #[tokio::test]
    async fn one_that_asks_for_nothing_is_idle_from_the_first() {
        let underway = Underway::default();
        underway.idle(SHORT).await;
    }
}
