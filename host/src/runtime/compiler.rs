//! Compiling, where it can harm nobody: it has a limit of time and of memory, and keeps off whoever answers.

use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

use super::{LoadError, blocking, engine, memory, shape};
use crate::model::Limits;

/// A busy machine lets a compiler wait: it may take so many times longer by the wall than it may compute.
const WALL: u32 = 5;
/// What is made of a file may be so many times larger.
const GROWTH: u64 = 4;

/// Where components are compiled.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// In processes of this program, which is wf-host, of this very version.
    Child(PathBuf),
    /// In this process, one after the other: `component_max` alone bounds what that takes.
    #[default]
    Here,
}

/// What is made of what.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// A component, of a core module.
    Encode,
    /// Code of this machine, of a component.
    Compile,
    /// The same, of a core module that components share.
    Library,
}

/// Makes it in this process, without a limit.
pub fn make(work: Work, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    match work {
        Work::Encode => shape::component(bytes),
        Work::Compile => {
            let code = engine::unpooled().and_then(|engine| engine.precompile_component(bytes));
            code.map_err(|error| engine::unfit(&error))
        }
        Work::Library => {
            let code = engine::unpooled().and_then(|engine| engine.precompile_module(bytes));
            code.map_err(|error| engine::unfit(&error))
        }
    }
}

pub(super) struct Compilers {
    compiler: Compiler,
    limits: Limits,
    /// For as many at once as there are cores, and memory for what each may take.
    room: Semaphore,
}

impl Compilers {
    pub(super) fn new(compiler: Compiler, limits: &Limits) -> Compilers {
        let room = match compiler {
            Compiler::Here => 1,
            Compiler::Child(_) => {
                let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
                let fit = memory::half_of_the_machine().map_or(u64::MAX, |half| half / limits.compile_memory_max.max(1));
                cores.min(usize::try_from(fit).unwrap_or(usize::MAX)).max(1)
            }
        };
        Compilers { compiler, limits: limits.clone(), room: Semaphore::new(room) }
    }

    /// Waits until there is room, and makes it.
    pub(super) async fn make(&self, work: Work, bytes: Bytes) -> Result<Vec<u8>, LoadError> {
        let _room = self.room.acquire().await.expect("never closed");
        let made = match &self.compiler {
            // It may take minutes, and has its room: nobody else waits for a turn meanwhile.
            Compiler::Here => blocking(move || make(work, &bytes)).await,
            Compiler::Child(program) => {
                let made = tokio::time::timeout(self.limits.compile_max.saturating_mul(WALL), self.child(program, work, &bytes));
                made.await.unwrap_or_else(|_| Err(self.too_long()))
            }
        }?;
        let max = self.made_max();
        let message = || format!("what is made of it has more than {max} bytes (four times component_max)");
        if made.len() as u64 <= max { Ok(made) } else { Err(LoadError::new(message(), "leave out what it does not need")) }
    }

    fn made_max(&self) -> u64 {
        self.limits.component_max.saturating_mul(GROWTH)
    }

    /// The process ends when this is dropped, and with this process, because its stdin ends.
    async fn child(&self, program: &Path, work: Work, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
        let Limits { compile_max, compile_memory_max, .. } = &self.limits;
        let mut command = Command::new(program);
        command
            .arg("compile-component")
            .args(match work {
                Work::Encode => Some("--encode"),
                Work::Library => Some("--library"),
                Work::Compile => None,
            })
            .arg(format!("{:.0}", compile_max.as_secs_f64().ceil()))
            .arg(compile_memory_max.to_string())
            // What the server knows is none of its business.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An interrupt on the terminal is for the server, which stops gracefully.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        let (Some(mut stdin), Some(stdout), Some(mut stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(failed(&"it has no pipes"));
        };
        tracing::debug!("compiling in process {}", child.id().unwrap_or_default());
        let give = async {
            // Where it has ended before it took everything, its end says why.
            let _ = stdin.write_all(&(bytes.len() as u64).to_le_bytes()).await;
            let _ = stdin.write_all(bytes).await;
        };
        let (mut made, mut said) = (Vec::new(), Vec::new());
        // One that writes more is not waited for: it can write no more once this is over.
        let (most, into) = (self.made_max().saturating_add(1), &mut made);
        let take = async move {
            let mut stdout = stdout.take(most);
            stdout.read_to_end(into).await.map(|_| stdout.limit() == 0)
        };
        let (_, taken, told) = tokio::join!(give, take, stderr.read_to_end(&mut said));
        let too_much = taken.map_err(|error| failed(&error))?;
        told.map_err(|error| failed(&error))?;
        if too_much {
            return Ok(made);
        }
        let status = child.wait().await.map_err(|error| failed(&error))?;
        drop(stdin);
        match status.code() {
            Some(0) => Ok(made),
            Some(1) => Err(serde_json::from_slice(&made).unwrap_or_else(|_| self.ended(status, &said))),
            _ => Err(self.ended(status, &said)),
        }
    }

    /// Why it did not come to an answer.
    fn ended(&self, status: ExitStatus, said: &[u8]) -> LoadError {
        const XCPU: i32 = rustix::process::Signal::XCPU.as_raw();
        let said = String::from_utf8_lossy(said);
        match status.signal() {
            Some(XCPU) => self.too_long(),
            _ if ["memory allocation of", "Cannot allocate memory"].iter().any(|it| said.contains(it)) => {
                let most = self.limits.compile_memory_max >> 20;
                LoadError::new(
                    format!("compiling it needed more than {most} MiB (limit compile_memory_max)"),
                    "split large functions, or raise the limit",
                )
            }
            _ => {
                let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
                failed(&format_args!("{status}; {last}"))
            }
        }
    }

    fn too_long(&self) -> LoadError {
        let most = self.limits.compile_max;
        LoadError::new(format!("compiling it took more than {most:?} (limit compile_max)"), "split large functions, or raise the limit")
    }
}

fn failed(error: &dyn std::fmt::Display) -> LoadError {
    let message = format!("it could not be compiled, because the compiler's process failed: {error}");
    LoadError { passing: true, ..LoadError::new(message, "see whether the machine has memory and processes left, and try again") }
}

#[cfg(test)]
mod tests {
    use wf_tests::wasm::Module;

    use super::*;

    #[tokio::test]
    async fn here_one_is_compiled_after_the_other() {
        let component = |module: Module| Bytes::from(shape::component(&module.binary()).expect("a component"));
        let (large, small) = (component(Module::laborious("large", 1)), component(Module::sound("small")));
        let compilers = Compilers::new(Compiler::Here, &Limits::default());
        let order = std::sync::Mutex::new(Vec::new());
        let made = async |what: &'static str, bytes: &Bytes| {
            compilers.make(Work::Compile, bytes.clone()).await.expect("it compiles");
            order.lock().expect("no panic").push(what);
        };
        // The small one alone would be done long before.
        tokio::join!(made("large", &large), made("small", &small));
        assert_eq!(*order.lock().expect("no panic"), ["large", "small"]);
    }
}
