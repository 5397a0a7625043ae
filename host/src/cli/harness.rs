//! `wf-host harness`: what tests ask of workflows, by lines of JSON.

use std::io::{BufRead, ErrorKind, Read};
use std::path::Path;

use clap::Args;
use tokio::sync::mpsc;

use super::build::Project;
use super::grants::Flags;
use super::layers::Layers;
use super::screen::out;
use super::{Problem, offline};
use crate::harness::{Mistake, line};
use crate::host::Host;
use crate::registry::Source;
use crate::sources;

/// Longest request, in bytes: a state and an event as large as they may be fit in.
const LINE_MAX: usize = 32 << 20;

/// Runs workflows for tests, which ask it by lines of JSON.
///
/// A request is a line on stdin, its answer a line on stdout. What runs is what `serve` runs, on a store in memory: the component itself in its sandbox, the same checks of what
/// comes in. The clock stands still but where it is moved, so sleeps, retries and timeouts take no time. Steps fail and
/// hosts are restarted where the test says so, requests to the outside are answered by the test, and nothing leaves. One
/// step runs at a time, and chance goes by a seed: a run goes the same way again.
///
/// The packages for Python, TypeScript and Go have this behind a few calls for the language's own test runner. A file
/// that is no `.wasm` is built first, as by `wf-host build`. guest-sdk/HARNESS.md has every key of every request.
#[derive(Args)]
#[command(after_help = r#"A session, > being what is written to it:
  $ wf-host harness order.wasm
    {"harness":1,"wf_host":"0.1.0","workflows":[{"name":"order","start":"StartEvent","steps":["pay"]}]}
  > {"do":"start","event":{"item":"tea"},"fail":[{"step":"pay","message":"no money"}],"restart_at":"every"}
    {"status":"running","now":0.0,"next":60.0,"events":[],"points":1,"restarts":1}
  > {"do":"advance","seconds":60}
    {"status":"running","now":60.0,"waits":[{"types":["Approved"],"step":"pay","invocation":0,"request":4}],"events":[{"value":{"item":"tea"},"type":"ApprovalNeeded", …}], …}
  > {"do":"send","event":{"type":"Approved","value":{"by":"Ada"}}}
    {"status":"completed","now":60.0,"events":[…],"result":"paid", …}
  > {"do":"send","event":{"type":"Approved","value":{"by":"Ada"}}}
    {"error":"the run has ended","hint":"`{\"do\":\"start\",\"event\":{…}}` starts another"}
  > {"do":"end"}

To do: start, send, advance, finish, cancel, restart; to look at: state, log, requests, attempts, replay; end, as the input's end does.
"#)]
pub(super) struct Harness {
    /// What to test: a `.wasm` file, `name=path`, `name=path+path`, a directory of them; or what `wf-host build` takes.
    #[arg(required = true, value_name = "COMPONENT")]
    components: Vec<String>,
    /// Fetch nothing to build with: say what is missing.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    grants: Flags,
}

impl Harness {
    pub(super) async fn run(self, mut layers: Layers<'_>) -> Result<(), Problem> {
        let offline = self.offline;
        let host = offline::host(None, self.grants.config(&mut layers)?).await?;
        if let Err(problem) = load(&host, &self.components, offline).await {
            let hint = problem.hinted().unwrap_or("`wf-host check` says more");
            out(&format!("{}\n", line(&Mistake::new(problem.message(), hint))))?;
            return Err(problem);
        }
        let mut harness = host.harness();
        out(&format!("{}\n", harness.hello()))?;
        let mut lines = read_lines();
        while let Some(asked) = lines.recv().await {
            let answer = match asked {
                Ok(asked) if asked.trim_ascii().is_empty() => continue,
                Ok(asked) => harness.answer(&asked).await,
                Err(mistake) => Some(line(&mistake)),
            };
            match answer {
                Some(answer) => out(&format!("{answer}\n"))?,
                None => break,
            }
        }
        Ok(())
    }
}

/// Loads them all.
async fn load(host: &Host, arguments: &[String], offline: bool) -> Result<(), Problem> {
    for argument in arguments {
        for source in sources_of(host, argument, offline).await? {
            host.load(&source).await?;
        }
    }
    Ok(())
}

/// The files that an argument names, built where they are sources.
async fn sources_of(host: &Host, argument: &str, offline: bool) -> Result<Vec<Source>, Problem> {
    let path = Path::new(argument);
    let is_source = path.is_file() && path.extension().is_none_or(|it| it != "wasm");
    if !is_source && !path.is_dir() {
        return Ok(sources::sources(argument)?);
    }
    let mut project = match Project::find(path, offline) {
        Ok(project) => project,
        // A folder of components is none.
        Err(problem) => return if is_source { Err(problem) } else { Ok(sources::sources(argument)?) },
    };
    Ok(project.build(host).await?.wasm.into_iter().map(Source::file).collect())
}

/// Lines of stdin, from a thread of their own: a read cannot be interrupted. One that is too long is passed over.
fn read_lines() -> mpsc::Receiver<Result<Vec<u8>, Mistake>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while let Some(line) = next_line(&mut input) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// None: there are no more.
fn next_line(input: &mut impl BufRead) -> Option<Result<Vec<u8>, Mistake>> {
    let mut line = Vec::new();
    let read = input.by_ref().take(LINE_MAX as u64 + 1).read_until(b'\n', &mut line);
    if read.ok()? == 0 {
        return None;
    }
    if line.len() <= LINE_MAX || line.ends_with(b"\n") {
        return Some(Ok(line));
    }
    skip_line(input);
    let message = format!("the request has more than {LINE_MAX} bytes (limit line_max)");
    Some(Err(Mistake::new(message, "no event and no state is as large")))
}

fn skip_line(input: &mut impl BufRead) {
    loop {
        let (used, ends) = match input.fill_buf() {
            Ok([]) => return,
            Ok(bytes) => bytes.iter().position(|it| *it == b'\n').map_or((bytes.len(), false), |at| (at + 1, true)),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        input.consume(used);
        if ends {
            return;
        }
    }
}
