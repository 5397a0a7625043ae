//! What is different about a new version, in words.

use std::collections::BTreeMap;

use crate::model::Workflow;

/// Steps, events and imports that came, went or are not what they were.
pub(super) fn between(before: &Workflow, after: &Workflow) -> Vec<String> {
    let mut changes = Vec::new();
    if before.name != after.name {
        changes.push(format!("renamed from `{}`", before.name));
    }
    let steps = |workflow: &Workflow| workflow.definition.steps().map(|it| (it.name.clone(), it.clone())).collect::<BTreeMap<_, _>>();
    let events = |workflow: &Workflow| {
        let declared = workflow.definition.manifests().flat_map(|it| &it.events);
        declared.map(|it| (it.name.clone(), it.clone())).collect::<BTreeMap<_, _>>()
    };
    let imports = |workflow: &Workflow| workflow.imports().map(|it| (it.clone(), ())).collect::<BTreeMap<_, _>>();
    compare("step", &steps(before), &steps(after), ["added", "removed", "altered"], &mut changes);
    compare("event", &events(before), &events(after), ["added", "removed", "altered"], &mut changes);
    let missing = |workflow: &Workflow| {
        workflow.asked().into_iter().filter(|it| it.requested && it.granted.is_empty()).map(|it| it.what).collect::<Vec<_>>()
    };
    let before_missing = missing(before);
    for what in missing(after).into_iter().filter(|it| !before_missing.contains(it)) {
        changes.push(format!("it asks for {what} now, and none is granted"));
    }
    compare("import", &imports(before), &imports(after), ["gained", "lost", "altered"], &mut changes);
    changes
}

fn compare<T: PartialEq>(
    what: &str,
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    [added, removed, altered]: [&str; 3],
    changes: &mut Vec<String>,
) {
    for (name, value) in after {
        match before.get(name) {
            None => changes.push(format!("{what} `{name}` {added}")),
            Some(other) if other != value => changes.push(format!("{what} `{name}` {altered}")),
            Some(_) => (),
        }
    }
    changes.extend(before.keys().filter(|name| !after.contains_key(*name)).map(|name| format!("{what} `{name}` {removed}")));
}
