//! Types that stand in for those of fields whose own schemas say too little. The macro puts them
//! into the schema; no value is one.

use std::any::TypeId;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::pattern;
use crate::schema::bound;

/// A type of the name `SocketAddr`, `SocketAddrV4` or `SocketAddrV6`: the standard library's, or another's.
pub struct Socket<T>(PhantomData<T>);

impl<T: JsonSchema + 'static> JsonSchema for Socket<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        let is = |other: TypeId| TypeId::of::<T>() == other;
        if is(TypeId::of::<SocketAddrV4>()) {
            schema.insert("pattern".to_owned(), format!("^{}$", pattern::socket_v4()).into());
        } else if is(TypeId::of::<SocketAddrV6>()) {
            schema.insert("pattern".to_owned(), format!("^{}$", pattern::socket_v6()).into());
        } else if is(TypeId::of::<SocketAddr>()) {
            schema.insert("pattern".to_owned(), format!("^(?:{}|{})$", pattern::socket_v4(), pattern::socket_v6()).into());
        }
        schema
    }
}

/// A key of a map: JSON has it as text.
pub struct Key<K>(PhantomData<K>);

impl<K: JsonSchema> JsonSchema for Key<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        K::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = K::json_schema(generator);
        bound(&mut schema);
        text(schema.as_value())
    }
}

/// What text is read as a value of this schema.
fn text(schema: &Value) -> Schema {
    let may_be = |name: &str| schema["type"] == name || schema["type"].as_array().is_some_and(|types| types.iter().any(|it| it == name));
    let words = words(schema);
    if !words.is_empty() {
        json_schema!({ "type": "string", "enum": words })
    } else if may_be("integer") {
        json_schema!({ "type": "string", "pattern": integer(schema) })
    } else if may_be("boolean") {
        json_schema!({ "type": "string", "enum": ["true", "false"] })
    } else if may_be("string") && schema["pattern"].is_string() {
        json_schema!({ "type": "string", "pattern": schema["pattern"] })
    } else if may_be("string") && schema["maxLength"] == 1 {
        json_schema!({ "type": "string", "pattern": r"^[\s\S]$" })
    } else if may_be("string") {
        json_schema!({ "type": "string" })
    } else {
        // No text is one.
        json_schema!({ "type": "string", "enum": json!([]) })
    }
}

/// The names of an enum's variants without fields.
fn words(schema: &Value) -> Vec<&Value> {
    let list = |key: &str| schema[key].as_array().into_iter().flatten();
    let named = list("enum").chain(schema.get("const"));
    named.filter(|it| it.is_string()).chain(list("oneOf").flat_map(words)).collect()
}

fn integer(schema: &Value) -> String {
    let (below, above) = match schema["format"].as_str() {
        Some("int8") => (1 << 7, i8::MAX as u128),
        Some("int16") => (1 << 15, i16::MAX as u128),
        Some("int32") => (1 << 31, i32::MAX as u128),
        Some("int128") => (1 << 127, i128::MAX as u128),
        Some("int") => (isize::MIN.unsigned_abs() as u128, isize::MAX as u128),
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64") => (0, u64::MAX.into()),
        Some("uint128") => (0, u128::MAX),
        Some("uint") => (0, usize::MAX as u128),
        _ => (1 << 63, i64::MAX as u128),
    };
    let zero = if schema["minimum"] == 1 || schema["not"] == json!({ "const": 0 }) { "" } else { "0|" };
    let negative = if below > 0 { format!("|-{}", pattern::up_to(below)) } else { String::new() };
    format!("^(?:{zero}{}{negative})$", pattern::up_to(above))
}
