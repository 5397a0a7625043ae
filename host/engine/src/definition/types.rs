//! What a definition says of its event types. Each answer is a look-up.

use super::index::Declaration;
use super::{Definition, builtin, index, once};
use crate::manifest::{EventKind, EventType, Validation};

impl Definition {
    /// The declared types in order, each once, then the built-in ones that steps name.
    pub fn event_types(&self) -> impl Iterator<Item = &EventType> {
        let counts = |event: &&EventType| self.event_type(&event.name).is_some_and(|it| std::ptr::eq(it, *event));
        let used = |event: &&EventType| self.is_declared(&event.name);
        self.declarations().filter(counts).chain(self.builtins.iter().filter(counts).filter(used))
    }

    /// The type of that name, declared or built in; of two declarations, the first.
    pub fn event_type(&self, name: &str) -> Option<&EventType> {
        self.index.get(name)?.declaration.map(|it| self.declared(it))
    }

    /// Whether the outside may name it: declared, or built in and named by a step.
    pub fn is_declared(&self, name: &str) -> bool {
        self.index.get(name).is_some_and(|it| match it.declaration {
            Some(Declaration::Manifest(..)) => true,
            Some(Declaration::Builtin(_)) => it.is_named,
            None => false,
        })
    }

    /// Whether a type is built in, and not declared.
    pub fn is_builtin(&self, name: &str) -> bool {
        self.index.get(name).is_some_and(|it| matches!(it.declaration, Some(Declaration::Builtin(_))))
    }

    /// The components, by their places, that are asked about a value of that type from outside, which its schema takes or
    /// refuses; none: its schema counts. What that refuses they are asked about only where all that declare the type have
    /// the last word.
    pub fn validators(&self, name: &str, taken: bool) -> Vec<usize> {
        let declared = self.index.get(name).map_or(&[][..], |it| &it.validations);
        let asked = |(place, validation): &(usize, Validation)| match validation {
            Validation::Own => Some(*place),
            Validation::LastWord => (!taken).then_some(*place),
            Validation::Schema => None,
        };
        let asked: Vec<usize> = declared.iter().filter_map(asked).collect();
        if taken || asked.len() == declared.len() { asked } else { Vec::new() }
    }

    /// The type's name with the module that declares it; where none is named, with what the workflow is called here.
    pub fn qualified_name(&self, workflow: &str, name: &str) -> String {
        let module = self.event_type(name).and_then(|event| event.module.as_deref());
        format!("{}.{name}", module.unwrap_or(workflow))
    }

    /// Whether only the host makes events of that type: no step may return, send or publish one,
    /// and no workflow may declare it.
    pub fn is_reserved(name: &str) -> bool {
        builtin::is_reserved(name)
    }

    /// The base types of a type, nearest first, up to but without `Event`. At most
    /// [`super::BASES_MAX`].
    pub fn bases(&self, name: &str) -> Vec<&str> {
        self.index.bases(name).collect()
    }

    /// Whether a type derives from another.
    pub fn derives(&self, name: &str, base: &str) -> bool {
        self.index.bases(name).any(|it| it == base)
    }

    /// Whether it tells of the run's inner life: `StepStateChanged`, `WorkflowIdleEvent`, `UnhandledEvent`.
    pub fn is_internal(&self, name: &str) -> bool {
        self.is_builtin(name) && self.event_type(name).and_then(index::base) == Some(builtin::INTERNAL)
    }

    /// Whether it ends a run: `StopEvent`, or derived from it.
    pub fn is_terminal(&self, name: &str) -> bool {
        self.index.get(name).is_some_and(|it| it.is_terminal)
    }

    /// The kind of a type.
    pub fn kind(&self, name: &str) -> Option<EventKind> {
        self.event_type(name).map(|event| event.kind)
    }

    /// The type that a run starts with.
    pub fn start_type(&self) -> Option<&str> {
        self.start_types().into_iter().next()
    }

    /// The start types that steps accept, each once.
    pub(super) fn start_types(&self) -> Vec<&str> {
        let accepted = self.steps().flat_map(|step| &step.accepts).map(String::as_str);
        once(accepted.filter(|name| self.kind(name) == Some(EventKind::Start)))
    }

    /// The stop types that steps return, each once; first those that they name.
    pub fn stop_types(&self) -> Vec<&str> {
        let named = self.steps().flat_map(|step| &step.emits).map(String::as_str);
        once(named.chain(self.open_types()).filter(|name| self.is_terminal(name)))
    }

    /// What the steps with `emits_any` are taken to return, by name; nothing where there are none.
    pub(super) fn open_types(&self) -> impl Iterator<Item = &str> {
        let is_open = self.steps().any(|step| step.emits_any);
        let returned = |event: &&EventType| matches!(event.kind, EventKind::Plain | EventKind::InputRequired | EventKind::Stop);
        let declared = self.declarations().filter(returned).map(|event| event.name.as_str());
        declared.chain([builtin::STOP]).filter(move |name| is_open && !builtin::is_reserved(name))
    }

    /// The steps that accept a type, exactly, or as a subtype where the step opted in: their
    /// indexes, in order. Nobody accepts a type that nothing declares or names.
    pub fn accepting(&self, event: &str) -> &[usize] {
        self.index.get(event).map_or(&[], |it| &it.accepting)
    }

    /// Whether a step accepts a type: exactly, or a subtype where the step opted in.
    pub fn accepts(&self, step: &str, event: &str) -> bool {
        self.step_index(step).is_some_and(|step| self.accepting(event).binary_search(&step).is_ok())
    }

    /// Whether a step may return a type: one that it emits, one that derives from that, or any that
    /// is declared or built in where it `emits_any`. Never one that only the host makes.
    pub fn may_return(&self, step: &str, name: &str) -> bool {
        self.step_index(step).filter(|_| !builtin::is_reserved(name)).is_some_and(|index| {
            let is_open = self.step_at(index).is_some_and(|step| step.emits_any);
            self.index.emits(index, name) || is_open && self.event_type(name).is_some()
        })
    }

    /// Whether the outside produces it: it starts a run, answers, or is an additional event.
    pub(super) fn is_from_outside(&self, name: &str) -> bool {
        let outside = matches!(self.kind(name), Some(EventKind::Start | EventKind::HumanResponse));
        outside || self.index.get(name).is_some_and(|it| it.is_additional)
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.index.get(name).is_some_and(|it| it.is_named)
    }
}
