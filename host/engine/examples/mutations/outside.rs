//! The engine's rules for what an attempt has to do with the outside, each broken in one place.

use crate::Mutation;
use crate::engine::{attempt, simulation};

pub const MUTATIONS: &[Mutation] = &[
    simulation(
        "a cut body goes on at re-entry",
        "attempt/outside.rs",
        "self.bodies.insert(ordinal, live)",
        "self.bodies.insert(ordinal, live || true)",
    ),
    attempt("a body has no end", "attempt/outside.rs", "drop(self.bodies.remove(request))", "drop(self.bodies.get(request))"),
    simulation(
        "a request leaves before what came before it is durable",
        "attempt/outside.rs",
        "if !self.unreported.is_empty() => self.progress(None),",
        "if false => self.progress(None),",
    ),
    simulation(
        "a cut body is not worth another attempt",
        "attempt/outside.rs",
        "since it was sent\"),\n                true,",
        "since it was sent\"),\n                false,",
    ),
    simulation(
        "a body is whole again for whoever is entered again",
        "attempt/reentry.rs",
        "self.follow(&call, false);",
        "self.follow(&call, true);",
    ),
    simulation(
        "each part of a body is told as the last one",
        "attempt/answer.rs",
        "Function::Read { answer, .. } => Answer::Chunk(answer),",
        "Function::Read { answer, .. } => Answer::Chunk(log.iter().rev().find_map(|it| match &it.function { Function::Read { answer, .. } => Some(answer.clone()), _ => None }).unwrap_or(answer)),",
    ),
    attempt(
        "what came of a request is not reported",
        "attempt/outside.rs",
        "        self.follow(&call, true);\n        self.progress(None)",
        "        self.follow(&call, true);\n        super::answer::next(call, &self.log)",
    ),
    attempt("variables are at re-entry what is granted then", "attempt/variables.rs", "if self.variables.is_none() {", "if true {"),
    attempt(
        "an attempt that had no variables gets some at re-entry",
        "attempt/variables.rs",
        "Some(call) => !matches!(call.function, Function::Variables { .. }),",
        "Some(_) => false,",
    ),
    simulation(
        "a request is sent again at re-entry",
        "attempt/reentry.rs",
        "answer::next(call, &self.log)",
        "if let Some(outside) = request.outside() { Next::Perform(outside) } else { answer::next(call, &self.log) }",
    ),
];
