//! A workflow's graph, for people and for other tools.

use std::collections::HashSet;
use std::fmt::Write;

use wf_engine::definition::Definition;
use wf_engine::manifest::{CatchError, EventKind};

use crate::model::unnamed_types;

/// Who answers from outside.
const OUTSIDE: &str = "outside";

/// Events and steps in turn; between two of them at most one edge.
pub(super) struct Graph<'a> {
    definition: &'a Definition,
    edges: Vec<Edge<'a>>,
    joined: HashSet<(Node<'a>, Node<'a>)>,
}

struct Edge<'a> {
    from: Node<'a>,
    to: Node<'a>,
    /// Sent, published or waited for by a step, returned without being named, or made of its failure; not what it says it
    /// takes and returns.
    aside: bool,
    /// What is to be said of it.
    about: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Node<'a> {
    Step(&'a str),
    Event(&'a str),
    Outside,
}

impl<'a> Graph<'a> {
    pub(super) fn of(definition: &'a Definition) -> Graph<'a> {
        let mut graph = Graph { definition, edges: Vec::new(), joined: HashSet::new() };
        for step in definition.steps() {
            let node = Node::Step(&step.name);
            if let Some(caught) = &step.catch_error {
                caught.steps.iter().for_each(|from| step.accepts.iter().for_each(|it| graph.edge(Node::Step(from), Node::Event(it), true)));
                step.accepts.iter().for_each(|event| graph.edge_about(Node::Event(event), node, false, catches(caught)));
            }
            step.accepts.iter().for_each(|event| graph.edge(Node::Event(event), node, false));
            step.emits.iter().for_each(|event| graph.edge(node, Node::Event(event), false));
            step.sends.iter().for_each(|event| graph.edge(node, Node::Event(event), true));
            step.waits.iter().for_each(|event| graph.edge(Node::Event(event), node, true));
            unnamed_types(definition, step).into_iter().for_each(|event| graph.edge(node, Node::Event(event), true));
        }
        for event in graph.events() {
            match definition.kind(event) {
                Some(EventKind::InputRequired) => graph.edge(Node::Event(event), Node::Outside, false),
                Some(EventKind::HumanResponse) => graph.edge(Node::Outside, Node::Event(event), false),
                _ => (),
            }
        }
        graph
    }

    fn edge(&mut self, from: Node<'a>, to: Node<'a>, aside: bool) {
        self.edge_about(from, to, aside, String::new());
    }

    fn edge_about(&mut self, from: Node<'a>, to: Node<'a>, aside: bool, about: String) {
        if self.joined.insert((from, to)) {
            self.edges.push(Edge { from, to, aside, about });
        }
    }

    fn events(&self) -> Vec<&'a str> {
        let events = self.nodes().into_iter().filter_map(|node| if let Node::Event(name) = node { Some(name) } else { None });
        events.collect()
    }

    fn nodes(&self) -> Vec<Node<'a>> {
        let mut seen = HashSet::new();
        let nodes = self.edges.iter().flat_map(|it| [it.from, it.to]);
        nodes.filter(|node| seen.insert(*node)).collect()
    }

    /// From each beginning downwards; what was shown already is only named.
    pub(super) fn text(&self) -> String {
        let outside = |name: &str| matches!(self.definition.kind(name), Some(EventKind::Start | EventKind::HumanResponse));
        let mut beginnings: Vec<Node> = self.events().into_iter().filter(|it| outside(it)).map(Node::Event).collect();
        let fed = |node: &Node| self.edges.iter().any(|it| it.to == *node && it.from != Node::Outside);
        let rest: Vec<Node> = self.nodes().into_iter().filter(|it| *it != Node::Outside && !beginnings.contains(it) && !fed(it)).collect();
        beginnings.extend(rest);
        let (mut text, mut shown) = (String::new(), Vec::new());
        for node in beginnings {
            let _ = writeln!(text, "{}", self.label(node));
            shown.push(node);
            self.below(node, "", &mut shown, &mut text);
        }
        text
    }

    fn below(&self, node: Node<'a>, indent: &str, shown: &mut Vec<Node<'a>>, text: &mut String) {
        let edges: Vec<&Edge> = self.edges.iter().filter(|it| it.from == node && it.to != Node::Outside).collect();
        for (place, edge) in edges.iter().enumerate() {
            let last = place + 1 == edges.len();
            let again = shown.contains(&edge.to) && self.edges.iter().any(|it| it.from == edge.to && it.to != Node::Outside);
            let (branch, arrow) = (if last { "└" } else { "├" }, if edge.aside { "┄" } else { "─" });
            let about = if edge.about.is_empty() { String::new() } else { format!("  ({})", edge.about) };
            let again_said = if again { "  (see above)" } else { "" };
            let _ = writeln!(text, "{indent}{branch}{arrow} {}{about}{again_said}", self.label(edge.to));
            if !again {
                shown.push(edge.to);
                self.below(edge.to, &format!("{indent}{}  ", if last { " " } else { "│" }), shown, text);
            }
        }
    }

    fn label(&self, node: Node) -> String {
        match node {
            Node::Step(name) => format!("[{name}]"),
            Node::Event(name) => match self.definition.kind(name) {
                Some(EventKind::Start) => format!("{name}  (starts)"),
                Some(EventKind::Stop) => format!("{name}  (ends)"),
                Some(EventKind::InputRequired) => format!("{name}  (asks)"),
                Some(EventKind::HumanResponse) => format!("{name}  (is answered)"),
                _ => name.to_owned(),
            },
            Node::Outside => OUTSIDE.to_owned(),
        }
    }

    fn identifier(node: Node) -> String {
        let plain = |name: &str| name.replace(|it: char| !it.is_ascii_alphanumeric(), "_");
        match node {
            Node::Step(name) => format!("step_{}", plain(name)),
            Node::Event(name) => format!("event_{}", plain(name)),
            Node::Outside => OUTSIDE.to_owned(),
        }
    }

    fn name(node: Node<'a>) -> &'a str {
        match node {
            Node::Step(name) | Node::Event(name) => name,
            Node::Outside => OUTSIDE,
        }
    }

    /// For Mermaid.
    pub(super) fn mermaid(&self) -> String {
        let mut text = "flowchart TD\n".to_owned();
        for node in self.nodes() {
            let (open, close) = match node {
                Node::Step(_) => ("[", "]"),
                Node::Event(_) => ("([", "])"),
                Node::Outside => ("{{", "}}"),
            };
            let _ = writeln!(text, "  {}{open}\"{}\"{close}", Graph::identifier(node), Graph::name(node));
        }
        for edge in &self.edges {
            let arrow = if edge.aside { "-.->" } else { "-->" };
            let about = if edge.about.is_empty() { String::new() } else { format!("|\"{}\"|", edge.about) };
            let _ = writeln!(text, "  {} {arrow}{about} {}", Graph::identifier(edge.from), Graph::identifier(edge.to));
        }
        text
    }

    /// For Graphviz.
    pub(super) fn dot(&self) -> String {
        let mut text = "digraph workflow {\n".to_owned();
        for node in self.nodes() {
            let shape = match node {
                Node::Step(_) => "box",
                Node::Event(_) => "ellipse",
                Node::Outside => "circle",
            };
            let _ = writeln!(text, "  {} [label=\"{}\", shape={shape}];", Graph::identifier(node), Graph::name(node));
        }
        for edge in &self.edges {
            let mut said = Vec::from_iter(edge.aside.then(|| "style=\"dashed\"".to_owned()));
            said.extend((!edge.about.is_empty()).then(|| format!("label=\"{}\"", edge.about)));
            let said = if said.is_empty() { String::new() } else { format!(" [{}]", said.join(", ")) };
            let _ = writeln!(text, "  {} -> {}{said};", Graph::identifier(edge.from), Graph::identifier(edge.to));
        }
        text + "}\n"
    }

    /// A picture; none where the graph cannot be laid out.
    pub(super) fn svg(&self) -> Option<String> {
        let dot = self.dot();
        let tree = layout::gv::DotParser::new(&dot).process().ok()?;
        let mut builder = layout::gv::GraphBuilder::new();
        builder.visit_graph(&tree);
        let mut writer = layout::backends::svg::SVGWriter::new();
        builder.get().do_it(false, false, false, &mut writer);
        Some(writer.finalize())
    }
}

/// Whose errors a step takes, and how often in a run.
pub(super) fn catches(caught: &CatchError) -> String {
    let whose = if caught.steps.is_empty() { "all steps that no other step names".to_owned() } else { caught.steps.join(", ") };
    let often = if caught.max_recoveries == 1 { "once".to_owned() } else { format!("{} times", caught.max_recoveries) };
    format!("catches errors of {whose}, {often} in a run")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;
    use wf_engine::entry::Part;

    use super::*;

    fn definition(manifest: serde_json::Value) -> Definition {
        let manifest = serde_json::from_value(manifest).expect("a manifest");
        Definition::new(vec![(Part { component: "d".to_owned(), data: None }, manifest)])
    }

    #[test]
    fn what_catches_errors_says_whose_and_how_often() {
        let caught = |catch_error: serde_json::Value| {
            definition(json!({
                "name": "shop",
                "events": [],
                "steps": [
                    { "name": "charge", "accepts": ["StartEvent"], "emits": ["StopEvent"] },
                    { "name": "recover", "accepts": ["StepFailedEvent"], "emits": ["StopEvent"], "catch_error": catch_error },
                ],
            }))
        };
        let one = caught(json!({ "steps": ["charge"], "max_recoveries": 2 }));
        let graph = Graph::of(&one);
        expect![[r#"
            StartEvent  (starts)
            └─ [charge]
               ├─ StopEvent  (ends)
               └┄ StepFailedEvent
                  └─ [recover]  (catches errors of charge, 2 times in a run)
                     └─ StopEvent  (ends)
        "#]]
        .assert_eq(&graph.text());
        let mermaid = "event_StepFailedEvent -->|\"catches errors of charge, 2 times in a run\"| step_recover";
        assert!(graph.mermaid().contains(mermaid) && graph.mermaid().contains("step_charge -.-> event_StepFailedEvent"));
        assert!(graph.dot().contains("event_StepFailedEvent -> step_recover [label=\"catches errors of charge, 2 times in a run\"];"));
        assert!(graph.svg().is_some_and(|it| it.contains("2 times in a run")));
        expect![[r#"
            StartEvent  (starts)
            └─ [charge]
               └─ StopEvent  (ends)
            StepFailedEvent
            └─ [recover]  (catches errors of all steps that no other step names, once in a run)
               └─ StopEvent  (ends)
        "#]]
        .assert_eq(&Graph::of(&caught(json!({}))).text());
    }

    #[test]
    fn what_a_step_may_return_without_naming_it_is_dashed() {
        let open = definition(json!({
            "name": "open",
            "events": [
                { "name": "Note", "kind": "plain" }, { "name": "Named", "kind": "plain" },
                { "name": "Ask", "kind": "input-required" }, { "name": "Answer", "kind": "human-response" },
            ],
            "steps": [
                { "name": "think", "accepts": ["StartEvent"], "emits": [], "emits_any": true },
                { "name": "end", "accepts": ["Named", "Answer"], "emits": [] },
            ],
        }));
        expect![[r#"
            StartEvent  (starts)
            └─ [think]
               ├┄ Note
               ├┄ Named
               │  └─ [end]
               ├┄ Ask  (asks)
               └┄ StopEvent  (ends)
            Answer  (is answered)
            └─ [end]
        "#]]
        .assert_eq(&Graph::of(&open).text());
    }
}
