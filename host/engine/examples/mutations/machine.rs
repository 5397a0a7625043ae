//! Faults brought back into the machine of owners and workers: its simulation must find each.

use std::path::Path;

use crate::{Mutation, UNIT, copy_folder, workspace_of};

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
        what: "a request leaves before what led to it is durable",
        by: "simulation",
        file: "machine/worker.rs",
        from: "            Some(held) => held.leaving.push((invocation, attempt)),\n",
        to: "            Some(held) if held.size == 0 => held.leaving.push((invocation, attempt)),\n            Some(_) => self.outputs.push(Output::Leave(invocation)),\n",
    },
    Mutation {
        what: "a worker leaves with mail",
        by: "simulation",
        file: "machine/owners.rs",
        from: "            Exit::Parked(_) if !slot.mail.is_empty() || slot.letters || slot.is_overtaken() => None,\n",
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
        what: "one whose turn comes before it knows that it queues is left to nobody",
        by: "simulation",
        file: "machine/owners.rs",
        from: "            Exit::Queued if !slot.mail.is_empty() || slot.letters || slot.is_overtaken() || slot.claimed_since => {\n",
        to: "            Exit::Queued if !slot.mail.is_empty() || slot.letters => {\n",
    },
    Mutation {
        what: "one that may have to queue enters a step",
        by: "simulation",
        file: "machine/worker.rs",
        from: "        worker.resuming = worker.awaits_turn().then(Vec::new);\n",
        to: "",
    },
    Mutation {
        what: "a turn that comes while somebody asks is lost",
        by: "simulation",
        file: "store/memory/tables.rs",
        from: "!row.first.is_empty() && row.summary.queue.is_none()",
        to: "false && !row.first.is_empty() && row.summary.queue.is_none()",
    },
    Mutation {
        what: "a new run passes those that queue",
        by: "simulation",
        file: "store/memory/tables.rs",
        from: "self.queued(workflow).next().is_some() || ",
        to: "",
    },
    Mutation {
        what: "what was lost sight of is not looked for",
        by: "simulation",
        file: "machine/owners.rs",
        from: "None => actions.push(Action::Load { identity: self.slot(&run, State::Loading), run, claim: None }),",
        to: "None => (),",
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
        by: UNIT,
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
        from: "std::mem::take(&mut slot.letters));",
        to: "false);",
    },
    Mutation {
        what: "a host that has lost a run goes on writing for it",
        by: "simulation",
        file: "store/memory/tables.rs",
        from: "expected != (append.generation, append.expected_seq) {",
        to: "expected.1 != append.expected_seq {",
    },
    Mutation {
        what: "what was withdrawn is done all the same",
        by: "simulation",
        file: "store/memory/tables.rs",
        from: "!self.commands.get(id).is_some_and(Command::is_open))",
        to: "self.commands.get(id).is_some_and(|it| !it.is_open()))",
    },
    Mutation {
        what: "what is asked of a run that another host has is forgotten",
        by: "simulation",
        file: "machine/owners.rs",
        from: "mail.into_iter().map(|command| Action::Forward(run.to_owned(), command)).collect()",
        to: "mail.into_iter().map(|command| Action::Forward(run.to_owned(), command)).skip(1).collect()",
    },
    Mutation {
        what: "what is asked of a run that its owner cannot read waits for ever",
        by: "simulation",
        file: "machine/owners.rs",
        from: "State::Unfit(refusal) => actions.push(Action::Refuse(run, refusal.clone())),",
        to: "State::Unfit(_) => (),",
    },
    Mutation {
        what: "who has lost a run is not told when the lease is renewed",
        by: "simulation",
        file: "machine/owners.rs",
        from: "let Some(generation) = slot.held.and_then(|held| newer.get(&held.key)) else { return true };",
        to: "let Some(generation) = slot.held.and_then(|held| newer.get(&held.key)).filter(|_| false) else { return true };",
    },
    Mutation {
        what: "a run that is claimed anew is left to a worker that has lost it",
        by: "simulation",
        file: "machine/owners.rs",
        from: "                slot.newest = slot.newest.max(claim.generation);\n                slot.claimed_since",
        to: "                slot.claimed_since",
    },
    Mutation {
        what: "that a lost host had a run is forgotten when it cannot be read at once",
        by: "simulation",
        file: "machine/owners.rs",
        from: "            slot.abandoned |= claim.abandoned;\n            slot.held",
        to: "            slot.abandoned = claim.abandoned;\n            slot.held",
    },
    Mutation {
        what: "a run that was claimed since is given away by an older answer",
        by: "simulation",
        file: "machine/owners.rs",
        from: "if std::mem::take(&mut slot.claimed_since) {",
        to: "if std::mem::take(&mut slot.claimed_since) && false {",
    },
    // The simulation has found these two in more worlds than are played for a mutation.
    Mutation {
        what: "a run that is left with an old claim is left to nobody",
        by: UNIT,
        file: "machine/owners.rs",
        from: "            Exit::Parked(_) if slot.claimed_since => {",
        to: "            Exit::Parked(_) if slot.claimed_since && false => {",
    },
    Mutation {
        what: "what cannot be read counts by the generation of an old claim",
        by: UNIT,
        file: "machine/owners.rs",
        from: "(Some(slot), Refusal::Unfit { .. }) if open && slot.claimed_since => {",
        to: "(Some(slot), Refusal::Unfit { .. }) if open && slot.claimed_since && false => {",
    },
];

/// The rooms that the machine stands on, and itself.
const ROOMS: [&str; 3] = ["model", "store", "machine"];
/// What they need, by the workspace's names.
const NEEDED: [&str; 15] = [
    "bytes",
    "crc32fast",
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
    "url",
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
