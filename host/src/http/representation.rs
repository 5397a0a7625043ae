//! A workflow as a graph of steps and events.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use wf_engine::definition::Definition;
use wf_engine::manifest::{EventKind, StepManifest};

use super::wire::titled;
use crate::model::unnamed_types;

/// Stands for whoever answers from outside.
const EXTERNAL: &str = "external_step";

/// A workflow as a graph.
#[derive(Serialize, ToSchema)]
pub(super) struct Representation {
    /// It.
    graph: Graph,
}

/// Steps and events, and what leads where.
#[derive(Serialize, ToSchema)]
struct Graph {
    /// The workflow's name.
    name: String,
    /// Steps, events, and the outside.
    nodes: Vec<Node>,
    /// From what to what.
    edges: Vec<Edge>,
    /// What the workflow does.
    description: Option<String>,
}

/// A step, an event's type, or the outside.
#[derive(Serialize, ToSchema)]
struct Node {
    /// Its name.
    id: String,
    /// The same.
    label: String,
    /// `step`, `event` or `external`.
    node_type: String,
    /// Of a step: what it does.
    #[schema(required = false)]
    description: Option<String>,
    /// Of an event: its type.
    #[schema(required = false)]
    event_type: Option<String>,
    /// Of an event: its type and those that it derives from.
    #[schema(required = false)]
    event_types: Option<Vec<String>>,
    /// Of an event: the JSON Schema of its fields.
    #[schema(required = false)]
    event_schema: Option<Value>,
    /// Of an event: the steps that say they return it. An edge comes also from those that name none, and may return whatever is declared.
    #[schema(required = false)]
    produced_by: Option<Vec<String>>,
}

/// From what to what.
#[derive(Serialize, ToSchema)]
struct Edge {
    /// A node.
    source: String,
    /// Another.
    target: String,
    /// Always null.
    label: Option<String>,
}

/// The graph as the API shows it.
pub(super) fn of(definition: &Definition) -> Value {
    let mut names: Vec<&str> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for step in definition.steps() {
        let named = step.accepts.iter().chain(&step.emits).chain(&step.waits).map(String::as_str);
        let all = named.chain(unnamed_types(definition, step)).chain(subtypes(definition, step));
        names.extend(all.filter(|name| seen.insert(name)));
    }
    let asks = names.iter().any(|name| definition.kind(name) == Some(EventKind::InputRequired));
    let answers = names.iter().any(|name| definition.kind(name) == Some(EventKind::HumanResponse));
    let external = json!({ "id": EXTERNAL, "label": "External", "node_type": "external" });
    let mut nodes: Vec<Value> = definition.steps().map(step).collect();
    nodes.extend(names.iter().map(|name| event(definition, name)));
    nodes.extend((asks || answers).then_some(external));
    json!({ "graph": { "name": definition.name(), "nodes": nodes, "edges": edges(definition, &names), "description": definition.description() } })
}

/// The declared types that a step accepts beside those it names.
fn subtypes<'a>(definition: &'a Definition, step: &'a StepManifest) -> impl Iterator<Item = &'a str> {
    let declared = definition.event_types().map(|it| it.name.as_str());
    declared.filter(|name| step.subtypes && definition.accepts(&step.name, name) && !step.accepts.iter().any(|it| it == name))
}

fn step(step: &StepManifest) -> Value {
    json!({ "id": step.name, "label": step.name, "node_type": "step", "description": step.description })
}

fn event(definition: &Definition, name: &str) -> Value {
    let chain: Vec<&str> = std::iter::once(name).chain(definition.bases(name)).collect();
    let schema = definition.event_type(name).map(|it| titled(&it.schema, name));
    let produced_by: Vec<&str> =
        definition.steps().filter(|step| step.emits.iter().any(|it| it == name)).map(|step| step.name.as_str()).collect();
    json!({
        "id": name, "label": name, "node_type": "event", "title": null, "event_type": name,
        "event_types": chain, "event_schema": schema, "produced_by": produced_by,
    })
}

fn edges(definition: &Definition, names: &[&str]) -> Vec<Value> {
    let edge = |source: &str, target: &str| json!({ "source": source, "target": target, "label": null });
    let mut edges = Vec::new();
    for step in definition.steps() {
        edges.extend(step.accepts.iter().map(|name| edge(name, &step.name)));
        edges.extend(subtypes(definition, step).map(|name| edge(name, &step.name)));
        let waited = step.waits.iter().filter(|name| !definition.accepts(&step.name, name));
        edges.extend(waited.map(|name| edge(name, &step.name)));
        edges.extend(step.emits.iter().map(|name| edge(&step.name, name)));
        edges.extend(unnamed_types(definition, step).into_iter().map(|name| edge(&step.name, name)));
    }
    for name in names {
        match definition.kind(name) {
            Some(EventKind::InputRequired) => edges.push(edge(name, EXTERNAL)),
            Some(EventKind::HumanResponse) => edges.push(edge(EXTERNAL, name)),
            _ => (),
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use wf_engine::entry::Part;

    use super::*;

    /// As every step in Python does: the picture is of what it names, unless that is nothing.
    #[test]
    fn a_step_that_names_what_it_returns_leads_to_nothing_else() {
        let edges = |emits: Value| {
            let manifest = json!({
                "name": "ask",
                "events": [{ "name": "Question", "kind": "input-required", "schema": {} }, { "name": "Note", "kind": "plain", "schema": {} }],
                "steps": [{ "name": "ask", "accepts": ["StartEvent"], "emits": emits, "emits_any": true }],
            });
            let part = Part { component: "d".into(), data: None };
            let graph = of(&Definition::new(vec![(part, serde_json::from_value(manifest).expect("manifest"))]));
            let edges = graph["graph"]["edges"].as_array().expect("edges").iter();
            edges.filter(|it| it["source"] == "ask").map(|it| it["target"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(edges(json!(["Question"])), ["Question"]);
        assert_eq!(edges(json!([])), ["Question", "Note", "StopEvent"]);
    }

    #[test]
    fn what_a_step_waits_for_leads_to_it_from_outside() {
        let manifest = json!({
            "name": "ask",
            "events": [{ "name": "Answer", "kind": "human-response", "schema": {} }],
            "steps": [{ "name": "ask", "accepts": ["StartEvent"], "emits": ["StopEvent"], "waits": ["Answer"] }],
        });
        let part = Part { component: "d".into(), data: None };
        let graph = of(&Definition::new(vec![(part, serde_json::from_value(manifest).expect("manifest"))]));
        let edges = graph["graph"]["edges"].as_array().expect("edges").iter().map(|it| format!("{} {}", it["source"], it["target"]));
        let expected = [r#""StartEvent" "ask""#, r#""Answer" "ask""#, r#""ask" "StopEvent""#, r#""external_step" "Answer""#];
        assert_eq!(edges.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_step_with_subtypes_has_an_edge_from_each() {
        let manifest = json!({
            "name": "shop",
            "events": [
                { "name": "Order", "kind": "plain", "schema": {} },
                { "name": "Rush", "kind": "plain", "base": "Order", "schema": {} },
                { "name": "Night", "kind": "plain", "base": "Rush", "schema": {} },
            ],
            "steps": [
                { "name": "take", "accepts": ["StartEvent"], "emits": ["Order"] },
                { "name": "all", "accepts": ["Order"], "emits": ["StopEvent"], "subtypes": true },
                { "name": "some", "accepts": ["Order"], "emits": ["StopEvent"] },
            ],
        });
        let definition =
            Definition::new(vec![(Part { component: "d".into(), data: None }, serde_json::from_value(manifest).expect("manifest"))]);
        let graph = &of(&definition)["graph"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let edges = graph["edges"].as_array().expect("edges").iter().map(|it| format!("{} > {}", text(&it["source"]), text(&it["target"])));
        let nodes = graph["nodes"].as_array().expect("nodes").iter().map(|it| text(&it["id"]));
        expect![[r#"
            shop: take all some StartEvent Order StopEvent Rush Night
            StartEvent > take
            take > Order
            Order > all
            Rush > all
            Night > all
            all > StopEvent
            Order > some
            some > StopEvent"#]]
        .assert_eq(&format!("{}: {}\n{}", text(&graph["name"]), nodes.collect::<Vec<_>>().join(" "), edges.collect::<Vec<_>>().join("\n")));
    }
}
