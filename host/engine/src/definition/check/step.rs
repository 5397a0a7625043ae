//! A step's options.

use super::{Findings, is_duration, is_span};
use crate::definition::{Definition, builtin};
use crate::manifest::{Backoff, Join, Order, Retry, StepManifest};

impl Findings<'_> {
    pub(super) fn step(&mut self, step: &StepManifest) {
        self.step_name(step);
        self.events(step);
        let name = &step.name;
        if step.num_workers == 0 {
            self.add(format!("step `{name}` has no slots: set `num_workers` to 1 or more"));
        }
        if !step.timeout.is_none_or(is_duration) {
            self.add(format!("the timeout of step `{name}` is no time: give a number of seconds above 0, or leave it out"));
        }
        if let Some(retry) = &step.retry {
            self.retry(name, retry);
        }
        self.join(step);
        if let Some(event) = step.returns_alone.iter().find(|event| !step.fan_out || !step.emits.contains(event)) {
            self.add(format!("step `{name}` returns event `{event}` alone, and not as one of what it returns beside a list: name it in `emits`, of a fan-out"));
        }
        if step.catch_error.is_some() {
            self.catch_error(step);
        }
    }

    /// What no step can be given, and what none can make.
    fn events(&mut self, step: &StepManifest) {
        let name = &step.name;
        if step.accepts.is_empty() {
            self.add(format!("step `{name}` accepts no event: name the type of event that it takes"));
        }
        for event in &step.accepts {
            if self.definition.is_terminal(event) {
                self.add(format!("step `{name}` accepts event `{event}`, which ends the run and reaches no step: let it accept another"));
            } else if Definition::is_reserved(event) && event != builtin::STEP_FAILED {
                self.add(format!("step `{name}` accepts event `{event}`, which the host gives to no step: let it accept another"));
            }
        }
        for event in step.emits.iter().filter(|event| Definition::is_reserved(event)) {
            self.add(format!("step `{name}` returns event `{event}`, which only the host makes: let it return another, or fail"));
        }
        for event in step.sends.iter().filter(|event| Definition::is_reserved(event)) {
            self.add(format!("step `{name}` sends event `{event}`, which only the host makes: let it send another"));
        }
    }

    fn retry(&mut self, step: &str, retry: &Retry) {
        let optional = |value: Option<f64>| value.is_none_or(is_span);
        let sound = is_span(retry.delay) && is_span(retry.factor) && optional(retry.delay_max) && optional(retry.elapsed_max);
        if !sound || !(0.0..=1.0).contains(&retry.jitter) {
            self.add(format!("the retry of step `{step}` has a time that is none: give seconds of 0 or more, and a jitter from 0 to 1"));
        }
        if retry.attempts_max == Some(0) {
            self.add(format!("the retry of step `{step}` allows no attempt: set `attempts_max` to 1 or more"));
        }
        if sound && is_endless(retry) {
            self.add(format!(
                "the retry of step `{step}` has no end and no lasting delay: set `attempts_max` or `elapsed_max`, or a `delay` above 0"
            ));
        }
    }

    fn join(&mut self, step: &StepManifest) {
        let name = &step.name;
        let joins_all = step.join == Some(Join::All);
        if step.take == Some(0) {
            self.add(format!("step `{name}` takes 0 events of a fan-out: set `take` to 1 or more, or leave it out"));
        }
        if step.take.is_some() && !joins_all {
            self.add(format!("step `{name}` has `take` and does not join a fan-out: set `join` to `all`, or leave `take` out"));
        }
        if step.order != Order::Emission && !joins_all {
            self.add(format!("step `{name}` has `order` and does not join a fan-out: set `join` to `all`, or leave `order` out"));
        }
    }

    fn catch_error(&mut self, step: &StepManifest) {
        let name = &step.name;
        if step.join.is_some() {
            self.add(format!("step `{name}` catches errors and joins events, and is given one error at a time: leave `join` out"));
        }
        if !self.definition.accepts(name, builtin::STEP_FAILED) {
            self.add(format!("step `{name}` catches errors and does not accept `StepFailedEvent`: add it to what the step accepts"));
        }
    }
}

/// Whether nothing ends it, and in the end it does not even wait.
fn is_endless(retry: &Retry) -> bool {
    let shrinks = retry.backoff == Backoff::Exponential && retry.factor < 1.0;
    let waits = retry.delay > 0.0 && retry.delay_max != Some(0.0) && !shrinks;
    retry.attempts_max.is_none() && retry.elapsed_max.is_none() && !waits
}
