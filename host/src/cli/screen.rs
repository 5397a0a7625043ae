//! The first screen: what was loaded, where it is, and what to try next.

use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use wf_engine::manifest::EventKind;

use super::Problem;
use super::plain::plain;
use crate::model::Workflow;

/// What a server has to say when it is ready.
pub(super) struct Content {
    pub workflows: Vec<Arc<Workflow>>,
    /// Runs of an earlier host that go on.
    pub resumed: u64,
}

/// Writes to stdout. A reader that has gone, as `head` does, ends the command.
pub(super) fn out(text: &str) -> Result<(), Problem> {
    let mut stdout = std::io::stdout();
    let written = stdout.write_all(plain(text).as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Problem::nobody_reads(),
        _ => Problem::new(format!("stdout: {error}")),
    })
}

/// Writes to stderr what is no result: where nobody reads it, nothing is lost.
pub(super) fn note(text: &str) {
    let mut stderr = std::io::stderr();
    let _ = stderr.write_all(plain(text).as_bytes()).and_then(|()| stderr.flush());
}

/// Where a server is, and who comes in.
pub(super) struct Place<'a> {
    pub address: SocketAddr,
    pub public_url: Option<&'a str>,
    pub by_tls: bool,
    /// How many keys there are; none: nobody needs one.
    pub keys: Option<usize>,
    /// The command that makes the first.
    pub locks: &'a str,
}

/// Prints it on stdout; what is risky goes to stderr. Gives the URL.
pub(super) fn show(place: &Place, content: &Content) -> String {
    let (url, address) = (url(place), place.address);
    // It serves, whether anybody reads this or not.
    let _ = out(&format!("{}\n", text(&url, place, content)));
    let outside = !address.ip().is_loopback();
    if outside && place.keys.is_none() {
        Problem::new(format!("it listens on {address}: whoever reaches this machine can start workflows and read runs"))
            .hint(format!("`{}` locks it; `--host 127.0.0.1` keeps it on this machine", place.locks))
            .warn();
    }
    let proxied_by_tls = place.public_url.is_some_and(|it| it.starts_with("https://"));
    if outside && place.keys.is_some() && !place.by_tls && !proxied_by_tls {
        Problem::new(format!("it listens on {address} without TLS: keys can be read on their way"))
            .hint("give `--tls-cert` and `--tls-key`, or the `--public-url` of a proxy that speaks TLS")
            .warn();
    }
    url
}

fn text(url: &str, place: &Place, content: &Content) -> String {
    let width = content.workflows.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
    let mut text = format!("wf-host {}\n\n", env!("CARGO_PKG_VERSION"));
    for workflow in &content.workflows {
        let steps = workflow.definition.steps().count();
        let description = workflow.definition.description().and_then(|it| it.lines().next()).unwrap_or_default();
        let plural = if steps == 1 { " " } else { "s" };
        let line = format!("  {:width$}  {steps} step{plural}  {description}", workflow.name);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if content.workflows.is_empty() {
        text.push_str("  no workflow so far\n");
    }
    let _ = writeln!(text, "\n  listening on  {url}");
    match place.keys {
        None if place.address.ip().is_loopback() => {
            let _ = writeln!(text, "  open to everyone on this machine; `{}` locks it", place.locks);
        }
        None => (),
        Some(1) => text.push_str("  open to whoever has its 1 key\n"),
        Some(many) => {
            let _ = writeln!(text, "  open to whoever has one of its {many} keys");
        }
    }
    if let Some(public) = place.public_url {
        let _ = writeln!(text, "  known outside as  {public}");
    }
    if content.resumed > 0 {
        let _ = writeln!(text, "  going on with {} unfinished run{}", content.resumed, if content.resumed == 1 { "" } else { "s" });
    }
    let Some(first) = first(&content.workflows) else { return text.trim_end().to_owned() };
    let name = &first.name;
    // One that may ask something would keep whoever waits for its end.
    let asks = first.definition.event_types().any(|it| it.kind == EventKind::HumanResponse);
    let run = if asks { "run-nowait" } else { "run" };
    let body = body(first);
    let key = if place.keys.is_some() { " -H \"Authorization: Bearer $WF_HOST_API_KEY\"" } else { "" };
    let _ = write!(text, "\n  try  curl{key} -X POST {url}/workflows/{name}/{run} -d '{body}'\n       curl{key} {url}/handlers");
    text
}

/// The first that needs nothing of the outside which it is not granted: what a new user tries goes well. Where each lacks
/// something, rather files than requests; what runs a language asks for files, whether or not the workflow has use for them.
fn first(workflows: &[Arc<Workflow>]) -> Option<&Arc<Workflow>> {
    workflows.iter().min_by_key(|it| {
        let asked = it.asked();
        let lacks = |what: &str| asked.iter().any(|it| it.what == what && it.requested && it.granted.is_empty());
        (it.means_requests() && lacks("http"), lacks("files"))
    })
}

/// What a workflow can be started with: of its start event whatever may not be left out.
fn body(workflow: &Workflow) -> String {
    let definition = &workflow.definition;
    let schema = definition.start_type().and_then(|name| definition.event_type(name)).map(|it| it.schema.clone()).unwrap_or_default();
    let fields = examples(&schema, &schema);
    if fields.is_empty() { "{}".to_owned() } else { json!({ "start_event": fields }).to_string() }
}

/// An example of each required field.
pub(super) fn examples(schema: &Value, whole: &Value) -> Map<String, Value> {
    match example(
        "",
        &json!({ "type": "object", "required": schema["required"], "properties": schema["properties"] }),
        whole,
        EXAMPLES_DEPTH,
    ) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// So deep a value is made up: a type may stand in itself.
const EXAMPLES_DEPTH: usize = 4;

fn example(name: &str, schema: &Value, whole: &Value, depth: usize) -> Value {
    let told = [&schema["default"], &schema["const"], &schema["examples"][0], &schema["enum"][0]];
    if let Some(told) = told.into_iter().find(|it| !it.is_null()) {
        return told.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    let referred = schema["$ref"].as_str().and_then(|it| whole.pointer(it.strip_prefix('#')?));
    let one_of = ["anyOf", "oneOf", "allOf"].into_iter().find_map(|it| schema[it].get(0));
    if let Some(other) = referred.or(one_of) {
        return example(name, other, whole, depth - 1);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind {
        Some("string") => name.into(),
        Some("integer") => schema["minimum"].as_i64().unwrap_or(1).into(),
        Some("number") => json!(schema["minimum"].as_f64().unwrap_or(1.5)),
        Some("boolean") => true.into(),
        Some("array") => json!([]),
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), example(name, &schema["properties"][name], whole, depth - 1))).collect()
        }
        _ => Value::Null,
    }
}

fn url(place: &Place) -> String {
    let (scheme, address) = (if place.by_tls { "https" } else { "http" }, place.address);
    if address.ip().is_unspecified() {
        return format!("{scheme}://localhost:{}", address.port());
    }
    format!("{scheme}://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_has_what_a_start_event_may_not_lack() {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": { "type": "string" },
                "count": { "type": "integer", "minimum": 0 },
                "size": { "$ref": "#/$defs/Size" },
                "items": { "type": "array" },
                "itself": { "$ref": "#" },
                "perhaps": { "type": "string" },
            },
            "required": ["name", "count", "size", "items", "itself"],
            "$defs": { "Size": { "enum": ["small", "large"] } },
        });
        let fields = Value::Object(examples(&schema, &schema));
        let expected = json!({ "name": "name", "count": 0, "size": "small", "items": [] });
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(fields[name], *value, "{fields}");
        }
        assert!(fields["itself"].is_object() && fields.get("perhaps").is_none(), "{fields}");
        assert!(examples(&json!({}), &json!({})).is_empty());
    }
}
