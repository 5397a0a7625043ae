//! The tools that make components of Python: what is installed, else an environment of their own in the user's cache.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use tokio::process::Command;

use crate::cli::environment::{Lock, files, home, output, said, unpacked, unwritable, whole};
use crate::cli::{Problem, pypi};

/// What the workflows import.
static SDK: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/python");
static WIT: Dir = include_dir!("$OUT_DIR/parts/wit");
const TOOLS: pypi::Tools =
    pypi::Tools { language: "Python", requirements: include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/python/requirements.txt")) };

/// Where everything is.
pub(super) struct Tools {
    /// A folder of the user's cache, for what is made once.
    pub home: PathBuf,
    /// The SDK, as `guest-sdk/python`.
    pub sdk: PathBuf,
    pub wit: PathBuf,
    /// Which Python inspects files, and has `pip`.
    pub python: PathBuf,
    /// How componentize-py is called.
    componentize: PathBuf,
    /// Nothing may be fetched.
    pub offline: bool,
}

impl Tools {
    /// Finds them, or makes them.
    pub(super) async fn ready(offline: bool) -> Result<Tools, Problem> {
        let home = home("Python", "python")?;
        let python = pypi::python().await?;
        let _lock = Lock::take(&home, "the tools of Python").await?;
        let (sdk, wit) = unpack(&home).map_err(|error| unwritable(&home, &error))?;
        let mut tools = Tools { home, sdk, wit, python, componentize: PathBuf::new(), offline };
        let installed = said(&mut Command::new("componentize-py"), &["--version"]).await;
        if installed.is_some_and(|it| it == format!("componentize-py {}", TOOLS.first().1)) {
            tools.componentize = "componentize-py".into();
        } else {
            tools.python = TOOLS.environment(&tools.home, &tools.python, offline).await?;
            tools.componentize = tools.python.with_file_name("componentize-py");
        }
        Ok(tools)
    }

    /// Makes a component of the module of that name. Gives what it said, where that failed.
    pub(super) async fn componentize(&self, module: &str, folders: &[&Path], to: &Path) -> Result<Result<(), String>, Problem> {
        let mut command = Command::new(&self.componentize);
        command.env_remove("VIRTUAL_ENV").arg("--quiet").arg("-d").arg(&self.wit);
        command.args(["-w", "python", "componentize", module, "-o"]).arg(to);
        for folder in folders {
            command.arg("-p").arg(folder);
        }
        let made = output(&mut command).await?;
        Ok(if made.status.success() { Ok(()) } else { Err(whole(&made)) })
    }
}

/// Writes the SDK and the contract to where the tools read them.
fn unpack(home: &Path) -> std::io::Result<(PathBuf, PathBuf)> {
    let is_ours = |path: &Path| ["src", "wit"].iter().any(|folder| path.starts_with(folder)) || path.as_os_str() == "requirements.txt";
    let own = files(&SDK).filter(|(path, _)| is_ours(path)).map(|(path, bytes)| (path.to_owned(), bytes));
    let contract = files(&WIT).filter(|(path, _)| path.extension().is_some_and(|it| it == "wit"));
    let all: Vec<(PathBuf, &[u8])> = own.chain(contract.map(|(path, bytes)| (Path::new("wit").join(path), bytes))).collect();
    let folder = unpacked(home, "sdk", &all)?;
    Ok((folder.clone(), folder.join("wit")))
}
