//! The JSON Schema of an event's fields: it lets in only what their types can hold.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Number, Value, json};

use crate::pattern::{ipv4, ipv6};

/// Keys of a map that are integers: of 18 digits at most, in the form in which they are written.
const UNSIGNED_KEY: &str = "^(?:0|[1-9][0-9]{0,17})$";
const SIGNED_KEY: &str = "^(?:0|-?[1-9][0-9]{0,17})$";

/// A type's declaration with the JSON Schema of its fields.
#[doc(hidden)]
pub fn declaration<T: JsonSchema>(name: &str, kind: &str, base: Option<&str>, module: &str) -> Option<Value> {
    let mut declaration = json!({ "name": name, "kind": kind, "module": module.replace("::", "."), "schema": schema::<T>(name) });
    if let Some(base) = base {
        declaration["base"] = base.into();
    }
    Some(declaration)
}

fn schema<T: JsonSchema>(title: &str) -> Value {
    let mut settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(bound));
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), title.into());
        object.entry("properties").or_insert_with(|| json!({}));
    }
    schema
}

/// Adds what the schemas of Rust's own types leave out.
pub(crate) fn bound(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    bound_number(object);
    bound_text(object);
    bound_keys(object);
    bound_time(object);
    close_variants(object);
}

fn bound_number(schema: &mut Map<String, Value>) {
    let Some((least, most)) = schema.get("format").and_then(Value::as_str).and_then(range) else { return };
    let may_be = |name: &str| match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(several) => several.iter().any(|it| it == name),
        _ => false,
    };
    if schema.contains_key("type") && (may_be("integer") || may_be("number")) {
        limit(schema, "minimum", least, |given, least| given <= least);
        limit(schema, "maximum", most, |given, most| given >= most);
    }
}

/// What a number of a format can be. Whoever checks it may read it as a double: so numbers of 128 bits
/// end where a double can say it, and those of 64 one above their least, which stands for what lies
/// just below it, too.
fn range(format: &str) -> Option<(Number, Number)> {
    let double = |value: f64| Number::from_f64(value).expect("a finite number");
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" => ((i64::MIN + 1).into(), i64::MAX.into()),
        "int128" => (double(-1.7e38), double(1.7e38)),
        "int" => ((isize::MIN + 1).into(), isize::MAX.into()),
        "uint8" => (0.into(), u8::MAX.into()),
        "uint16" => (0.into(), u16::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        "uint64" => (0.into(), u64::MAX.into()),
        "uint128" => (0.into(), double(3.4e38)),
        "uint" => (0.into(), usize::MAX.into()),
        "float" => (double(f32::MIN.into()), double(f32::MAX.into())),
        _ => return None,
    })
}

/// Sets a bound, unless the author's own is tighter.
fn limit(schema: &mut Map<String, Value>, key: &str, bound: Number, looser: impl FnOnce(f64, f64) -> bool) {
    let given = schema.get(key).and_then(Value::as_f64);
    if given.is_none_or(|given| bound.as_f64().is_some_and(|bound| looser(given, bound))) {
        schema.insert(key.to_owned(), bound.into());
    }
}

/// A format is a note; a pattern is checked.
fn bound_text(schema: &mut Map<String, Value>) {
    let pattern = match schema.get("format").and_then(Value::as_str) {
        Some("ipv4") => format!("^{}$", ipv4()),
        Some("ipv6") => format!("^{}$", ipv6()),
        Some("ip") => format!("^(?:{}|{})$", ipv4(), ipv6()),
        // A `CString`: bytes, or text, without one that is zero.
        _ if schema.get("type") == Some(&json!(["array", "string"])) => r"^[^\x00]*$".to_owned(),
        _ => return,
    };
    schema.entry("pattern").or_insert_with(|| pattern.into());
}

fn bound_keys(schema: &mut Map<String, Value>) {
    let Some(patterns) = schema.get_mut("patternProperties").and_then(Value::as_object_mut) else { return };
    for (loose, bound) in [(r"^\d+$", UNSIGNED_KEY), (r"^-?\d+$", SIGNED_KEY)] {
        if let Some(values) = patterns.remove(loose) {
            patterns.insert(bound.to_owned(), values);
        }
    }
}

/// A `Duration` and a `SystemTime`: nanoseconds stay below a second, and seconds where a sum is a time.
fn bound_time(schema: &mut Map<String, Value>) {
    let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (seconds, nanoseconds, most) in
        [("secs", "nanos", u64::MAX), ("secs_since_epoch", "nanos_since_epoch", i64::MAX.unsigned_abs() / 1_000_000_000)]
    {
        if fields.len() == 2 && fields.contains_key(seconds) && fields.contains_key(nanoseconds) {
            fields[seconds]["maximum"] = most.into();
            fields[nanoseconds]["maximum"] = 999_999_999.into();
        }
    }
}

/// The variants of an enum: what stands beside them.
fn close_variants(schema: &mut Map<String, Value>) {
    let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    let contents: Vec<String> = variants.iter().filter_map(content).map(str::to_owned).collect();
    for variant in variants.iter_mut().filter_map(Value::as_object_mut) {
        let named = |name: &str| variant.get("required") == Some(&json!([name]));
        // A variant of `Result` or `Bound` is the only key of its object.
        if ["Ok", "Err", "Included", "Excluded", "Unix", "Windows"].into_iter().any(named) {
            variant.entry("additionalProperties").or_insert(false.into());
        }
        // One without content, beside others that have some, takes none.
        if let Some(fields) = variant.get_mut("properties").and_then(Value::as_object_mut).filter(|fields| fields.len() == 1)
            && fields.values().all(|field| field.get("const").is_some())
        {
            fields.extend(contents.iter().map(|name| (name.clone(), json!({ "type": "null" }))));
        }
    }
}

/// The name of the content in a variant that has a tag and a content beside it.
fn content(variant: &Value) -> Option<&str> {
    let fields = variant["properties"].as_object().filter(|fields| fields.len() == 2)?;
    let tagged = fields.values().any(|field| field.get("const").is_some());
    fields.iter().find(|(_, field)| tagged && field.get("const").is_none()).map(|(name, _)| name.as_str())
}
