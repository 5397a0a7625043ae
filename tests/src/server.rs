//! A wf-host process under test.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::artifacts::{self, Language};
use crate::http::Client;
use crate::output::Output;
use crate::patience::{until, until_blocking};

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Serve {
    /// Paths as on the command line.
    pub paths: Vec<String>,
    /// Further arguments.
    pub arguments: Vec<String>,
    /// Further environment variables.
    pub environment: Vec<(String, String)>,
    /// A write beyond the limit of file sizes is an error, not a signal. [`Server::limit_files`] sets the limit.
    pub files_may_be_full: bool,
    /// What is compiled is kept beside the data, for this server alone: it is compiled anew.
    pub compiles_anew: bool,
    /// A certificate to trust, as PEM, where it speaks TLS.
    pub certificate: Option<String>,
}

/// A running server. Killed when dropped.
pub struct Server {
    serve: Serve,
    directory: TempDir,
    child: Child,
    stdout: Output,
    stderr: Output,
    client: Client,
}

impl Serve {
    /// Components by their names.
    pub fn guests(names: &[&str]) -> Serve {
        let paths = names.iter().map(|name| artifacts::guest(name).display().to_string()).collect();
        Serve { paths, ..Serve::default() }
    }

    /// The same of another language.
    pub fn of(language: Language, names: &[&str]) -> Serve {
        let paths = names.iter().map(|name| artifacts::guest_of(language, name).display().to_string()).collect();
        Serve { paths, ..Serve::default() }
    }

    /// That compiles everything itself.
    pub fn anew(mut self) -> Serve {
        self.compiles_anew = true;
        self
    }

    /// With more arguments.
    pub fn with(mut self, arguments: &[&str]) -> Serve {
        self.arguments.extend(arguments.iter().map(|&it| it.to_owned()));
        self
    }

    /// Starts it on a free port, with a data directory of its own, and waits until it is healthy.
    pub async fn start(self) -> Server {
        self.start_on(|_| ()).await
    }

    /// The same, on a data directory that may be made and filled before.
    pub async fn start_on(self, fill: impl FnOnce(&Path)) -> Server {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fill(&directory.path().join("data"));
        let (child, stdout, stderr) = self.spawn(&directory.path().join("data"));
        let mut server = Server { serve: self, directory, child, stdout, stderr, client: Client::new("") };
        server.ready().await;
        server
    }

    fn spawn(&self, data: &Path) -> (Child, Output, Output) {
        let mut command = command();
        if self.files_may_be_full {
            // What is ignored stays ignored in the program that follows.
            let binary = std::mem::replace(&mut command, Command::new("sh"));
            command.args(["-c", r#"trap "" XFSZ; exec "$@""#, "sh"]).arg(binary.get_program()).stdin(Stdio::null());
        }
        command.args(["serve", "--data-dir"]).arg(data);
        if self.compiles_anew {
            command.env("WF_HOST_CACHE_DIR", compiled(data));
        }
        if !self.arguments.iter().any(|it| it == "--port") {
            command.args(["--port", "0"]);
        }
        if !self.arguments.iter().any(|it| it == "--host") {
            command.args(["--host", "127.0.0.1"]);
        }
        command.args(&self.arguments).args(&self.paths).envs(self.environment.iter().cloned());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = Output::of(child.stdout.take().expect("piped"));
        let stderr = Output::of(child.stderr.take().expect("piped"));
        (child, stdout, stderr)
    }
}

impl Server {
    /// Starts one with these components.
    pub async fn start(names: &[&str]) -> Server {
        Serve::guests(names).start().await
    }

    /// Starts one with these components of a language.
    pub async fn of(language: Language, names: &[&str]) -> Server {
        Serve::of(language, names).start().await
    }

    /// The first screen.
    pub fn screen(&self) -> String {
        self.stdout.so_far()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.stderr.so_far()
    }

    /// The data directory; it outlives restarts.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The certificate to trust, as PEM, where it speaks TLS.
    pub fn certificate(&self) -> Option<&str> {
        self.serve.certificate.as_deref()
    }

    /// The folder of compiled code of one that [compiles anew](Serve::anew); it outlives restarts, too.
    pub fn compiled(&self) -> PathBuf {
        compiled(&self.data())
    }

    /// Makes an API key, by the command, and gives it.
    pub fn make_key(&self, name: &str, arguments: &[&str]) -> String {
        self.keys(&[&["add", name], arguments].concat()).trim().to_owned()
    }

    /// What `wf-host keys` says.
    pub fn keys(&self, arguments: &[&str]) -> String {
        let mut command = command();
        command.arg("keys").args(arguments).arg("--data-dir").arg(self.data());
        let output = command.output().expect("the binary starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Panics where `wf-host fsck` finds anything about its store, whether it is up or not.
    pub fn check_store(&self) {
        let output = command().arg("fsck").arg("--data-dir").arg(self.data()).output().expect("the binary starts");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    }

    /// Makes a key, and waits until the server asks for one.
    pub async fn lock(&self, name: &str, arguments: &[&str]) -> String {
        let key = self.make_key(name, arguments);
        until("the server to be locked", async || (self.get("/workflows").await.status == 401).then_some(())).await;
        key
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Changes what a restart loads.
    pub fn load(&mut self, serve: Serve) {
        self.serve = serve;
    }

    /// No file may grow beyond so many bytes, as if the disk were full; none: they may again.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let status = Command::new("prlimit").args([format!("--pid={}", self.pid()), format!("--fsize={limit}:unlimited")]).status();
        assert!(status.expect("`prlimit` exists").success(), "the process takes limits");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it is a child");
    }

    /// Stands still, as on a machine that sleeps, until it is resumed.
    pub fn pause(&self) {
        signal(&self.child, "STOP");
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        signal(&self.child, "CONT");
    }

    /// A graceful stop is asked for.
    pub fn terminate(&self) {
        signal(&self.child, "TERM");
    }

    /// Whether the process has not ended.
    pub fn is_up(&mut self) -> bool {
        self.child.try_wait().expect("it is a child").is_none()
    }

    /// Waits for the end of the process.
    pub fn exited(&mut self) -> ExitStatus {
        until_blocking("the server to stop", || self.child.try_wait().expect("it is a child"))
    }

    /// A graceful stop, to its end.
    pub fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.exited()
    }

    /// Starts it again on the same data, after it has ended.
    pub async fn restart(&mut self) {
        self.begin_restart();
        self.ready().await;
    }

    /// The same, without waiting for anything.
    pub fn begin_restart(&mut self) {
        assert!(self.child.try_wait().expect("it is a child").is_some(), "stop it first");
        (self.child, self.stdout, self.stderr) = self.serve.spawn(&self.data());
    }

    /// The most memory that the process has had, in bytes.
    pub fn memory_max(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The memory that the process has, in bytes.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("what it has");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
    }

    /// How often the process has come upon a page of memory that was not there, or not its own.
    pub fn page_faults(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it runs");
        let fields = stat.rsplit_once(')').expect("its name").1;
        fields.split_whitespace().nth(7).and_then(|it| it.parse().ok()).expect("a number")
    }

    /// The processes that it has started.
    pub fn children(&self) -> Vec<u32> {
        let pids = std::fs::read_dir("/proc").expect("processes").flatten().filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok());
        let parent = format!("PPid:\t{}\n", self.pid());
        pids.filter(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| status.contains(&parent))).collect()
    }

    /// How many descriptors the process has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it runs").count()
    }

    /// The sizes in bytes of all files below the data directory.
    pub fn file_sizes(&self) -> Vec<u64> {
        let (mut sizes, mut folders) = (Vec::new(), vec![self.data()]);
        while let Some(folder) = folders.pop() {
            // What goes meanwhile is not there.
            for (path, file) in
                std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|it| Some((it.path(), it.metadata().ok()?)))
            {
                match file.is_dir() {
                    true => folders.push(path),
                    false => sizes.push(file.len()),
                }
            }
        }
        sizes
    }

    /// Whether the process has a file open whose name ends so.
    pub fn has_open(&self, end: &str) -> bool {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.pid())).into_iter().flatten().flatten();
        files.filter_map(|it| std::fs::read_link(it.path()).ok()).any(|it| it.to_string_lossy().ends_with(end))
    }

    /// The longest of the files below the data directory, in bytes.
    pub fn longest_file(&self) -> u64 {
        let files = std::fs::read_dir(self.data()).expect("the data directory").flatten();
        files.filter_map(|it| it.metadata().ok()).map(|it| it.len()).max().unwrap_or(0)
    }

    /// `kill -9`, and starts it again on the same data.
    pub async fn crash(&mut self) {
        self.kill();
        self.restart().await;
    }

    async fn ready(&mut self) {
        let url = until("the server to listen", async || self.listening()).await;
        self.client = Client::trusting(&url, None, self.serve.certificate.as_deref());
        until("the server to be healthy", async || (self.get("/health").await.status == 200).then_some(())).await;
    }

    fn listening(&mut self) -> Option<String> {
        if let Some(status) = self.child.try_wait().expect("it is a child") {
            panic!("the server ended with {status} instead of starting:\n{}{}", self.stdout.whole(), self.stderr.whole());
        }
        let screen = self.stdout.so_far();
        let (_, rest) = screen.split_once("listening on")?;
        let (url, _) = rest.split_once('\n')?;
        Some(url.trim().to_owned())
    }
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before; either way no process stays behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            self.show_log();
        }
    }
}

impl Server {
    #[expect(clippy::print_stdout, reason = "shown by the test harness when the test fails")]
    fn show_log(&mut self) {
        println!("--- the server's log ---\n{}", self.stderr.whole());
    }
}

fn compiled(data: &Path) -> PathBuf {
    data.with_file_name("compiled")
}

/// The binary, without this machine's settings.
pub fn command() -> Command {
    let mut command = Command::new(artifacts::binary());
    let ours = |name: &str| name.starts_with("WF_HOST_") || name.starts_with("WORKFLOWS_PY_") || name == "RUST_LOG";
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    // Code that is compiled once is compiled for all tests.
    command.stdin(Stdio::null()).env("WF_HOST_CACHE_DIR", artifacts::cache());
    command
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(status.expect("`kill` exists").success(), "the process takes signals");
}
