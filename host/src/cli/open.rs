//! `wf-host open`: the runs of a file in the debugger's page, to be looked at.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::screen::out;
use super::signals::{signals, stopped};
use super::{Problem, offline};
use crate::care::bundle::Bundle;
use crate::config::Config;
use crate::http;
use crate::store::{Memory, Store};

/// Shows the runs of a file in the debugger's page: as they were, and nothing can be done to them.
///
/// No step is run, nothing is kept, and no server has to be there.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host export vHhEB2Vyg9 -o run.wfrun --redact email
  wf-host open run.wfrun
")]
pub(super) struct Open {
    /// What `wf-host export` has made.
    file: PathBuf,
    /// The port to listen on, on this machine alone; 0 for any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

impl Open {
    pub(super) async fn run(self) -> Result<(), Problem> {
        let Open { file, port } = self;
        let (bundle, file) =
            tokio::task::spawn_blocking(move || (Bundle::read(&file), file)).await.map_err(|error| Problem::new(error.to_string()))?;
        let Bundle { runs, components } = bundle?;
        let (store, count) = (Arc::new(Memory::default()), runs.len());
        for (digest, (bytes, manifest)) in components {
            store.put_component(&digest, bytes, manifest).await?;
        }
        runs.into_iter().for_each(|run| store.show(run));
        let asked = signals();
        let host = offline::host(Some(store), Config::default()).await?;
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
            Problem::new(format!("cannot listen on 127.0.0.1:{port}: {error}")).hint("choose another with `--port`; 0 takes any free one")
        })?;
        let address = listener.local_addr().map_err(|error| Problem::new(error.to_string()))?;
        let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let options = http::Options { read_only: Some(name), ..http::Options::default() };
        // Nobody changes them.
        let (_options, options) = watch::channel(options);
        host.resume().await?;
        let runs = if count == 1 { "1 run".to_owned() } else { format!("{count} runs") };
        out(&format!("`{}` holds {runs}, to be looked at: http://{address}/\n", file.display()))?;
        http::serve(host.clone(), options, listener, stopped(asked)).await.map_err(|error| Problem::new(error.to_string()))?;
        host.stop().await;
        Ok(())
    }
}
