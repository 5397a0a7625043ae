//! The packages that files import: pure Python ones come into the component.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use tokio::process::Command;

use super::tools::Tools;
use crate::cli::Problem;
use crate::cli::environment::{Lock, digest, output, progress, short, text, unwritable, whole};

/// What the SDK brings along under its own names.
const PROVIDED: [&str; 13] = [
    "httpx",
    "jiter",
    "llama-agents-client",
    "llama-agents-server",
    "llama-index-core",
    "llama-index-instrumentation",
    "llama-index-workflows",
    "pydantic",
    "pydantic-core",
    "requests",
    "starlette",
    "typing-extensions",
    "uvicorn",
];
/// Of these those that others ask for, in a version above all of the line that the SDK's own has the names of: what `pip`
/// takes in their place is empty.
const STAND_INS: [&str; 5] = ["httpx==0.9999", "jiter==0.9999", "pydantic==2.9999", "requests==2.9999", "typing-extensions==4.9999"];
/// Makes these, for `pip` to find.
const MAKES_STAND_INS: &str = include_str!("stand_ins.py");
/// The Python in a component.
const VERSION: &str = "3.14";
/// `pip` tries version after version of what does not fit together.
const FETCH_MAX: Duration = Duration::from_secs(300);
/// While it does, that is said.
const STILL_EVERY: Duration = Duration::from_secs(20);
/// What to do without LlamaIndex's own packages.
const INSTEAD: &str = "a workflow has `workflows` and `llama_index.core.workflow`; models and services are asked with `openai` or `httpx`, which \
                       go where `allow_http` lets them";
/// What of a package is worth carrying.
const CARRIED: [&str; 4] = ["py", "json", "toml", "txt"];
/// A file that is larger is data, which a guest would hold in memory, in bytes.
const FILE_MAX: u64 = 1 << 20;

/// Packages that are there.
#[derive(Default)]
pub(super) struct Packages {
    /// The folder; none: nothing is asked for.
    pub folder: Option<PathBuf>,
    /// Their files, by path in it.
    pub files: BTreeMap<String, String>,
}

/// A package that is asked for.
struct Asked {
    /// As `pip` reads it.
    requirement: String,
    file: PathBuf,
    line: usize,
}

impl Packages {
    /// Finds what a folder asks for, or fetches it.
    pub(super) async fn ready(tools: &Tools, dir: &Path, warnings: &mut Vec<Problem>) -> Result<Packages, Problem> {
        let (out, asked): (Vec<Asked>, Vec<Asked>) = asked(dir)?.into_iter().partition(is_native);
        warnings.extend(out.iter().map(left_out));
        if asked.is_empty() {
            return Ok(Packages::default());
        }
        let lines: Vec<&str> = asked.iter().map(|it| it.requirement.as_str()).collect();
        let list = lines.join("\n");
        let folder = tools.home.join(kept_as(&list, &STAND_INS, VERSION));
        if !folder.is_dir() {
            let _lock = Lock::take(&tools.home, "the tools of Python").await?;
            if !folder.is_dir() {
                fetch(tools, &asked, &list, &folder).await?;
            }
        }
        let mut files = BTreeMap::new();
        collect(&folder, &folder, &mut files);
        // What the SDK has a module of its own for is not looked for there.
        files.retain(|path, _| !is_provided(tools, path));
        Ok(Packages { folder: Some(folder), files })
    }
}

/// The name of the folder of what is asked for: by all that says what `pip` fetches.
fn kept_as(list: &str, stand_ins: &[&str], version: &str) -> String {
    let parts = [list, version].into_iter().chain(stand_ins.iter().copied());
    format!("packages-{}", short(&digest(parts.map(str::as_bytes))))
}

async fn fetch(tools: &Tools, asked: &[Asked], list: &str, folder: &Path) -> Result<(), Problem> {
    let names: Vec<String> = asked.iter().map(|it| format!("`{}`", it.requirement)).collect();
    if tools.offline {
        return Err(Problem::new(format!("{} cannot be fetched offline", names.join(", "))).hint("once without `--offline`: they are kept"));
    }
    progress(&format!("fetching {}", names.join(", ")));
    let begun = Instant::now();
    let made = tempfile::tempdir_in(&tools.home).map_err(|error| unwritable(&tools.home, &error))?;
    let requirements = made.path().join("requirements.txt");
    fs::write(&requirements, list).map_err(|error| unwritable(&requirements, &error))?;
    let target = made.path().join("packages");
    let stand_ins = made.path().join("stand-ins");
    let mut prepare = Command::new(&tools.python);
    let prepared = output(prepare.args(["-c", MAKES_STAND_INS]).arg(&stand_ins).args(STAND_INS)).await?;
    if !prepared.status.success() {
        return Err(Problem::new(format!("the packages cannot be fetched: {}", whole(&prepared))).hint("this is a defect of wf-host"));
    }
    let mut install = Command::new(&tools.python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"]);
    install.args(["--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none"]);
    install.args(["--python-version", VERSION, "--target"]).arg(&target).arg("--requirement").arg(&requirements);
    install.arg("--find-links").arg(&stand_ins);
    let installed = within(&mut install, FETCH_MAX, STILL_EVERY).await?;
    if !installed.status.success() {
        return Err(missing(asked, &whole(&installed)));
    }
    fs::create_dir_all(&target).map_err(|error| unwritable(&target, &error))?;
    fs::rename(&target, folder).map_err(|error| unwritable(folder, &error))?;
    progress(&format!("fetched them in {:.1?}", begun.elapsed()));
    Ok(())
}

/// What a command says that ends in time.
async fn within(command: &mut Command, max: Duration, still_every: Duration) -> Result<Output, Problem> {
    let begun = Instant::now();
    let mut said = std::pin::pin!(output(command));
    loop {
        let left = max.saturating_sub(begun.elapsed());
        match tokio::time::timeout(left.min(still_every), &mut said).await {
            Ok(said) => return said,
            Err(_) if begun.elapsed() < max => progress(&format!("still fetching, after {:.0?}", begun.elapsed())),
            Err(_) => {
                let message = format!("the packages cannot be fetched: pip has found none that fit together in {max:.0?}");
                return Err(Problem::new(message).hint("name the versions of those that you need, as in `python-dateutil==2.9.0`"));
            }
        }
    }
}

/// Whether a file of a package is of what the SDK brings along.
fn is_provided(tools: &Tools, path: &str) -> bool {
    let root = path.split('/').next().unwrap_or_default();
    root.ends_with(".9999.dist-info") || tools.sdk.join("src").join(root).exists()
}

/// Which package cannot be had, or why none can, of what pip says.
fn missing(asked: &[Asked], said: &str) -> Problem {
    let failed = |why: &str| {
        Problem::new(format!("the packages cannot be fetched: {why}")).hint("see whether `pip download` works here, and try again")
    };
    if let Some(why) = silence(said) {
        return failed(&format!("no answer from the registry: {why}"));
    }
    let after = |words: &str| said.lines().find_map(|line| line.split_once(words).map(|(_, rest)| rest.trim()));
    let Some(named) = after("No matching distribution found for ") else {
        // The first of its errors is the cause, the last of its lines often a link.
        let last = || said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("pip said nothing").trim();
        return failed(after("ERROR: ").unwrap_or_else(last));
    };
    let is = |it: &&Asked, wanted: &str| name(&it.requirement) == name(wanted);
    // `pip` names what asked for it, unless that was the user.
    let asks = after("satisfies the requirement ").and_then(|it| it.split_once(" (from ")).map(|(_, rest)| rest.split(')').next());
    let asks = asks.flatten().filter(|it| !it.starts_with("versions:") && !it.starts_with("-r "));
    let at = asked.iter().find(|it| is(it, named)).or_else(|| asked.iter().find(|it| asks.is_some_and(|asks| is(it, asks))));
    let at = at.map(|it| format!("{}:{}: ", it.file.display(), it.line)).unwrap_or_default();
    let needed = match asks {
        _ if asked.iter().any(|it| is(&it, named)) => String::new(),
        Some(asks) => format!(", which `{}` needs,", name(asks)),
        None => ", which another package needs,".to_owned(),
    };
    let newest = after("(from versions: ").and_then(|it| it.trim_end_matches(')').rsplit(", ").next()).filter(|it| *it != "none");
    if let Some(newest) = newest {
        let why = format!("of that version there is no pure Python wheel, and the newest is of {newest}");
        return Problem::new(format!("{at}`{named}`{needed} cannot be had: {why}")).hint("ask for a version that has one");
    }
    Problem::new(format!("{at}`{named}`{needed} cannot be had: there is no pure Python wheel of it")).hint(
        "see that its name is right; native code does not run in a workflow: use a package in pure Python, or ask a service over HTTP",
    )
}

/// Why the registry has not answered, where `pip` has tried for the last time. It goes on as if that had no such package.
fn silence(said: &str) -> Option<&str> {
    let (_, why) = said.lines().find(|line| line.contains("Retry(total=0,"))?.split_once("connection broken by ")?;
    // It is an error within others, as Python writes them, and the path that was asked for.
    let why = why.rsplit_once(": /").map_or(why, |(why, _)| why);
    let why = why.trim_end_matches('\'').trim_end_matches(')').trim_end_matches(['\'', '"']);
    let begin = [": ", "] ", "'", "\""].iter().filter_map(|it| why.rfind(it).map(|at| at + it.len())).max();
    Some(&why[begin.unwrap_or_default()..])
}

/// What `requirements.txt`, else `pyproject.toml`, asks for beside what the SDK has.
fn asked(dir: &Path) -> Result<Vec<Asked>, Problem> {
    let file = dir.join("requirements.txt");
    let mut asked = Vec::new();
    if let Some(text) = text(&file) {
        for (number, line) in text.lines().enumerate() {
            let requirement = line.split(" #").next().unwrap_or_default().trim();
            if requirement.is_empty() || requirement.starts_with('#') {
                continue;
            }
            if requirement.starts_with('-') || requirement.contains("://") {
                let message = format!("{}:{}: `{requirement}` is no package of the registry", shown(&file), number + 1);
                return Err(Problem::new(message).hint("name packages with their versions, as in `python-dateutil==2.9.0`"));
            }
            asked.push(Asked { requirement: requirement.to_owned(), file: shown(&file).into(), line: number + 1 });
        }
    } else {
        let file = dir.join("pyproject.toml");
        let Some(text) = text(&file) else { return Ok(asked) };
        let table: toml::Table = toml::from_str(&text)
            .map_err(|error| Problem::new(format!("`{}`: {}", shown(&file), error.message())).hint("correct it, as TOML wants it"))?;
        let named = table.get("project").and_then(|it| it.get("dependencies")).and_then(toml::Value::as_array);
        for requirement in named.into_iter().flatten().filter_map(toml::Value::as_str) {
            let line = text.lines().position(|line| line.contains(requirement)).map_or(1, |at| at + 1);
            asked.push(Asked { requirement: requirement.to_owned(), file: shown(&file).into(), line });
        }
    }
    asked.retain(|it| !PROVIDED.contains(&name(&it.requirement).as_str()));
    Ok(asked)
}

/// Whether a package is LlamaIndex's own, or stands on it: `pip` would look for minutes for one that needs nothing native.
/// What a file imports of it is said where it does.
fn is_native(it: &Asked) -> bool {
    let name = name(&it.requirement);
    name == "llama-index" || name.starts_with("llama-index-")
}

fn left_out(it: &Asked) -> Problem {
    let message = format!("{}:{}: `{}` is left out: it needs packages of native code", it.file.display(), it.line, it.requirement);
    Problem::new(message).hint(INSTEAD)
}

fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// A package's name in the one way of writing it.
fn name(requirement: &str) -> String {
    let end = requirement.find(|it: char| !it.is_ascii_alphanumeric() && !"-_.".contains(it)).unwrap_or(requirement.len());
    let words: Vec<&str> = requirement[..end].split(['-', '_', '.']).filter(|it| !it.is_empty()).collect();
    words.join("-").to_ascii_lowercase()
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            if entry.file_name() != "tests" && entry.file_name() != "__pycache__" {
                collect(root, &path, files);
            }
            continue;
        }
        let carried = path.extension().is_none_or(|it| CARRIED.iter().any(|carried| it == *carried));
        if carried
            && metadata.len() <= FILE_MAX
            && let (Some(text), Ok(inside)) = (text(&path), path.strip_prefix(root))
        {
            files.insert(inside.to_string_lossy().into_owned(), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_in_one_way() {
        let names = ["Typing_Extensions>=4", "httpx[http2]==0.28", "a.b--c ; python_version > '3'", "llama-index"].map(name);
        assert_eq!(names, ["typing-extensions", "httpx", "a-b-c", "llama-index"]);
    }

    #[test]
    fn what_a_project_depends_on_is_asked_for_with_its_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let project = "[project]\nname = \"it\"\ndependencies = [\n  \"python-dateutil==2.9.0\",\n  \"pydantic>=2\",\n  \"six\",\n]\n";
        let found = |dir: &Path| asked(dir).expect("packages").into_iter().map(|it| (it.requirement, it.file, it.line)).collect::<Vec<_>>();
        assert!(found(dir.path()).is_empty());

        let file = dir.path().join("pyproject.toml");
        fs::write(&file, project).expect("written");
        // What the SDK brings along itself is left out.
        assert_eq!(found(dir.path()), [("python-dateutil==2.9.0".to_owned(), file.clone(), 4), ("six".to_owned(), file.clone(), 6)]);
        fs::write(&file, "[tool.else]\ndependencies = [\"six\"]\n").expect("written");
        assert!(found(dir.path()).is_empty());

        // The other file comes first.
        let file = dir.path().join("requirements.txt");
        fs::write(&file, "# none\n\nsix==1.17.0 # old\n").expect("written");
        assert_eq!(found(dir.path()), [("six==1.17.0".to_owned(), file.clone(), 3)]);
    }

    #[test]
    fn what_stands_on_native_code_is_left_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = "six\nllama-index\nllama_index>=0.13\nllama-index-llms-openai==0.5\nllama-index.readers.file\nllama-indexed\nllama_index_core>=0.14\n";
        fs::write(dir.path().join("requirements.txt"), text).expect("written");
        let asked = asked(dir.path()).expect("packages");
        let out: Vec<String> = asked.iter().filter(|it| is_native(it)).map(|it| left_out(it).message().to_owned()).collect();
        let wanted = ["2: `llama-index`", "3: `llama_index>=0.13`", "4: `llama-index-llms-openai==0.5`", "5: `llama-index.readers.file`"];
        assert_eq!(out.len(), wanted.len(), "{out:?}");
        for (out, wanted) in out.iter().zip(wanted) {
            assert!(out.ends_with(&format!("requirements.txt:{wanted} is left out: it needs packages of native code")), "{out}");
        }
        let names: Vec<&str> = asked.iter().filter(|it| !is_native(it)).map(|it| it.requirement.as_str()).collect();
        assert_eq!(names, ["six", "llama-indexed"]);
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended() {
        let begun = Instant::now();
        let said = within(Command::new("sleep").arg("600"), Duration::from_millis(30), Duration::from_millis(10)).await;
        let error = said.expect_err("it takes longer");
        assert_eq!(error.message(), "the packages cannot be fetched: pip has found none that fit together in 30ms");
        assert!(begun.elapsed() < Duration::from_secs(300));
        let said = within(Command::new("echo").arg("it"), FETCH_MAX, STILL_EVERY).await.expect("it ends");
        assert_eq!(said.stdout, b"it\n");
    }

    #[test]
    fn what_stands_in_is_what_is_provided() {
        for stand_in in STAND_INS {
            assert!(PROVIDED.contains(&name(stand_in).as_str()) && stand_in.ends_with(".9999"), "{stand_in}");
        }
    }

    #[test]
    fn packages_are_fetched_anew_for_other_stand_ins_and_another_python() {
        let kept = [("a\nb", ["x==1"], "3.14"), ("a", ["x==1"], "3.14"), ("a", ["x==2"], "3.14"), ("a", ["x==1"], "3.15")]
            .map(|(list, stand_ins, version)| kept_as(list, &stand_ins, version));
        assert_eq!(kept.iter().collect::<std::collections::BTreeSet<_>>().len(), kept.len(), "{kept:?}");
        assert_eq!(kept[1], kept_as("a", &["x==1"], "3.14"));
    }

    #[test]
    fn what_pip_cannot_find_is_named_where_it_is_asked_for() {
        let asked = [Asked { requirement: "numpy>=1".to_owned(), file: "requirements.txt".into(), line: 3 }];
        let said = "ERROR: Could not find a version that satisfies the requirement X (from versions: none)\nERROR: No matching distribution found for ";
        let message = |name: &str| missing(&asked, &format!("{said}{name}")).message().to_owned();
        assert_eq!(message("numpy>=1"), "requirements.txt:3: `numpy>=1` cannot be had: there is no pure Python wheel of it");
        assert_eq!(message("jiter"), "`jiter`, which another package needs, cannot be had: there is no pure Python wheel of it");
        let of = |asks: &str| {
            let asked = [Asked { requirement: "pandas".to_owned(), file: "requirements.txt".into(), line: 2 }];
            let error =
                format!("ERROR: Could not find a version that satisfies the requirement numpy>=1 (from {asks}) (from versions: none)");
            missing(&asked, &format!("{error}\nERROR: No matching distribution found for numpy>=1")).message().to_owned()
        };
        let cannot = "cannot be had: there is no pure Python wheel of it";
        assert_eq!(of("pandas"), format!("requirements.txt:2: `numpy>=1`, which `pandas` needs, {cannot}"));
        assert_eq!(of("other_one"), format!("`numpy>=1`, which `other-one` needs, {cannot}"));
        let newest = "numpy>=1 (from versions: 0.9, 0.10)\nERROR: No matching distribution found for numpy>=1";
        let wanted =
            "requirements.txt:3: `numpy>=1` cannot be had: of that version there is no pure Python wheel, and the newest is of 0.10";
        assert_eq!(missing(&asked, newest).message(), wanted);
        assert_eq!(missing(&asked, "boom\n").message(), "the packages cannot be fetched: boom");
        let conflict = missing(&asked, "ERROR: Cannot install a and b\nERROR: ResolutionImpossible: for help visit somebody\n");
        assert_eq!(conflict.message(), "the packages cannot be fetched: Cannot install a and b");
    }

    #[test]
    fn a_registry_that_does_not_answer_is_no_missing_package() {
        let why = |why: &str, left: u32| {
            let said = format!(
                "WARNING: Retrying (Retry(total={left}, connect=None)) after connection broken by '{why}': /simple/numpy/\nERROR: No matching distribution found for numpy"
            );
            missing(&[], &said).message().to_owned()
        };
        for (error, wanted) in [
            (
                r"NewConnectionError('<it at 0x1>: Failed to establish a new connection: [Errno 111] Connection refused')",
                "Connection refused",
            ),
            (
                r#"NewConnectionError("HTTPConnection(host='a.b', port=9): Failed to establish a new connection: [Errno -2] Name or service not known")"#,
                "Name or service not known",
            ),
            (
                r"SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)'))",
                "self-signed certificate (_ssl.c:1006)",
            ),
            (
                r#"ReadTimeoutError("HTTPSConnectionPool(host='a.b', port=443): Read timed out. (read timeout=15)")"#,
                "Read timed out. (read timeout=15)",
            ),
            (r"ProtocolError('Connection aborted.', RemoteDisconnected('Remote end closed connection'))", "Remote end closed connection"),
        ] {
            assert_eq!(why(error, 0), format!("the packages cannot be fetched: no answer from the registry: {wanted}"));
        }
        // It was there at another time.
        assert!(why("it", 1).ends_with("there is no pure Python wheel of it"));
    }
}
