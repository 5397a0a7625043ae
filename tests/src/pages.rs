//! The project's pages in Markdown: their blocks of code, their links, and what can be linked to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::artifacts::root;

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its file, from the repository's root.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// A block of code in a page.
#[derive(Clone, Debug)]
pub struct Block {
    /// The page, and the line at which the block begins.
    pub place: String,
    /// The heading above it.
    pub heading: String,
    /// Its language, the first word behind the fence.
    pub language: String,
    /// The name of the file that it is, the second word.
    pub file: Option<String>,
    /// The code.
    pub code: String,
    /// What stands in a comment right above it, which readers do not see: by the word before the colon.
    notes: BTreeMap<String, String>,
}

impl Block {
    /// What a comment above it says: `<!-- word: what it says -->`.
    pub fn note(&self, word: &str) -> Option<&str> {
        self.notes.get(word).map(String::as_str)
    }

    /// The program that it is, or is a part of: `<!-- within: before … after -->` says of which.
    pub fn program(&self) -> String {
        self.note("within").map_or_else(|| self.code.clone(), |around| around.replacen('…', &self.code, 1))
    }
}

/// All pages; those that `wf-host new` fills in as it would for a project `hello`.
pub fn pages() -> Vec<Page> {
    let mut files = Vec::new();
    find(&root(), &mut files);
    files.sort();
    let page = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a page is text").replace("{{name}}", "hello");
        Page { path: path.strip_prefix(root()).expect("below the root").display().to_string(), text }
    };
    files.into_iter().map(page).collect()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|it| it.path()) {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        if path.is_symlink() || ["target", "node_modules", "dist", ".git", ".ci"].contains(&name) {
            continue;
        }
        if path.is_dir() {
            find(&path, files);
        } else if name.ends_with(".md") {
            files.push(path);
        }
    }
}

impl Page {
    /// Its blocks of code.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let (mut heading, mut notes, mut open) = (String::new(), BTreeMap::new(), None::<(usize, Block)>);
        let mut comment: Option<String> = None;
        for (number, line) in self.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if let Some((by, block)) = &mut open {
                if line.trim() == "```" {
                    blocks.extend(open.take().map(|it| it.1));
                } else {
                    block.code.push_str(line.get(indent.min(*by)..).unwrap_or_default());
                    block.code.push('\n');
                }
            } else if let Some(text) = &mut comment {
                match line.strip_suffix("-->") {
                    None => text.push_str(&format!("{line}\n")),
                    Some(last) => {
                        text.push_str(last);
                        notes.extend(note(text));
                        comment = None;
                    }
                }
            } else if let Some(rest) = line.trim_start().strip_prefix("<!--") {
                match rest.strip_suffix("-->") {
                    Some(text) => notes.extend(note(text)),
                    None => comment = Some(format!("{rest}\n")),
                }
            } else if let Some(words) = line.trim().strip_prefix("```") {
                let mut words = words.split_whitespace();
                let block = Block {
                    place: format!("{}:{}", self.path, number + 1),
                    heading: heading.clone(),
                    language: words.next().and_then(|it| it.split(',').next()).unwrap_or_default().to_owned(),
                    file: words.next().map(str::to_owned),
                    code: String::new(),
                    notes: std::mem::take(&mut notes),
                };
                open = Some((indent, block));
            } else if line.starts_with('#') {
                heading = line.trim_start_matches('#').trim().to_owned();
            } else if !line.trim().is_empty() {
                notes.clear();
            }
        }
        assert!(open.is_none(), "{}: a block does not end", self.path);
        blocks
    }

    /// Its text without blocks and comments.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut inside = false;
        self.text.lines().filter(move |line| {
            let fence = line.trim().starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
    }

    /// Where its links lead, as they are written.
    pub fn links(&self) -> Vec<&str> {
        self.prose().flat_map(links_of).collect()
    }

    /// What a link to a part of it may say behind `#`.
    pub fn anchors(&self) -> Vec<String> {
        let mut seen = BTreeMap::<String, usize>::new();
        let headings = self.prose().filter(|it| it.starts_with('#'));
        let name = |heading: &str| {
            let kept = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = kept.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
            kept.map(|it| if it == ' ' { '-' } else { it }).collect::<String>()
        };
        let mut numbered = |name: String| {
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            if *count == 1 { name } else { format!("{name}-{}", *count - 1) }
        };
        headings.map(|heading| numbered(name(heading))).collect()
    }
}

fn note(text: &str) -> Option<(String, String)> {
    let (word, rest) = text.trim().split_once(':')?;
    Some((word.to_owned(), rest.trim().to_owned()))
}

/// The targets of a line's links; brackets in backquotes are code.
fn links_of(line: &str) -> Vec<&str> {
    let mut links = Vec::new();
    for (at, _) in line.match_indices("](") {
        if line[..at].matches('`').count().is_multiple_of(2) {
            links.extend(line[at + 2..].split([')', ' ']).next());
        }
    }
    links
}
