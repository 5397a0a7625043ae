//! The process in which a server compiles one component. Nobody else calls it.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rlimit::Resource;

use crate::runtime::{Compiler, LoadError, Work, make};

/// Whoever waits for an answer of the server comes first.
const NICE: i32 = 10;

/// Makes one component, or code of one, of what stdin gives: its length in eight bytes, and itself. Ends with stdin.
#[derive(Args)]
pub(super) struct CompileComponent {
    /// Make a component of a core module.
    #[arg(long)]
    encode: bool,
    /// Make code of a core module that components share.
    #[arg(long)]
    library: bool,
    /// Most time of processors, in seconds.
    seconds_max: u64,
    /// Most memory, in bytes.
    memory_max: u64,
}

/// Processes of this very program, whatever has taken its place on disk since it was started.
pub(super) fn compiler() -> Compiler {
    if cfg!(target_os = "linux") {
        return Compiler::Child(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().map_or(Compiler::Here, Compiler::Child)
}

impl CompileComponent {
    /// What was made, on stdout; or, with exit code 1, why it could not be.
    pub(super) fn run(&self) -> ExitCode {
        let made = self.limit().and_then(|()| read()).map_err(|error| LoadError::new(error.to_string(), "this is a defect of wf-host"));
        let work = match (self.encode, self.library) {
            (true, _) => Work::Encode,
            (_, true) => Work::Library,
            _ => Work::Compile,
        };
        let made = made.and_then(|bytes| make(work, &bytes));
        let (code, answer) = match made {
            Ok(made) => (ExitCode::SUCCESS, made),
            Err(error) => (ExitCode::FAILURE, serde_json::to_vec(&error).unwrap_or_default()),
        };
        let mut stdout = std::io::stdout();
        match stdout.write_all(&answer).and_then(|()| stdout.flush()) {
            Ok(()) => code,
            // The server has gone.
            Err(_) => ExitCode::from(2),
        }
    }

    fn limit(&self) -> std::io::Result<()> {
        Resource::CORE.set(0, 0)?;
        let seconds = self.seconds_max.max(1);
        // Past the second it is killed whatever happens.
        lower(Resource::CPU, seconds, seconds.saturating_add(1))?;
        lower(Resource::DATA, self.memory_max, self.memory_max)?;
        let nice = rustix::process::getpriority_process(None).unwrap_or_default();
        // Without a lower priority it is as good, and slower for others.
        let _ = rustix::process::setpriority_process(None, nice.saturating_add(NICE));
        Ok(())
    }
}

/// A limit that is lower already stays.
fn lower(resource: Resource, soft: u64, hard: u64) -> std::io::Result<()> {
    let (now_soft, now_hard) = resource.get()?;
    resource.set(soft.min(now_soft), hard.min(now_hard))
}

/// What is to be worked on. From there on the process ends when stdin does, with the server.
fn read() -> std::io::Result<Vec<u8>> {
    let mut stdin = std::io::stdin();
    let mut length = [0; 8];
    stdin.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut bytes = Vec::new();
    stdin.lock().take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut rest = [0; 1];
        let _ = stdin.read(&mut rest);
        std::process::exit(2);
    })?;
    Ok(bytes)
}
