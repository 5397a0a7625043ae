//! What the model may ask for.

use serde::Deserialize;
use wf_guest::prelude::*;

use crate::model::ToolCall;

#[derive(Deserialize)]
struct Order {
    order: u32,
}

/// As the model is told.
pub fn all() -> Value {
    let parameters = json!({ "type": "object", "properties": { "order": { "type": "integer" } }, "required": ["order"] });
    let tool = |name: &str, about: &str| json!({ "type": "function", "function": { "name": name, "description": about, "parameters": parameters } });
    json!([tool("look_up_order", "Says where an order is."), tool("refund", "Gives the money for an order back.")])
}

/// What is to be done that a person has to approve; none: it is no such call.
pub fn refund(call: &ToolCall) -> Option<String> {
    let order: Order = read(&call.function.arguments)?;
    (call.function.name == "refund").then(|| format!("refund order {}", order.order))
}

/// What can be done at once.
pub fn look_up(call: &ToolCall) -> String {
    match (call.function.name.as_str(), read::<Order>(&call.function.arguments)) {
        ("look_up_order", Some(Order { order })) => format!("order {order} is on its way, and comes tomorrow"),
        (name, _) => format!("`{name}` cannot be called like this"),
    }
}

fn read<T: for<'a> Deserialize<'a>>(arguments: &str) -> Option<T> {
    wf_guest::serde_json::from_str(arguments).ok()
}
