//! The contract with guests: documented to the last item, and a schema that says what is read.

use serde_json::{Value, json};
use wit_parser::{Resolve, TypeDefKind};

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")
}

/// Every item of the package without a doc comment.
fn undocumented(resolve: &Resolve) -> Vec<String> {
    let mut items = Vec::new();
    let mut look = |name: String, docs: &wit_parser::Docs| {
        if docs.contents.as_deref().unwrap_or_default().trim().is_empty() {
            items.push(name);
        }
    };
    for (_, package) in resolve.packages.iter() {
        look(package.name.to_string(), &package.docs);
    }
    for (_, world) in resolve.worlds.iter() {
        look(world.name.clone(), &world.docs);
    }
    for (_, interface) in resolve.interfaces.iter() {
        let name = interface.name.clone().unwrap_or_default();
        look(name.clone(), &interface.docs);
        for (function, item) in &interface.functions {
            look(format!("{name}.{function}"), &item.docs);
        }
        for (of, id) in &interface.types {
            let item = &resolve.types[*id];
            // A `use` is documented where it is defined.
            if matches!(item.kind, TypeDefKind::Type(_)) {
                continue;
            }
            look(format!("{name}.{of}"), &item.docs);
            if let TypeDefKind::Record(record) = &item.kind {
                for field in &record.fields {
                    look(format!("{name}.{of}.{}", field.name), &field.docs);
                }
            }
        }
    }
    items
}

#[test]
fn every_item_is_documented() {
    let mut resolve = Resolve::default();
    resolve.push_path(folder().join("workflow.wit")).expect("sound WIT");
    assert_eq!(undocumented(&resolve), Vec::<String>::new());
}

#[test]
fn what_is_not_documented_is_found() {
    let mut resolve = Resolve::default();
    let text = "package a:b;\n/// It.\ninterface c { d: func(); record e { f: u8 } }\n/// It.\nworld w { import c; }\n";
    resolve.push_str("a.wit", text).expect("sound WIT");
    assert_eq!(undocumented(&resolve), ["a:b", "c.d", "c.e", "c.e.f"]);
}

fn schema() -> Value {
    let text = std::fs::read_to_string(folder().join("manifest.schema.json")).expect("the schema");
    serde_json::from_str(&text).expect("JSON")
}

/// Whether the schema takes it, and whether the host reads it.
fn taken(manifest: &Value) -> (bool, bool) {
    let schema = jsonschema::validator_for(&schema()).expect("a sound schema");
    (schema.is_valid(manifest), serde_json::from_value::<wf_engine::manifest::Manifest>(manifest.clone()).is_ok())
}

fn whole() -> Value {
    json!({
        "name": "orders", "version": "1.2", "description": "d", "language": "rust", "timeout": 3.5,
        "additional_events": ["Answer"],
        "events": [{"name": "Answer", "kind": "human-response", "base": "HumanResponseEvent", "module": "orders.events",
                    "schema": {"type": "object"}, "validation": "own"}],
        "steps": [{
            "name": "work", "description": "d", "accepts": ["StartEvent"], "emits": ["StopEvent"], "emits_any": true,
            "sends": ["Answer"], "waits": ["Answer"], "subtypes": true, "fan_out": true, "returns_alone": ["StopEvent"], "join": "all",
            "order": "arrival", "take": 2, "num_workers": 2, "timeout": 1,
            "retry": {"backoff": "exponential", "delay": 1, "delay_max": 9, "factor": 2, "jitter": 0.1, "attempts_max": 3,
                      "elapsed_max": 60, "kinds": ["ValueError"]},
            "catch_error": {"steps": ["work"], "max_recoveries": 1},
        }],
    })
}

#[test]
fn the_schema_and_the_host_read_the_same() {
    assert_eq!(taken(&whole()), (true, true));
    assert_eq!(taken(&json!({"name": "x", "steps": []})), (true, true));
    assert_eq!(taken(&json!({"name": "x", "steps": [], "later": 1})), (true, true), "unknown keys are kept");
    for (path, value) in [
        ("/name", json!(3)),
        ("/steps", json!({})),
        ("/timeout", json!("3s")),
        ("/additional_events", json!("Answer")),
        ("/events/0/kind", json!("human_response")),
        ("/events/0/name", Value::Null),
        ("/events/0/module", json!(["orders"])),
        ("/events/0/validation", json!("mine")),
        ("/steps/0/join", json!("some")),
        ("/steps/0/order", json!("random")),
        ("/steps/0/order", Value::Null),
        ("/steps/0/take", json!(-1)),
        ("/steps/0/take", json!(4_294_967_296_u64)),
        ("/steps/0/emits_any", json!("yes")),
        ("/steps/0/num_workers", json!(-1)),
        ("/steps/0/subtypes", json!("yes")),
        ("/steps/0/retry/backoff", json!("quadratic")),
        ("/steps/0/retry/attempts_max", json!(1.5)),
        ("/steps/0/retry/attempts_max", json!(4_294_967_296_u64)),
        ("/steps/0/catch_error/max_recoveries", json!("one")),
    ] {
        let mut manifest = whole();
        *manifest.pointer_mut(path).expect(path) = value;
        assert_eq!(taken(&manifest), (false, false), "{path}");
    }
    for path in ["", "/events/0", "/steps/0"] {
        let mut manifest = whole();
        manifest.pointer_mut(path).and_then(Value::as_object_mut).expect(path).remove("name");
        assert_eq!(taken(&manifest), (false, false), "{path} without a name");
    }
}

#[test]
fn the_schema_describes_every_key_that_the_host_reads() {
    let schema = schema();
    let written = serde_json::to_value(serde_json::from_value::<wf_engine::manifest::Manifest>(whole()).expect("sound")).expect("JSON");
    for (place, pointer) in [
        ("", ""),
        ("/steps/0", "/properties/steps/items"),
        ("/events/0", "/properties/events/items"),
        ("/steps/0/retry", "/properties/steps/items/properties/retry"),
        ("/steps/0/catch_error", "/properties/steps/items/properties/catch_error"),
    ] {
        let properties = schema.pointer(&format!("{pointer}/properties")).and_then(Value::as_object).expect(pointer);
        let mut described: Vec<&String> = properties.keys().collect();
        let mut read: Vec<&String> = written.pointer(place).and_then(Value::as_object).expect(place).keys().collect();
        described.sort();
        read.sort();
        assert_eq!(described, read, "{place}");
        assert!(properties.values().all(|it| it["description"].is_string()), "{place}: each key is described");
    }
}
