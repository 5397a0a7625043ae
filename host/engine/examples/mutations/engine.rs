//! The rules of the engine, each broken in one place, and the tests that must notice: the simulation,
//! or where a rule is beyond its world, the tests that are about it.

use std::path::Path;

use crate::{Mutation, UNIT, copy_folder, workspace_of};

pub const fn simulation(what: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Mutation {
    Mutation { what, by: "simulation", file, from, to }
}

const fn scripts(what: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Mutation {
    Mutation { what, by: "scripts", file, from, to }
}

pub const fn attempt(what: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Mutation {
    Mutation { what, by: "attempt", file, from, to }
}

const fn check(what: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Mutation {
    Mutation { what, by: "check", file, from, to }
}

const fn text(what: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Mutation {
    Mutation { what, by: "text", file, from, to }
}

const fn unit(what: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Mutation {
    Mutation { what, by: UNIT, file, from, to }
}

pub const MUTATIONS: &[Mutation] = &[
    simulation("a scope is not inherited", "run/report.rs", "opened.map_or(invocation.place,", "opened.map_or(Place::default(),"),
    simulation(
        "an edit that conflicts commits",
        "run/answer.rs",
        "self.exclusives.is_held_by_another(path, id) || self.state.conflicts(path, *version, by)",
        "self.exclusives.is_held_by_another(path, id) && self.state.conflicts(path, *version, by)",
    ),
    simulation(
        "the clock is taken from `Resumed`",
        "run/enter.rs",
        "*invocation.started_at.get_or_insert(at)",
        "*invocation.started_at.insert(at)",
    ),
    simulation(
        "a batch of `collect` is given twice",
        "run/buffers.rs",
        "let batch = pool.take(expected);",
        "let batch = pool.take(expected); for it in batch.iter().flatten() { pool.add(&it.name, self.arrivals, it.clone()); self.arrivals += 1; }",
    ),
    simulation("a step has a slot too many", "run/plan.rs", "slots: step.num_workers.max(1),", "slots: step.num_workers.max(1) + 1,"),
    simulation(
        "a retry forgets the memos",
        "run/invocation.rs",
        "        self.occurrences.clear();\n",
        "        self.occurrences.clear();\n        self.kept.memos = Memos::new_sync();\n",
    ),
    simulation(
        "a retry forgets the answered waits",
        "run/wait.rs",
        "WaitAnswer::Event(event) => drop(invocation.kept.answers.insert(key, event.clone())),",
        "WaitAnswer::Event(event) => drop((key, event.clone())),",
    ),
    simulation(
        "a repeated report is taken again",
        "run/report.rs",
        "executing && calls.iter().zip(ordinals)",
        "executing || calls.iter().zip(ordinals)",
    ),
    simulation(
        "a run that is taken over has no timers",
        "run/timers.rs",
        "self.set.iter().map(|(&timer, it)| (timer, it.due))",
        "self.set.iter().map(|(&timer, it)| (timer, it.due)).filter(|_| false)",
    ),
    simulation(
        "an all-join fires before its scope is done",
        "run/scopes.rs",
        "if scope.busy > 0 || !scope.below.is_empty() {",
        "if scope.busy > 1 || !scope.below.is_empty() {",
    ),
    simulation("what nothing takes is not kept", "run/route.rs", "self.inbox.keep(event, step);", ""),
    simulation(
        "a kept event is given to every wait",
        "run/inbox.rs",
        "let Message { event, .. } = self.kept.remove(&number).expect(KEPT);",
        "let Message { event, .. } = self.kept.get(&number).map(|it| Message::of(&it.event, None))?; if true { return Some(event); }",
    ),
    simulation(
        "the newest kept event is taken first",
        "run/inbox.rs",
        "numbers.into_iter().find(fits)?",
        "numbers.into_iter().rev().find(fits)?",
    ),
    simulation(
        "an exclusive edit excludes nobody",
        "run/exclusives.rs",
        "!self.by_path.related(path).any(before)",
        "!self.by_path.related(path).any(before) || true",
    ),
    scripts(
        "an exclusive edit does not end with its commit",
        "run/answer.rs",
        "        if self.exclusives.held(id) == Some(path) {\n            self.release_exclusive(id);",
        "        if false && self.exclusives.held(id) == Some(path) {\n            self.release_exclusive(id);",
    ),
    simulation("a snapshot forgets the inbox", "run.rs", "    inbox: Inbox,\n", "    #[serde(skip)]\n    inbox: Inbox,\n"),
    simulation(
        "a snapshot forgets who has an exclusive edit",
        "run.rs",
        "    exclusives: Exclusives,\n",
        "    #[serde(skip)]\n    exclusives: Exclusives,\n",
    ),
    scripts("a request is published at each entry", "run/wait.rs", "if !asked_before {", "if !asked_before || true {"),
    simulation(
        "a run that was executing needs no `Resumed`",
        "run.rs",
        "self.is_running() && self.invocations.iter().any(|(_, invocation)| invocation.is_live())",
        "false",
    ),
    scripts("a directed event goes to every wait", "run/route.rs", "only.is_none_or(|only| only == id)", "only.is_none_or(|_| true)"),
    scripts("a fresh wait takes what was before it", "run/wait.rs", "if wait.fresh { None }", "if false { None }"),
    scripts(
        "a wait takes no subtype",
        "run/waiters.rs",
        "let derived = std::iter::once(name).chain(bases.iter().copied())",
        "let derived = std::iter::once(name)",
    ),
    scripts(
        "an each-join pairs over all scopes",
        "run/join.rs",
        "self.scopes.pair(step, &self.plan[step].accepts, &name, place, event.clone())",
        "self.scopes.pair(step, &self.plan[step].accepts, &name, Place { scope: None, ..place }, event.clone())",
    ),
    scripts(
        "what is unpaired is lost when its scope closes",
        "run/join.rs",
        "self.scopes.move_up(step, unpaired, place);",
        "drop(unpaired);",
    ),
    scripts("an all-join has the order of arrival", "run/join.rs", "== Order::Emission", "!= Order::Emission"),
    scripts(
        "an all-join that takes two fires again",
        "run/scopes.rs",
        "let events = scope.gathering.remove(&join).unwrap_or_default();",
        "let events = scope.gathering.insert(join, Vec::new()).unwrap_or_default();",
    ),
    scripts("a loop leaves a scope for every turn", "run/scopes.rs", "            self.drop_spent(id);\n", ""),
    scripts(
        "everybody is suspected when a host is lost",
        "run/resume.rs",
        "on_thread.is_none_or(|ids| ids.contains(&id))",
        "on_thread.is_none_or(|_| true)",
    ),
    scripts(
        "what the host makes may be returned",
        "run/forbidden.rs",
        "if Definition::is_reserved(name) {",
        "if false && Definition::is_reserved(name) {",
    ),
    scripts(
        "a wrong clock holds for ever",
        "run.rs",
        "self.now = Now { at: entry.at, alive: entry.alive };",
        "self.now = Now { at: entry.at.max(self.now.at), alive: entry.alive };",
    ),
    scripts(
        "deleting an item disturbs no edit",
        "state/write.rs",
        "let removed = items.remove(index(last)?)?;",
        "done.step(last); let removed = items.remove(index(last)?)?;",
    ),
    scripts("a gap in a journal is not noticed", "journal.rs", "if seq != run.next_seq() {", "if false && seq != run.next_seq() {"),
    scripts("other frames are not noticed", "journal.rs", ".filter(|told| *told != run.next_sequence())", ".filter(|_| false)"),
    scripts(
        "a question that nobody declares is asked",
        "run/forbidden.rs",
        "filter(|request| !self.is_known(&request.name))",
        "filter(|_| false)",
    ),
    scripts(
        "a second collect counts as the first",
        "run/answer.rs",
        "let call = invocation.occurrence(&format!(\"collect {buffer}\"));",
        "let call = buffer.clone();",
    ),
    scripts("what was sent to ask is lost at the end", "run/report.rs", "sent.chain(before)", "sent.filter(|_| false).chain(before)"),
    scripts("the last commit does not win", "state/write.rs", "    if !holds {\n", "    if !holds && false {\n"),
    scripts("recoveries that are used up are not told", "run/fail.rs", "catcher.filter(|(_, max)| *max > 0)", "catcher.filter(|_| false)"),
    scripts("a fork keeps the attempts of its origin", "run/fork.rs", "invocation.begin_afresh();", "invocation.begin_anew();"),
    scripts(
        "a damaged snapshot is taken",
        "snapshot.rs",
        "Some(run) if written == Some(checksum(&run)) =>",
        "Some(run) if written.is_some() =>",
    ),
    attempt(
        "an unexpected type is collected",
        "attempt/border.rs",
        "if !expected.iter().any(|(name, _)| **name == *event.name) {",
        "if false && !expected.iter().any(|(name, _)| **name == *event.name) {",
    ),
    attempt("reentry has limits", "attempt/reentry.rs", "request.effect(&Sizes::any())", "request.effect(&Sizes::of(&self.limits))"),
    attempt("a last report tells all that was read", "attempt/unreported.rs", "*answer = Told::Before(seq);", "let _ = (answer, seq);"),
    check(
        "an endless retry is found by nobody",
        "definition/check/step.rs",
        "if sound && is_endless(retry) {",
        "if false && sound && is_endless(retry) {",
    ),
    text(
        "a value of any depth is let in",
        "text/readable.rs",
        "Token::Object | Token::List if open.len() == DEPTH_MAX.max => {",
        "Token::Object | Token::List if open.len() == usize::MAX => {",
    ),
    text(
        "half a surrogate pair is let in",
        "text/readable.rs",
        "stands_for.map_err(|_| Refused::invalid(format!(\"{what} has the text {}, which is half of a surrogate pair\", shown(string))))",
        "let _ = what; Ok(stands_for.unwrap_or_default())",
    ),
    text("a cut text is longer than its limit", "text.rs", "max.max.saturating_sub(MARK_MAX)", "max.max"),
    unit(
        "a value may be one deeper than its limit",
        "text/readable.rs",
        "Token::Object | Token::List if open.len() == DEPTH_MAX.max => {",
        "Token::Object | Token::List if open.len() == DEPTH_MAX.max + 1 => {",
    ),
    unit(
        "a path may have a key too many",
        "text.rs",
        "path.split('.').count() > PATH_KEYS_MAX.max",
        "path.split('.').count() > PATH_KEYS_MAX.max + 1",
    ),
    unit("a path is as long as it likes", "text.rs", "line(\"the path\", path, PATH_MAX)?;", ""),
    unit(
        "an answer looks at everybody who waits",
        "run/waiters.rs",
        "wanted.requirements.iter().min_by_key(crowd)",
        "wanted.requirements.iter().max_by_key(crowd)",
    ),
    scripts(
        "a page tells when an invocation last moved as when it was made",
        "run/invocation.rs",
        "self.made.get_or_insert((seq, at));",
        "self.made = Some((seq, at));",
    ),
    scripts(
        "a page knows nothing of what was in flight before it",
        "run/history.rs",
        "before: run.invocations.iter().map(delivery).collect(),",
        "before: run.invocations.iter().map(delivery).take(0).collect(),",
    ),
    unit("an entry tells of everybody", "run/enter.rs", "self.turn.touched.insert(id);", "self.turn.touched.extend(0..=id);"),
    scripts(
        "an all-join takes one more than it is to",
        "run/scopes.rs",
        "take.is_none_or(|take| gathered.len() < take as usize)",
        "take.is_none_or(|take| gathered.len() <= take as usize)",
    ),
    scripts("a push is put in front", "state/write.rs", "items.push_back(new);", "items.push_front(new);"),
    scripts(
        "a push disturbs every edit of its list",
        "state/write.rs",
        "    done.step(&items.len().to_string());\n    done.grown",
        "    done.grown",
    ),
    scripts(
        "an open step may return what nothing declares",
        "definition/types.rs",
        "is_open && self.event_type(name).is_some()",
        "is_open",
    ),
    scripts(
        "no step is open",
        "definition/types.rs",
        "self.index.emits(index, name) || is_open &&",
        "self.index.emits(index, name) || false && is_open &&",
    ),
    scripts(
        "a step's timeout forgets the entries before",
        "run/invocation.rs",
        "self.used = self.used_before.saturating_add(cpu);",
        "self.used = cpu;",
    ),
    scripts("a step's timeout counts the time in an instance", "run/enter.rs", "!self.follows_rules(2)", "self.follows_rules(1)"),
    scripts(
        "an attempt is told of one failure too many",
        "run/invocation.rs",
        "RetryInfo { failures: self.failures,",
        "RetryInfo { failures: self.failures + 1,",
    ),
    scripts("an attempt is not told when the one before failed", "run/fail.rs", "self.follows_rules(4)", "false"),
    scripts("an older run is told when an attempt failed", "run/fail.rs", "self.follows_rules(4)", "self.follows_rules(1)"),
    scripts("retries draw from another stream of chance", "run/retry.rs", "*b\"retrying\"", "*b\"repeated\""),
    scripts(
        "a report tells the step log again",
        "attempt/reentry.rs",
        "self.unreported.recorded(&call);",
        "self.unreported.push(call.clone());",
    ),
    scripts(
        "what was read before an entry is told as after it",
        "answers.rs",
        "before.remove(&entry.seq)",
        "before.remove(&entry.seq.saturating_sub(1))",
    ),
    attempt(
        "a guest is told of one attempt too many",
        "attempt/info.rs",
        "attempts: self.retry.failures,",
        "attempts: self.retry.failures + 1,",
    ),
    attempt(
        "a read is the same as another call's",
        "attempt/unreported.rs",
        "*answer = Told::Same(first);",
        "*answer = Told::Same(first + 1);",
    ),
    attempt(
        "the same as an earlier call's is looked up beside it",
        "attempt/answer.rs",
        "log.get(*ordinal as usize)",
        "log.get(*ordinal as usize + 1)",
    ),
    attempt(
        "what an attempt has written is told as what the run has",
        "attempt.rs",
        "if let (Told::Value(_), false) = (&told, own) {",
        "if let (Told::Value(_), _) = (&told, own) {",
    ),
    scripts(
        "an inbox keeps one event too many",
        "run/inbox.rs",
        "self.kept.len() < INBOX_EVENTS_MAX",
        "self.kept.len() <= INBOX_EVENTS_MAX",
    ),
    scripts(
        "an inbox keeps two bytes too many",
        "run/inbox.rs",
        "event.payload.get().len() <= INBOX_BYTES_MAX",
        "event.payload.get().len() <= INBOX_BYTES_MAX + 2",
    ),
    scripts("what was taken from an inbox keeps its room", "run/inbox.rs", "self.bytes -= event.payload.get().len();", ""),
    scripts("an entry of a newer form is applied", "journal.rs", "if entry.v != ENTRY_VERSION {", "if false && entry.v != ENTRY_VERSION {"),
    scripts("an entry of a newer form is unreadable", "journal.rs", "if v != u64::from(ENTRY_VERSION) {", "if false {"),
    scripts("a run of newer rules goes on", "journal.rs", "if !(1..=RULES).contains(&started.rules) {", "if false {"),
    scripts(
        "the start of a run of newer rules is unreadable",
        "journal.rs",
        "(!(1..=u64::from(RULES)).contains(&rules)).then_some",
        "false.then_some",
    ),
    scripts("an older run is told its timeout as a newer one is", "run/end.rs", "if self.follows_rules(4)", "if self.follows_rules(1)"),
    scripts("a run goes on with any definition", "journal.rs", "if is_known { Ok(()) }", "if is_known || true { Ok(()) }"),
    scripts("a second start of a run is taken", "journal.rs", "Input::Started(started) if seq == 0 => {", "Input::Started(started) => {"),
    check(
        "a type may be declared in two modules",
        "definition/check/declarations.rs",
        "(\"module\", one.module != other.module)",
        "(\"module\", false)",
    ),
    check(
        "a type may be declared by two components in two ways",
        "definition/check/declarations.rs",
        "own.get(event.name.as_str()).or(first.get(event.name.as_str()))",
        "own.get(event.name.as_str())",
    ),
    check(
        "a step that catches errors may join",
        "definition/check/step.rs",
        "if step.join.is_some() {",
        "if false && step.join.is_some() {",
    ),
    check("no step is fed by the failures that it catches", "definition/graph.rs", "fed[1][catcher] = true;", "let _ = catcher;"),
    check(
        "a fan-out that fails opens a scope",
        "definition/graph.rs",
        "fed[1][catcher] = true;",
        "fed[usize::from(!manifest.fan_out)][catcher] = true;",
    ),
    scripts("what is no list opens a scope", "run/report.rs", ".fan_out && !commit.is_no_list()", ".fan_out"),
    scripts("a join takes the scopes of one fan-out", "run/scopes.rs", "!openers.contains(&opener)", "openers.first() != Some(&opener)"),
    check(
        "what is returned alone is a list",
        "definition/graph.rs",
        "manifest.fan_out && !manifest.returns_alone.iter()",
        "manifest.fan_out && ![\"\"].iter()",
    ),
    scripts("an attempt that ends keeps its exclusive edit", "run/leave.rs", "        self.release_exclusive(id);\n", ""),
    scripts(
        "what a refused return sent is told as sent",
        "run/report.rs",
        "if let Some(failure) = self.forbidden(id, calls, Some(commit), events, conflict) {",
        "self.note_sent(id, commit); if let Some(failure) = self.forbidden(id, calls, Some(commit), events, conflict) {",
    ),
    scripts(
        "what a refused report sent is told as sent",
        "run/report.rs",
        "if let Some(failure) = self.forbidden(id, calls, commit, &[], conflict) {",
        "commit.into_iter().for_each(|commit| self.note_sent(id, commit)); if let Some(failure) = self.forbidden(id, calls, commit, &[], conflict) {",
    ),
    scripts("what a return sends is told by nobody", "run/report.rs", "self.note_sent(id, commit);", ""),
    scripts(
        "what a run keeps for collect is not put away",
        "run.rs",
        "    buffers: Buffers,\n    scopes",
        "    #[serde(skip)]\n    buffers: Buffers,\n    scopes",
    ),
    scripts(
        "the form of a snapshot changes unseen",
        "run.rs",
        "    next_sequence: u64,\n    idle: bool,",
        "    #[serde(rename = \"frames\")]\n    next_sequence: u64,\n    idle: bool,",
    ),
    unit("a number beyond a double is let in", "text/readable.rs", "serde_json::from_str::<f64>(scalar).is_err() ||", ""),
    unit(
        "a failure's message is as long as two",
        "entry/calls.rs",
        "message: cut(message, MESSAGE_MAX),",
        "message: message.chars().take(2 * MESSAGE_MAX.max - 1).collect(),",
    ),
    unit("each write measures the whole state", "state.rs", "self.size as isize + own.grown()", "self.tree.size() as isize + own.grown()"),
    unit(
        "each question goes through all that was written",
        "state/overlay.rs",
        "Some(committed), 0, keys);",
        "Some(committed), 0, &keys[..0]);",
    ),
    unit("a list is copied at each write in it", "state/node.rs", "Some((made_for, _)) if !self", "Some((made_for, _)) if false && !self"),
    scripts("a path that no border lets in is folded", "journal.rs", "told.all(|path| text::path(path).is_ok())", "told.all(|_| true)"),
    scripts(
        "a wait takes its first type alone",
        "run/waiters.rs",
        "self.types.iter().any(|it| it == name)",
        "self.types.iter().take(1).any(|it| it == name)",
    ),
    scripts(
        "a directed event is never refused",
        "run/route.rs",
        "(!waits).then_some(Refusal::NotWaiting(id))",
        "(!waits && event.name.is_empty()).then_some(Refusal::NotWaiting(id))",
    ),
    scripts(
        "an entry does not know that the one before was lost",
        "run/enter.rs",
        "self.push_invoke(id, true);",
        "self.push_invoke(id, false);",
    ),
    unit("an index may begin with a zero", "state/path.rs", "(key == \"0\" || !key.starts_with('0'))", "(key == \"0\" || !key.is_empty())"),
    attempt(
        "an attempt may hold back what it likes",
        "attempt/live.rs",
        "(self.own.bytes + self.unreported.bytes() > buffered_max)",
        "(self.own.bytes + self.unreported.bytes() > usize::MAX - 1)",
    ),
    attempt(
        "past a limit nothing is committed",
        "attempt/live.rs",
        "self.past_limit().filter(|_| !self.is_owed(&function))",
        "self.past_limit().filter(|_| !self.is_owed(&function) || true)",
    ),
    attempt("past its calls an attempt commits for ever", "attempt/live.rs", "&& self.next > self.committed", ""),
    attempt("past its calls an attempt edits for ever", "attempt/live.rs", "&& (is_first || !may_conflict)", "&& (is_first || true)"),
    attempt(
        "past its calls an attempt is refused for ever",
        "attempt/live.rs",
        "if let Some(failure) = self.past_limit() {",
        "if let Some(failure) = self.past_limit().filter(|_| false) {",
    ),
    attempt(
        "a conflict counts as a commit",
        "attempt.rs",
        "(Some(own), Function::EditCommit { answer: Some(false), .. }) => self.own = own,",
        "(Some(own), Function::EditCommit { answer: Some(false), .. }) => (self.own, self.committed) = (own, self.next),",
    ),
    scripts(
        "the order of emission ends at an inner fan-out",
        "run/scopes.rs",
        "Some(Closed { place, joins:",
        "Some(Closed { place: Place { index: 0, ..place }, joins:",
    ),
    scripts(
        "a run that waits needs a `Resumed`",
        "run.rs",
        "self.is_running() && self.invocations.iter().any(|(_, invocation)| invocation.is_live())",
        "self.is_running()",
    ),
    scripts(
        "what is kept is not told of",
        "run/route.rs",
        "self.inbox.keep(event, step);\n            }\n",
        "return self.inbox.keep(event, step);\n            }\n",
    ),
    scripts(
        "what a failed attempt saw is told by nobody",
        "answers.rs",
        "if (*id, *nth) == (invocation, attempt) =>",
        "if (*id, *nth) == (invocation, attempt) && !matches!(input, Input::StepFailed { .. }) =>",
    ),
    scripts("an attempt that records stays suspected", "run/commit.rs", "self.invocations[id].crashes = 0;", ""),
    scripts("a stop that was planned is held against attempts", "run/resume.rs", "!planned && on_thread", "on_thread"),
    scripts("a fork has the seed of its origin", "run/fork.rs", "started.seed.clone_from(&forked.seed);", ""),
    scripts(
        "a fork onto another definition loses its scopes",
        "run/fork.rs",
        "self.scopes.move_to(&moved, &plan);",
        "self.scopes = Default::default();",
    ),
    scripts(
        "an attempt is told of no time that failed ones took",
        "run/invocation.rs",
        "saturating_sub(self.first_at.unwrap_or_default())",
        "saturating_sub(self.started_at.unwrap_or_default())",
    ),
    scripts(
        "a retry is as long as it likes",
        "run/retry.rs",
        "elapsed.saturating_add(delay) < time::micros(max)",
        "elapsed < time::micros(max)",
    ),
    attempt(
        "options are as long as they like",
        "attempt/options.rs",
        "options.to_owned(), OPTIONS_MAX)",
        "options.to_owned(), text::DETAILS_MAX)",
    ),
    attempt("a name is as long as it likes", "text.rs", "line(what, name, NAME_MAX)", "line(what, name, DETAILS_MAX)"),
    attempt("an id is as long as it likes", "text.rs", "line(what, id, ID_MAX)", "line(what, id, DETAILS_MAX)"),
    attempt("a target is as long as it likes", "attempt/border.rs", "target, TARGET_MAX)", "target, text::DETAILS_MAX)"),
    attempt(
        "requirements are as long as they like",
        "attempt/border.rs",
        "if size > REQUIREMENTS_MAX.max {",
        "if false && size > REQUIREMENTS_MAX.max {",
    ),
    attempt("a wait is not checked", "attempt/border.rs", "=> check_wait(wait),", "=> check_wait(wait).or(Ok(())),"),
    attempt(
        "a collect lists as many types as it likes",
        "attempt/border.rs",
        "if expected.len() > EXPECTED_MAX.max {",
        "if false && expected.len() > EXPECTED_MAX.max {",
    ),
    scripts(
        "a payload that no border lets in is folded",
        "journal.rs",
        "Fields::read(&event.payload).is_some()",
        "Fields::read(&event.payload).is_some() || true",
    ),
    scripts("attempts make the state too large together", "state.rs", "size > state_max && size > self.size", "false && size > state_max"),
    scripts(
        "what a fork has no step for goes on for ever",
        "run/fork.rs",
        "gone.iter().for_each(|id| self.note_ended(*id, Ended::Dropped));",
        "",
    ),
    scripts("a large value is journaled at every read", "run/tell.rs", "if is_large(value) && ", "if false && is_large(value) && "),
    unit(
        "an answer looks at every field that anybody requires",
        "run/waiters.rs",
        "if fields.len() < self.by_field.len() {",
        "if false && fields.len() < self.by_field.len() {",
    ),
    unit(
        "a failure with details that are not understood is retried",
        "entry/calls.rs",
        "cut(message, room) + &wrong, false)",
        "cut(message, room) + &wrong, true)",
    ),
];

/// A copy of the engine in a workspace of its own.
pub fn copy(root: &Path, copy: &Path) {
    workspace_of("members = [\"host/engine\"]", root, copy);
    copy_folder(&root.join("host/engine"), &copy.join("host/engine"));
}
