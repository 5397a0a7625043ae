//! Commands between hosts: left in the store for the host that owns the run, and answered there.

use tokio::sync::watch;

use super::claims::LOOK_EVERY;
use super::{Driver, Reply, tell};
use crate::machine::letters::{self, Left, Next};
use crate::machine::{Answer, Command};
use crate::model::Refusal;
use crate::store::CommandId;

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
            let answer = match answer {
                Ok(()) => driver.stored(&run).await,
                Err(refusal) => Err(refusal),
            };
            tell(reply, answer);
        });
    }

    /// What a command is answered.
    async fn answered(&self, run: &str, letter: CommandId, mut changes: watch::Receiver<u64>) -> Result<(), Refusal> {
        let services = &self.0.services;
        let mut left = Left::new(letter, services.clock.alive());
        loop {
            changes.mark_unchanged();
            let running = services.store.run(run).await.map_or(true, |run| run.is_some_and(|run| run.status.is_running()));
            let answer = services.store.take_answer(letter).await;
            let open = !self.0.stopping.is_cancelled();
            match left.looked(services.clock.alive(), open, running, answer) {
                Next::Wait => (),
                Next::Withdraw(refusal) => return left.withdrawn(refusal, services.store.withdraw_command(letter).await),
                Next::Tell(answer) => return answer,
            }
            tokio::select! {
                Ok(()) = changes.changed() => (),
                () = tokio::time::sleep(LOOK_EVERY) => (),
                () = self.0.stopping.cancelled() => (),
            }
        }
    }

    async fn stored(&self, run: &str) -> Answer {
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
