//! A `wf-host dev` that is worked with.

use std::path::Path;
use std::process::{Child, Stdio};

use crate::artifacts::cache;
use crate::output::Output;
use crate::{Client, server, until};

/// It, until it is dropped.
pub struct Dev {
    child: Child,
    /// Who asks it.
    pub client: Client,
    /// What it has said.
    pub stderr: Output,
}

impl Dev {
    /// Of the project in a folder.
    pub async fn start(project: &Path) -> Dev {
        Dev::of(project, &["dev", "--port", "0"]).await
    }

    /// By these arguments.
    pub async fn of(project: &Path, arguments: &[&str]) -> Dev {
        let mut command = server::command();
        command.args(arguments).env("WF_HOST_CACHE_DIR", cache()).current_dir(project).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let (stdout, stderr) = (Output::of(child.stdout.take().expect("piped")), Output::of(child.stderr.take().expect("piped")));
        let url = until("dev to listen", async || {
            let screen = stdout.so_far();
            Some(screen.split_once("listening on")?.1.split_once('\n')?.0.trim().to_owned())
        })
        .await;
        Dev { child, client: Client::new(&url), stderr }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
