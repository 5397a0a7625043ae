//! Faults brought back into the machine of owners and workers: its simulation must find each.

use std::path::Path;

use crate::{Mutation, copy_folder, workspace_of};

pub const MUTATIONS: &[Mutation] = &[
    Mutation {
        what: "a disk that fails leaves runs that nobody drives",
        by: "simulation",
        file: "machine/owners.rs",
        from: "(Some(slot), Refusal::Unavailable(_)) if open =>",
        to: "(Some(slot), Refusal::Unavailable(_)) if open && slot.failures > 1_000 =>",
    },
    Mutation {
        what: "a request between creation and adoption makes a second worker",
        by: "simulation",
        file: "machine/owners.rs",
        from: "        let identity = self.slot(run, State::Working);\n",
        to: "        let identity = self.slot(run, State::Working);\n        self.slots.remove(run);\n",
    },
    Mutation {
        what: "a purge beside a start takes a run that somebody waits for",
        by: "simulation",
        file: "store/memory/tables.rs",
        from: "&& !running_too {",
        to: "&& running_too {",
    },
    Mutation {
        what: "a worker that panics leaves its run to nobody",
        by: "simulation",
        file: "machine/owners.rs",
        from: "    pub fn lost(&mut self, now: Micros, run: &str, identity: Identity) -> Vec<Action<T>> {\n        match self.of(run, identity) {",
        to: "    pub fn lost(&mut self, now: Micros, run: &str, identity: Identity) -> Vec<Action<T>> {\n        match self.of(run, identity).filter(|_| false) {",
    },
    Mutation {
        what: "somebody is answered before it is durable",
        by: "simulation",
        file: "machine/worker/way.rs",
        from: "        let answers = here.map(|asker| (asker, Ok(self.view()))).into_iter().collect();\n",
        to: "        let view = self.view();\n        here.into_iter().for_each(|asker| self.tell(asker, Ok(view.clone())));\n        let answers = Vec::new();\n",
    },
    Mutation {
        what: "a worker leaves with mail",
        by: "simulation",
        file: "machine/owners.rs",
        from: "            Exit::Parked(_) if !slot.mail.is_empty() || slot.letters => None,\n",
        to: "",
    },
    Mutation {
        what: "a parked run forgets its timers",
        by: "simulation",
        file: "machine/worker/way.rs",
        from: "Wake { at: Some(0), alive: None } } else { self.timers.wake() };",
        to: "Wake { at: Some(0), alive: None } } else { Wake::default() };",
    },
    Mutation {
        what: "what was lost sight of is not looked for",
        by: "simulation",
        file: "machine/owners.rs",
        from: "filter(|run| self.open && !self.has(run))",
        to: "filter(|run| self.open && !self.has(run) && run.is_empty())",
    },
    Mutation {
        what: "a timer fires early",
        by: "simulation",
        file: "machine/timers.rs",
        from: "filter(|(due, _)| *due <= clock)",
        to: "filter(|(due, _)| *due <= clock + 100_000)",
    },
    Mutation {
        what: "who waits for the end is not told of it",
        by: "simulation",
        file: "machine/owners.rs",
        from: "        late.chain(waiters.into_iter().map(|(_, waiter)| Action::Tell(waiter, Ok(view.clone())))).collect()",
        to: "        self.waiters.insert(run.to_owned(), waiters);\n        late.chain(std::iter::once(view).filter_map(|_| None)).collect()",
    },
    Mutation {
        what: "what another host has asked is done, and not answered with it",
        by: "simulation",
        file: "store/memory/tables.rs",
        from: "            self.answer_command(id, answer);\n",
        to: "            drop((id, answer));\n",
    },
    Mutation {
        what: "what another host has asked is not looked at",
        by: "simulation",
        file: "machine/owners.rs",
        from: "letters: std::mem::take(&mut slot.letters), stop }",
        to: "letters: false, stop }",
    },
];

/// The rooms that the machine stands on, and itself.
const ROOMS: [&str; 3] = ["model", "store", "machine"];
/// What they need, by the workspace's names.
const NEEDED: [&str; 13] = [
    "bytes",
    "expect-test",
    "futures-util",
    "proptest",
    "rand_chacha",
    "rusqlite",
    "serde",
    "serde_json",
    "sha2",
    "tempfile",
    "thiserror",
    "tokio",
    "tracing",
];

/// A copy of those rooms as a crate without the runtime, so that a mutation is built in seconds.
pub fn copy(root: &Path, copy: &Path) {
    workspace_of("members = [\"host\", \"host/engine\"]", root, copy);
    let manifest = format!(
        "[package]\nname = \"wf-host\"\nversion = \"0.0.0\"\nedition.workspace = true\n\n[dependencies]\nwf-engine.workspace = true\n{}",
        NEEDED.map(|name| format!("{name}.workspace = true\n")).concat()
    );
    for folder in ["host/engine", "host/tests/simulation"] {
        copy_folder(&root.join(folder), &copy.join(folder));
    }
    for room in ROOMS {
        let folder = Path::new("host/src").join(room);
        copy_folder(&root.join(&folder), &copy.join(&folder));
        let file = folder.with_extension("rs");
        std::fs::copy(root.join(&file), copy.join(&file)).expect("a file");
    }
    let modules = ROOMS.map(|room| format!("pub mod {room};\n")).concat();
    std::fs::write(copy.join("host/src/lib.rs"), modules).expect("a file");
    std::fs::write(copy.join("host/Cargo.toml"), manifest).expect("a manifest");
}
