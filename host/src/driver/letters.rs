//! Commands between hosts: left in the store for the host that owns the run, and answered there.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::claims::LOOK_EVERY;
use super::{Driver, Reply, tell};
use crate::machine::{Answer, Command, letters};
use crate::model::Refusal;
use crate::store::{self, CommandId};

/// An answer may take so long: by then, whoever takes over from a host that was lost has given it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

impl Driver {
    /// Leaves a command for the host that owns the run, and tells whoever asked what it answers.
    pub(super) fn forward(&self, run: String, command: Command<Reply>) {
        let store = &self.0.services.store;
        let (letter, reply) = letters::command(command);
        let (changes, sent) = (store.watch(&run), store.send_command(&run, letter));
        let driver = self.clone();
        self.0.tasks.spawn(async move {
            let answer = match sent.await {
                Ok(letter) => driver.answered(&run, letter, changes).await,
                Err(error) => Err(error.into()),
            };
            tell(reply, answer);
        });
    }

    /// What a command is answered. Where it is not, it is withdrawn: whoever is refused knows that nothing was done.
    async fn answered(&self, run: &str, letter: CommandId, mut changes: watch::Receiver<u64>) -> Answer {
        let store = &self.0.services.store;
        let until = Instant::now() + ANSWERED_WITHIN;
        let refusal = loop {
            changes.mark_unchanged();
            // An answer that came with the end is there once the end is.
            if store.run(run).await.is_ok_and(|run| run.is_none_or(|run| !run.status.is_running())) {
                break Refusal::AlreadyCompleted;
            }
            match store.take_answer(letter).await {
                Ok(Some(answer)) => return self.done(run, &answer).await,
                Err(store::Error::Gone) => return Err(Refusal::NotFound),
                // A store that cannot be asked now can be asked later.
                Ok(None) | Err(_) => (),
            }
            tokio::select! {
                Ok(()) = changes.changed() => (),
                () = tokio::time::sleep(LOOK_EVERY) => (),
                () = tokio::time::sleep_until(until) => {
                    break Refusal::Unavailable("the host that has the run does not answer; nothing was done; ask again".to_owned());
                }
                () = self.0.stopping.cancelled() => break Refusal::stopping(),
            }
        };
        match store.withdraw_command(letter).await {
            Ok(Some(answer)) => self.done(run, &answer).await,
            Ok(None) => Err(refusal),
            Err(store::Error::Gone) => Err(Refusal::NotFound),
            Err(error) => Err(Refusal::Unavailable(format!("the host that has the run may do it later: {error}"))),
        }
    }

    async fn done(&self, run: &str, answer: &[u8]) -> Answer {
        letters::read_answer(answer)?;
        Ok(self.0.services.store.run(run).await?.ok_or(Refusal::NotFound)?.into())
    }

    /// Answers a command of another host.
    pub(super) fn answer(&self, letter: CommandId, answer: Vec<u8>) {
        let answered = self.0.services.store.answer_command(letter, answer);
        self.0.tasks.spawn(async move {
            if let Err(error) = answered.await {
                tracing::warn!("a command of another host could not be answered: {error}");
            }
        });
    }

    /// Refuses all that other hosts have asked of a run: it cannot be loaded here, now or later.
    pub(super) fn refuse(&self, run: String, refusal: Refusal) {
        let driver = self.clone();
        self.0.tasks.spawn(async move {
            let store = &driver.0.services.store;
            let sent = match store.run(&run).await {
                Ok(Some(summary)) => store.commands(summary.key).await,
                Ok(None) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
            match sent {
                Ok(sent) => sent.into_iter().for_each(|(letter, _)| driver.answer(letter, letters::answer(Some(refusal.clone())))),
                Err(error) => tracing::warn!(run.id = run, "run `{run}`: what other hosts have asked cannot be read: {error}"),
            }
        });
    }
}
