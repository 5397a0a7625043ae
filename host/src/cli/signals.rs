//! Being asked to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Waits until a stop is asked for.
pub(super) async fn stopped(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Listens to the signals to stop, Ctrl-C and SIGTERM. The first asks for it; the second stops at once.
pub(super) fn signals() -> watch::Receiver<bool> {
    let (ask, asked) = watch::channel(false);
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    tokio::spawn(async move {
        // Where they cannot be had, whoever sends them ends the process, and nobody is asked.
        let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else { return ask.closed().await };
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = interrupt.recv() => (),
            }
            if first {
                let _ = ask.send(true);
            }
        }
        tracing::warn!("stopped at once");
        std::process::exit(130);
    });
    asked
}
