//! What is wrong with a definition, said before a run finds out.

mod agreement;
mod declarations;
mod flow;
mod limits;
mod names;
mod step;

use std::collections::BTreeSet;
use std::fmt;

use super::Definition;

/// So many findings are listed; of what is more, how many.
const LISTED_MAX: usize = 100;

/// Something that keeps a definition from being sound: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding(String);

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What was found so far.
struct Findings<'a> {
    definition: &'a Definition,
    /// What people call the parts, in order; may be fewer than there are.
    names: &'a [String],
    found: Vec<Finding>,
    said: BTreeSet<String>,
}

impl Definition {
    /// Everything that is wrong with it; nothing: it is sound.
    pub fn check(&self) -> Vec<Finding> {
        self.check_of(&[])
    }

    /// The same, where people have names for the parts, in order: the files that they are in.
    pub fn check_of(&self, names: &[String]) -> Vec<Finding> {
        let mut findings = Findings::of(self, names);
        if findings.part() {
            findings.names();
        }
        // What follows from unknown names would only repeat them.
        if findings.found.is_empty() {
            findings.flow();
        }
        findings.listed()
    }

    /// What is wrong with a part of a larger definition in itself: what the other parts could make
    /// good, such as names that nothing declares, is not looked at.
    pub fn check_part(&self) -> Vec<Finding> {
        let mut findings = Findings::of(self, &[]);
        findings.part();
        findings.listed()
    }
}

impl<'a> Findings<'a> {
    fn of(definition: &'a Definition, names: &'a [String]) -> Findings<'a> {
        Findings { definition, names, found: Vec::new(), said: BTreeSet::new() }
    }

    /// A part, as people find it.
    fn part_name(&self, part: usize) -> String {
        let manifest = self.definition.manifests().nth(part).map_or("", |it| it.name.as_str());
        self.names.get(part).map_or_else(|| format!("component {} (`{manifest}`)", part + 1), |name| format!("`{name}`"))
    }

    fn add(&mut self, finding: String) {
        if self.said.insert(finding.clone()) {
            self.found.push(Finding(finding));
        }
    }

    /// False: there is no point in looking further.
    fn part(&mut self) -> bool {
        self.limits();
        if !self.found.is_empty() {
            return false;
        }
        let definition = self.definition;
        definition.manifests().for_each(|manifest| self.manifest(manifest));
        self.duplicates();
        self.declarations();
        definition.declarations().for_each(|event| self.event(event));
        definition.steps().for_each(|step| self.step(step));
        true
    }

    fn listed(mut self) -> Vec<Finding> {
        let more = self.found.len().saturating_sub(LISTED_MAX);
        self.found.truncate(LISTED_MAX);
        if more > 0 {
            self.add(format!("{more} more findings are not listed: mend these first"));
        }
        self.found
    }
}

/// A time that passes.
fn is_duration(seconds: f64) -> bool {
    seconds.is_finite() && seconds > 0.0
}

/// A time, perhaps none at all.
fn is_span(seconds: f64) -> bool {
    seconds.is_finite() && seconds >= 0.0
}
