//! The pages that come with a project: how its language is, and what holds for every language.

use std::path::{Component, Path, PathBuf};

use include_dir::{Dir, include_dir};

static GUIDE: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/guide");
const HARNESS: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/HARNESS.md"));

/// How LlamaIndex's own server differs.
const PYTHON_MIGRATION: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/python/MIGRATION.md"));

struct Page {
    /// Below `guest-sdk`.
    ours: PathBuf,
    /// Below the folder that a project has for it.
    theirs: PathBuf,
    text: String,
}

/// Each by its place in a project. What links to a page that is not among them is its text alone.
pub(super) fn pages(language: &str, readme: &str, at: &Path) -> Vec<(PathBuf, String)> {
    let page = |path: &Path, text: &str| Page { ours: path.to_owned(), theirs: path.to_owned(), text: text.to_owned() };
    let own = Page { ours: Path::new(language).join("README.md"), theirs: at.to_owned(), text: readme.to_owned() };
    let guide = GUIDE.files().map(|file| page(&Path::new("guide").join(file.path()), &String::from_utf8_lossy(file.contents())));
    let migration = Page { ours: "python/MIGRATION.md".into(), theirs: "MIGRATION.md".into(), text: PYTHON_MIGRATION.to_owned() };
    let beside = (language == "python").then_some(migration);
    let all: Vec<Page> = guide.chain([page(Path::new("HARNESS.md"), HARNESS), own]).chain(beside).collect();
    all.iter().map(|it| (it.theirs.clone(), relinked(it, &all))).collect()
}

fn relinked(page: &Page, all: &[Page]) -> String {
    let (mut made, mut rest) = (String::new(), page.text.as_str());
    while let Some((before, after)) = rest.split_once("](") {
        let Some((target, following)) = after.split_once(')') else { break };
        let (file, place) = target.split_at(target.find('#').unwrap_or(target.len()));
        // What else looks so is code.
        let leads = file.starts_with("../") || Path::new(file).extension().is_some_and(|it| it == "md");
        let text = before.rfind('[').filter(|_| leads && !target.contains(char::is_whitespace));
        match (text, all.iter().find(|it| Some(&it.ours) == resolved(&page.ours, file).as_ref())) {
            (None, _) => made += &format!("{before}]({target})"),
            (Some(_), Some(found)) => {
                let up = "../".repeat(page.theirs.components().count() - 1);
                made += &format!("{before}]({up}{}{place})", found.theirs.display());
            }
            (Some(text), None) => made += &format!("{}{}", &before[..text], &before[text + 1..]),
        }
        rest = following;
    }
    made + rest
}

/// Where a link leads below `guest-sdk`.
fn resolved(page: &Path, target: &str) -> Option<PathBuf> {
    let mut at = page.parent()?.to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => at.pop().then_some(())?,
            Component::Normal(name) => at.push(name),
            _ => return None,
        }
    }
    Some(at)
}
