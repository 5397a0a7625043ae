//! Who waits for a run's end, wherever it comes.

use tokio::sync::oneshot;

use super::{Driver, told};
use crate::machine::{Answer, WaiterId};
use crate::model::Refusal;
use crate::tail::Moves;

/// Somebody who waits for a run's end.
pub(crate) struct Waiter {
    driver: Driver,
    run: String,
    id: WaiterId,
    answer: oneshot::Receiver<Answer>,
    moves: Moves,
}

impl Waiter {
    /// Whoever waits looks at the run afterwards: it may have ended before.
    pub(super) fn new(driver: &Driver, run: &str, id: WaiterId, answer: oneshot::Receiver<Answer>) -> Waiter {
        let services = &driver.0.services;
        let moves = Moves::of(services.store.clone(), services.tails.of(run), run);
        Waiter { driver: driver.clone(), run: run.to_owned(), id, answer, moves }
    }

    /// How the run has ended.
    pub async fn ended(mut self) -> Answer {
        loop {
            tokio::select! {
                biased;
                answer = told(&mut self.answer) => return answer,
                () = self.moves.next() => (),
            }
            self.moves.look();
            // Looked at before: a run has its place until it is stored, and may leave while the store answers.
            let here = self.driver.table().owners.has(&self.run);
            match self.driver.0.services.store.run(&self.run).await? {
                Some(run) if !run.status.is_running() => return Ok(run.into()),
                // Who has it here says what became of it.
                None if !here => return Err(Refusal::NotFound),
                Some(_) | None => (),
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.driver.table().owners.unwait(&self.run, self.id);
    }
}
