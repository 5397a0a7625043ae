//! A call that is made now: checked, counted, buffered or reported.

use super::border::Prepared;
use super::{Attempt, Limits, Next, Request, answer, limit, value_told};
use crate::entry::{Buffered, Call, Commit, Failure, Function};
use crate::text::Refused;

impl Attempt {
    /// A call that is not in the log. The outer failure ends the attempt.
    pub(super) fn live(&mut self, mut request: Request) -> Result<Next, Failure> {
        self.count_send(&request)?;
        let prepared = request.prepare(&self.limits).map_err(Failure::from);
        let prepared = prepared.and_then(|prepared| self.permit(&prepared).map(|()| prepared));
        let Prepared { function, effect, query } = match prepared {
            Ok(prepared) => prepared,
            // It could not be told.
            Err(failure) if matches!(request, Request::Sleep { .. }) => return Err(failure),
            Err(failure) => return Ok(self.refuse(request.identity(), failure)),
        };
        if let Some(failure) = self.past_limit().filter(|_| !self.is_owed(&function)) {
            return Err(failure);
        }
        Ok(match (query, request.outside()) {
            (Some(query), _) => {
                self.asked = Some(Prepared { function, effect, query: None });
                Next::Read { query, own: std::mem::take(&mut self.own.seen) }
            }
            (None, Some(outside)) => self.reach(outside),
            (None, None) => self.act(function, effect),
        })
    }

    fn count_send(&mut self, request: &Request) -> Result<(), Failure> {
        self.sent += usize::from(matches!(request, Request::Send { .. }));
        if self.sent > self.limits.events_max {
            return Err(limit(format!("the step sent more than {} events (limit events_max)", self.limits.events_max)));
        }
        Ok(())
    }

    /// Why no call more may be made, but for one that [is owed](Self::is_owed). As calls, those that were recorded
    /// count as well; as bytes, what this entry has been told and has buffered itself.
    fn past_limit(&self) -> Option<Failure> {
        let Limits { calls_max, buffered_max, .. } = self.limits;
        if self.next >= calls_max {
            return Some(limit(format!("the step made more than {calls_max} calls (limit calls_max)")));
        }
        (self.own.bytes + self.unreported.bytes() > buffered_max)
            .then(|| limit(format!("the step holds back more than {buffered_max} bytes (limit buffered_max): commit now and then")))
    }

    /// Whether a call commits what came before it: past every limit, also one that was lowered since, that can be
    /// done. Once: behind a commit nothing is owed, and an edit, which may conflict, is so only as the first.
    fn is_owed(&self, function: &Function) -> bool {
        let is_first = self.next <= self.limits.calls_max.max(self.log.len() as u32);
        let may_conflict = matches!(function, Function::EditCommit { .. });
        function.is_commit_point() && self.next > self.committed && (is_first || !may_conflict)
    }

    /// Whether this is the time for a call, and there is whom it names.
    fn permit(&self, prepared: &Prepared) -> Result<(), Failure> {
        if let Some(Buffered::Send { event, step: Some(step) }) = &prepared.effect {
            self.permit_step(step, &event.name)?;
        }
        match (&self.held, &prepared.function) {
            (Some(path), function) if function.suspends() => {
                let what = match function {
                    Function::Wait(_) => "a wait",
                    Function::Sleep { .. } => "a sleep of a second or more",
                    _ => "a second exclusive edit",
                };
                Err(Refused::invalid(format!("{what} is not possible in the exclusive edit of `{path}`: end that with edit-commit")).into())
            }
            (_, &Function::Read { request, .. }) => self.permit_read(request),
            _ => Ok(()),
        }
    }

    fn permit_step(&self, step: &str, event: &str) -> Result<(), Refused> {
        match self.definition.step(step) {
            None => Err(Refused::invalid(format!("Step {step} does not exist"))),
            Some(_) if !self.definition.accepts(step, event) => Err(Refused::invalid(format!("Step {step} does not accept {event}"))),
            Some(_) => Ok(()),
        }
    }

    /// A call that nothing speaks against.
    pub(super) fn act(&mut self, mut function: Function, effect: Option<Buffered>) -> Next {
        if let Function::LookUp { name, answer } = &mut function {
            *answer = value_told(self.memos.get(name).cloned());
        }
        effect.into_iter().for_each(|effect| self.own.add(effect));
        let call = self.note(function);
        self.follow(&call, true);
        match &call.function {
            Function::EditCommit { .. } => {
                let commit = Commit { effects: self.own.effects.clone() };
                self.committing = Some(std::mem::take(&mut self.own));
                self.progress(Some(commit))
            }
            function if function.is_commit_point() => {
                let commit = self.own.commit();
                self.progress(Some(commit))
            }
            Function::Publish { .. } => self.progress(None),
            _ => answer::next(call, &self.log),
        }
    }

    /// Records a call that is refused: it commits nothing, so past a limit it is not made.
    pub(super) fn refuse(&mut self, call: String, failure: Failure) -> Next {
        if let Some(failure) = self.past_limit() {
            return Next::Fail(failure);
        }
        self.note(Function::Refused { call, failure: failure.clone() });
        Next::Answer(Err(failure))
    }

    /// Records a call, to be reported with the next that is answered by the fold.
    pub(super) fn note(&mut self, function: Function) -> Call {
        let call = Call { ordinal: self.next, at: self.at, function };
        self.unreported.push(call.clone());
        self.next += 1;
        call
    }

    pub(super) fn progress(&mut self, commit: Option<Commit>) -> Next {
        Next::Progress { calls: self.unreported.progress(), commit }
    }

    /// What later calls depend on, of one that was recorded or is made now.
    pub(super) fn follow(&mut self, call: &Call, live: bool) {
        match &call.function {
            Function::Keep { name, value } => self.memos.insert_mut(name.clone(), value.clone()),
            Function::EditExclusive { path, .. } => self.held = Some(path.clone()),
            Function::EditCommit { path, .. } if self.held.as_ref() == Some(path) => self.held = None,
            Function::Variables { values } => self.variables = Some(values.clone()),
            function => self.follow_body(call.ordinal, function, live),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use crate::attempt::{Answer, Attempt, Limits, Next, Request};
    use crate::definition::Definition;
    use crate::effect::{Invoke, Log, Memos, RetryInfo};
    use crate::json::{to_json, work};
    use crate::state::State;

    fn entered(log: Log) -> Attempt {
        let limits = Limits {
            payload_max: usize::MAX,
            value_max: usize::MAX,
            state_max: isize::MAX as usize,
            events_max: usize::MAX,
            buffered_max: usize::MAX,
            calls_max: u32::MAX,
        };
        let invoke = Invoke {
            invocation: 0,
            attempt: 0,
            step: "work".into(),
            component: 0,
            events: [].into(),
            started_at: 0,
            log,
            committed: 0,
            memos: Memos::new_sync(),
            retry: RetryInfo::default(),
            definition: Arc::new(Definition::new(Vec::new())),
            time_left: None,
            lost: false,
        };
        Attempt::new(invoke, limits)
    }

    fn answered(attempt: &mut Attempt, state: &State, request: Request) {
        let mut next = attempt.call(request, 0);
        if let Next::Read { query, mut own } = next {
            next = attempt.read(query.answer(state, 1, &mut own), own);
        }
        assert!(matches!(next, Next::Answer(Ok(Answer::Done | Answer::Value(Some(_))))), "{next:?}");
    }

    /// Writes so often in each way, and reads what it wrote; the parts of values that it went through.
    fn write(attempt: &mut Attempt, state: &State, count: usize) -> usize {
        let set = |path: String| Request::Set { path, value: "1".to_owned() };
        let push = |path: &str| Request::Push { path: path.to_owned(), value: "1".to_owned() };
        work::take();
        for at in 0..count {
            answered(attempt, state, set(format!("k{at}")));
            answered(attempt, state, set(format!("all.k{at}.deep")));
            answered(attempt, state, set("list.0".to_owned()));
            answered(attempt, state, push("list"));
            answered(attempt, state, push("pushed"));
            answered(attempt, state, Request::Delete { path: format!("all.k{}", at / 2) });
            answered(attempt, state, Request::Get { path: format!("k{}", at / 2) });
        }
        work::take()
    }

    #[test]
    fn a_write_goes_through_what_it_writes_however_many_came_before_it_and_however_large_the_state() {
        // Of them six are writes: more than a hundred thousand at last.
        for count in [100, 1_000, 20_000] {
            let fields = (0..count).map(|at| (format!("f{at}"), vec![at])).chain([("list".to_owned(), vec![0])]);
            let state = State::new(&to_json(&fields.collect::<BTreeMap<_, _>>()));
            let mut attempt = entered(Log::new_sync());
            let parts = write(&mut attempt, &state, count);
            assert!(parts <= 40 * count, "{parts} parts of values for {count} writes of each kind");
            // And when they are buffered again.
            let Next::Progress { mut calls, .. } = attempt.call(Request::Commit, 0) else { panic!("it is reported") };
            calls.pop();
            let mut attempt = entered(calls.into_iter().collect());
            assert_eq!(write(&mut attempt, &state, count), 0, "the log answers");
            answered(&mut attempt, &state, Request::Get { path: "k0".to_owned() });
            let parts = work::take();
            assert!(parts <= 40 * count, "{parts} parts of values for {count} writes of each kind that come again");
        }
    }
}
