//! `wf-host dev`: builds, serves, and does it again after each save.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use futures_util::future::join_all;
use notify_debouncer_mini::notify::RecursiveMode;
use notify_debouncer_mini::{DebounceEventResult, new_debouncer};
use tokio::sync::mpsc;

use super::build::Project;
use super::layers::{Layers, Noted};
use super::serve::{self, Options, Settings};
use super::{Problem, progress, screen};
use crate::host::Host;
use crate::model::Workflow;
use crate::registry::{Change, Rejected, Source};
use crate::store::Kept;

/// Nobody else needs to see what is being written.
const HOST: &str = "127.0.0.1";
/// A store of this size is spoken of, in bytes.
const LARGE: u64 = 512 << 20;
/// Saves that come within this are built once.
const DEBOUNCE: Duration = Duration::from_millis(20);
/// Followed by itself: what a workflow may do is no part of it.
const CONFIG: &str = "wf-host.toml";
/// Folders that hold no sources.
const NO_SOURCES: [&str; 7] = ["target", "node_modules", ".git", ".wf-host", "__pycache__", "venv", ".venv"];

/// Builds a project, serves it, and does both again after each save.
///
/// A build that fails leaves the version before it serving; its messages show here and on the page.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host dev              the project in this folder, at http://127.0.0.1:8080
  wf-host dev hello --port 9000
  wf-host dev my_server.py    a file of LlamaIndex workflows, as it is
  wf-host dev flow.ts         a workflow in TypeScript
  wf-host dev flow.c          a workflow in C
  wf-host dev --break price   each run waits before its step `price`
")]
pub(super) struct Dev {
    /// The project's folder, or a file in Python, TypeScript, JavaScript, C, C++ or Zig.
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
    /// Fetch nothing: say what is missing.
    #[arg(long)]
    offline: bool,
    /// Open the page in a browser.
    #[arg(long)]
    open: bool,
    /// Where runs wait: before a step, or before each step that is given an event of a type. The page shows what waits, and
    /// lets it go on, with another event where you like. May be repeated.
    #[arg(long = "break", value_name = "STEP|EVENT")]
    breaks: Vec<String>,
    #[command(flatten)]
    options: Options,
}

impl Dev {
    /// The file that was asked for.
    pub(super) fn file(&self) -> Option<&Path> {
        self.options.config.as_deref()
    }

    /// Brings the layers together.
    pub(super) fn settle(self, layers: &mut Layers) -> Result<Settings, Problem> {
        self.options.settle(layers, HOST)
    }

    /// `again`: the settings, with the file as it is then.
    pub(super) async fn run(self, mut layers: Layers<'_>, again: fn() -> Result<(Noted, Settings), Problem>) -> Result<(), Problem> {
        let mut project = Project::find(&self.path, self.offline)?;
        let settings = self.options.settle(&mut layers, HOST)?;
        let mut server = serve::Server::start(&settings).await?;
        server.host.break_at(self.breaks.iter().cloned());
        let (saved, mut saves) = mpsc::unbounded_channel();
        let _watching = watch(project.dir(), saved)?;
        let kept = settings.kept();
        let mut current = Current { host: server.host.clone(), sources: Vec::new(), path: self.path.clone(), kept, large: LARGE };
        let mut sources = Sources::of(&project);
        current.build(&mut project, None).await;
        check_breaks(&self.breaks, &server.host);
        server.follow(layers.noted(), again);
        let url = server.show(&screen::Content { workflows: server.host.workflows(), resumed: server.host.resume().await? });
        if self.open {
            browse(&url);
        }
        // One and the same, so that a signal during a build is not lost.
        let mut stopped = std::pin::pin!(server.stopped());
        loop {
            tokio::select! {
                () = &mut stopped => return Ok(()),
                Some(()) = saves.recv() => {
                    let now = Sources::of(&project);
                    if now == sources {
                        continue;
                    }
                    let saved = now.saved_since(&sources);
                    sources = now;
                    tokio::select! {
                        () = &mut stopped => return Ok(()),
                        () = current.build(&mut project, saved) => (),
                    }
                }
            }
        }
    }
}

/// Says where no run will ever wait. A build that has failed may have had it.
fn check_breaks(breaks: &[String], host: &Host) {
    let workflows = host.workflows();
    let has = |workflow: &Workflow, name: &str| workflow.definition.step(name).is_some() || !workflow.definition.accepting(name).is_empty();
    for name in breaks.iter().filter(|name| !workflows.is_empty() && !workflows.iter().any(|it| has(it, name))) {
        let steps: Vec<&str> = workflows.iter().flat_map(|it| it.definition.steps()).map(|step| &*step.name).collect();
        Problem::new(format!("no run waits at `--break {name}`: there is no such step, and none that is given such an event"))
            .hint(format!("the steps are {}", steps.join(", ")))
            .warn();
    }
}

/// What is served of the project.
struct Current {
    host: Host,
    /// One for each workflow.
    sources: Vec<Source>,
    path: PathBuf,
    kept: Option<Kept>,
    /// From this size on the store is spoken of again.
    large: u64,
}

impl Current {
    /// What an earlier build has made of a project that cannot be built now.
    async fn load_built_before(&mut self, project: &Project) {
        for path in project.built_before() {
            let source = Source::file(path);
            if self.host.load(&source).await.is_ok() {
                self.sources.push(source);
            }
        }
    }

    #[expect(clippy::print_stderr, reason = "the command line's own output")]
    async fn build(&mut self, project: &mut Project, saved: Option<SystemTime>) {
        let built = match project.build(&self.host).await {
            Ok(built) => built,
            Err(problem) => {
                if self.sources.is_empty() {
                    self.load_built_before(project).await;
                }
                let nothing = Source::file(self.path.clone());
                let source = self.sources.first().unwrap_or(&nothing);
                self.host.reject(source, Rejected { message: problem.message().to_owned(), hint: None });
                if !matches!(project, Project::Cargo(_)) {
                    problem.report();
                }
                eprintln!(
                    "error: the build failed{}",
                    if self.sources.is_empty() { "; waiting for the next save" } else { "; the version before goes on" }
                );
                return;
            }
        };
        let sources: Vec<Source> = built.wasm.iter().map(|path| Source::file(path.clone())).collect();
        let loading = Instant::now();
        // At the same time, and in their order.
        let loaded = join_all(sources.iter().map(|source| self.host.prepare(source))).await;
        let several = sources.len() > 1;
        let (mut same, mut names) = (true, Vec::new());
        for loaded in loaded {
            let (workflow, change) = match self.host.register(loaded) {
                Ok(loaded) => loaded,
                Err(rejected) => {
                    Problem::from(rejected).warn();
                    same = false;
                    continue;
                }
            };
            names.push(workflow.name.clone());
            let changes = match change {
                Change::None => continue,
                Change::Swapped(changes) if !changes.is_empty() => format!(": {}", changes.join(", ")),
                _ => String::new(),
            };
            same = false;
            let since = saved.and_then(|saved| saved.elapsed().ok()).map(|since| format!(", {since:.2?} since the save"));
            // Of several nobody knows what each took: they were built at once.
            let took = if several { String::new() } else { format!(" in {:.2?}, loaded in {:.0?}", built.took, loading.elapsed()) };
            eprintln!("built `{}`{took}{}{changes}", workflow.name, since.unwrap_or_default());
        }
        if same {
            eprintln!("built in {:.2?}: the same as before", built.took);
        } else if several {
            eprintln!("built {} workflows in {:.2?}, loaded in {:.0?}", sources.len(), built.took, loading.elapsed());
        }
        // Until the first build there was only the path to name.
        self.host.retire(&Source::file(self.path.clone()));
        for gone in self.sources.iter().filter(|it| !sources.contains(it)) {
            let retired = self.host.retire(gone);
            if let Some(gone) = retired.filter(|it| !names.contains(&it.name)) {
                eprintln!("`{}` is served no more; its runs go on", gone.name);
            }
        }
        if !same {
            self.host.drop_unneeded().await;
        }
        let size = self.kept.as_ref().map_or(0, Kept::size);
        if size >= self.large {
            self.large = size * 2;
            Problem::new(format!("the store takes {}: each version of a workflow stays for as long as it has runs", progress::size(size)))
                .hint("`runs_kept = 20` below `[workflows.NAME]` in wf-host.toml lets the oldest go; `wf-host store` shows what takes the space")
                .warn();
        }
        self.sources = sources;
    }
}

/// The files of a project, when each was last written, its length, and when it came to be there.
#[derive(PartialEq, Eq)]
struct Sources(HashMap<PathBuf, (SystemTime, u64, SystemTime)>);

impl Sources {
    fn of(project: &Project) -> Sources {
        // Where this command writes to, a build would be followed by the next.
        let own: Vec<_> = ["/dev/stdout", "/dev/stderr"].iter().filter_map(|it| Some(file(&std::fs::metadata(it).ok()?))).collect();
        let mut found = HashMap::new();
        let mut folders = vec![project.dir().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
                if metadata.is_dir() {
                    if is_source(&path) {
                        folders.push(path);
                    }
                // Beside the sources lies what has nothing to do with them: logs, results, notes.
                } else if is_source(&path) && !own.contains(&file(&metadata)) && project.has(&path) {
                    found.insert(path, (metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), metadata.len(), came(&metadata)));
                }
            }
        }
        Sources(found)
    }

    /// When the newest of those that changed was written; none: one was deleted.
    fn saved_since(&self, before: &Sources) -> Option<SystemTime> {
        self.0.iter().filter(|(path, version)| before.0.get(*path) != Some(version)).map(|(_, (_, _, came))| *came).max()
    }
}

/// Which file it is, by whatever name.
fn file(metadata: &std::fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// When a file came to be as it is: one that was moved or copied there may have been written long before.
fn came(metadata: &std::fs::Metadata) -> SystemTime {
    let changed = u64::try_from(metadata.ctime()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::new(changed, u32::try_from(metadata.ctime_nsec()).unwrap_or_default())
}

/// Neither made by a build, nor by what runs, nor by an editor on the way to a save.
fn is_source(path: &Path) -> bool {
    let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
    let made = ["wasm", "new", "lock", "log", "swp", "tmp"].iter().any(|it| path.extension().is_some_and(|extension| extension == *it));
    !made && name != CONFIG && !NO_SOURCES.contains(&name) && !name.ends_with('~')
}

type Watching = notify_debouncer_mini::Debouncer<notify_debouncer_mini::notify::RecommendedWatcher>;

fn watch(dir: &Path, saved: mpsc::UnboundedSender<()>) -> Result<Watching, Problem> {
    // As the paths that are told of are: whole. What lies above the project says nothing of it.
    let root = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let notice = move |events: DebounceEventResult| {
        let inside = |path: &Path| path.strip_prefix(&root).unwrap_or(path).ancestors().all(is_source);
        if events.map_or(true, |events| events.iter().any(|it| inside(&it.path))) {
            // Nobody listens once the command ends.
            let _ = saved.send(());
        }
    };
    let problem = |error| {
        Problem::new(format!("`{}` cannot be watched: {error}", dir.display()))
            .hint("build with `wf-host build`, and `wf-host serve` the result")
    };
    let mut debouncer = new_debouncer(DEBOUNCE, notice).map_err(problem)?;
    debouncer.watcher().watch(dir, RecursiveMode::Recursive).map_err(problem)?;
    Ok(debouncer)
}

/// Where no browser can be opened, the URL stands on the screen.
fn browse(url: &str) {
    if let Err(error) = std::process::Command::new("xdg-open").arg(url).spawn() {
        Problem::new(format!("no browser could be opened: {error}")).hint(format!("open {url}")).warn();
    }
}
