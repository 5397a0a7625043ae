//! The protocol of chat completions, as far as this needs it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wf_guest::http::Response;
use wf_guest::prelude::*;

/// A message of the conversation.
#[derive(Clone, Serialize, Deserialize)]
pub struct Message {
    pub role: String,
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

/// Something that the model wants to be done.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ToolCall {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub function: Function,
}

/// What it is, and with what, as JSON.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Function {
    pub name: String,
    pub arguments: String,
}

/// An answer that is put together from what comes.
#[derive(Default)]
pub struct Reply {
    content: String,
    calls: Vec<ToolCall>,
    pub tokens: u64,
    /// Nothing more comes.
    pub is_whole: bool,
}

/// A part of an answer.
#[derive(Deserialize)]
pub struct Part {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Delta,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    tool_calls: Option<Vec<CallPart>>,
}

#[derive(Deserialize)]
struct CallPart {
    index: usize,
    id: Option<String>,
    function: Option<FunctionPart>,
}

#[derive(Deserialize)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: u64,
}

/// Most calls that one answer may ask for.
const CALLS_MAX: usize = 16;

/// Sends the conversation so far. The variable `CHAT_URL` says where to, `CHAT_MODEL` to whom, and `CHAT_PATIENCE` for how many
/// seconds nothing may come of its answer.
pub fn ask(context: &Context, messages: &[Message], tools: Value) -> Result<Response> {
    let url = context.variable("CHAT_URL").unwrap_or_else(|| "https://api.openai.com/v1".to_owned());
    let model = context.variable("CHAT_MODEL").unwrap_or_else(|| "gpt-5-mini".to_owned());
    let body = json!({
        "model": model, "messages": messages, "tools": tools, "stream": true, "stream_options": { "include_usage": true },
    });
    let seconds = context.variable("CHAT_PATIENCE").map_or(Ok(60.0), |text| text.parse::<f64>())?;
    let patience = Duration::try_from_secs_f64(seconds)?;
    let request = context.http().post(format!("{url}/chat/completions")).bearer(&context.secret("OPENAI_API_KEY")?);
    request.first_byte_timeout(patience).idle_timeout(patience).json(&body)?.send()?.error_for_status()
}

impl Message {
    pub fn system(text: &str) -> Message {
        Message::of("system", text.to_owned())
    }

    pub fn user(text: String) -> Message {
        Message::of("user", text)
    }

    pub fn tool(call: String, text: String) -> Message {
        Message { tool_call_id: Some(call), ..Message::of("tool", text) }
    }

    fn of(role: &str, text: String) -> Message {
        Message { role: role.to_owned(), content: Some(text), tool_calls: None, tool_call_id: None }
    }
}

impl Reply {
    /// Adds what came; gives the text in it.
    pub fn add(&mut self, part: Part) -> Option<String> {
        self.tokens = part.usage.map_or(self.tokens, |usage| usage.total_tokens);
        let delta = part.choices.into_iter().next()?.delta;
        for call in delta.tool_calls.into_iter().flatten().filter(|call| call.index < CALLS_MAX) {
            self.calls
                .resize_with(self.calls.len().max(call.index + 1), || ToolCall { kind: "function".to_owned(), ..ToolCall::default() });
            let own = &mut self.calls[call.index];
            own.id.push_str(&call.id.unwrap_or_default());
            if let Some(function) = call.function {
                own.function.name.push_str(&function.name.unwrap_or_default());
                own.function.arguments.push_str(&function.arguments.unwrap_or_default());
            }
        }
        let text = delta.content.filter(|text| !text.is_empty())?;
        self.content.push_str(&text);
        Some(text)
    }

    /// The whole of it; a failure, that is tried again, where it was cut.
    pub fn message(self) -> Result<Message> {
        if !self.is_whole {
            return Err(Failure::new("CutAnswer", "the model's answer ended before its end"));
        }
        let content = (!self.content.is_empty()).then_some(self.content);
        let tool_calls = (!self.calls.is_empty()).then_some(self.calls);
        Ok(Message { role: "assistant".to_owned(), content, tool_calls, tool_call_id: None })
    }
}
