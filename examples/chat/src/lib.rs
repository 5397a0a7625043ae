mod model;
mod tools;

use model::{Message, Reply};
use wf_guest::prelude::*;

/// A piece of the model's answer, as it comes.
#[derive(Event)]
struct Token {
    text: String,
}

/// It is the model's turn.
#[derive(Event)]
struct Turn {}

/// The model asks for something to be done.
#[derive(Event)]
struct ToolCalls {
    calls: Vec<model::ToolCall>,
}

/// Asks a person whether something may be done that cannot be undone.
#[derive(Event)]
#[event(input_required)]
struct ApprovalRequest {
    /// What is to be done.
    what: String,
}

/// What the person decides.
#[derive(Event)]
#[event(human_response)]
struct ApprovalResponse {
    /// Whether it may be done.
    approved: bool,
}

/// What follows from what the model says.
#[derive(Events)]
enum Next {
    Tools(ToolCalls),
    Stop(StopEvent),
}

struct Chat;

/// Answers a customer with a model that may look up orders, and refund them where a person approves.
#[workflow]
impl Chat {
    /// Takes a question; `budget` is the most tokens that it may cost.
    #[step]
    fn begin(&self, context: &Context, start: StartEvent) -> Result<Turn> {
        let question: String = start.get("question")?.unwrap_or_else(|| "Where is my order 7?".to_owned());
        context.set("messages", [Message::system("You help customers of a shop."), Message::user(question)])?;
        context.set("budget", start.get::<u64>("budget")?.unwrap_or(10_000))?;
        context.set("tokens", 0)?;
        Ok(Turn {})
    }

    /// Asks the model, and shows what it says while it says it. An answer that is cut, put off or does not come is asked for again.
    #[step(retry(delay = 0.2, attempts_max = 6, backoff = "exponential", delay_max = 20.0))]
    fn ask(&self, context: &Context, _turn: Turn) -> Result<Next> {
        let (spent, budget): (u64, u64) = (context.get("tokens")?.unwrap_or(0), context.get("budget")?.unwrap_or(0));
        if spent >= budget {
            return Err(Failure::new("BudgetExceeded", format!("{spent} tokens of {budget} are spent")).no_retry());
        }
        let messages: Vec<Message> = context.get("messages")?.unwrap_or_default();
        let mut reply = Reply::default();
        for event in model::ask(context, &messages, tools::all())?.events() {
            let event = event?;
            if event.data == "[DONE]" {
                reply.is_whole = true;
                break;
            }
            if let Some(text) = reply.add(event.json()?) {
                context.publish(&Token { text })?;
            }
        }
        let tokens = reply.tokens;
        let message = reply.message()?;
        context.set("tokens", spent + tokens)?;
        context.push("messages", &message)?;
        Ok(match message.tool_calls {
            Some(calls) if !calls.is_empty() => ToolCalls { calls }.into(),
            _ => StopEvent::new(json!({ "answer": message.content, "tokens": spent + tokens })).into(),
        })
    }

    /// Does what the model asks for. What cannot be undone waits for a person, for as long as that takes.
    #[step]
    fn call(&self, context: &Context, asked: ToolCalls) -> Result<Turn> {
        for call in asked.calls {
            let result = match tools::refund(&call) {
                Some(what) => {
                    let wait = context.wait::<ApprovalResponse>().id(&call.id);
                    let decision = wait.request(&ApprovalRequest { what: what.clone() })?.get()?;
                    if decision.approved { format!("done: {what}") } else { "a person has refused it".to_owned() }
                }
                None => tools::look_up(&call),
            };
            context.push("messages", Message::tool(call.id, result))?;
        }
        Ok(Turn {})
    }
}

#[cfg(test)]
mod tests {
    use wf_guest::testing::{HttpResponse, Test};

    use super::*;

    fn says(text: &str) -> HttpResponse {
        let part = json!({ "choices": [{ "delta": { "content": text } }] }).to_string();
        let usage = json!({ "choices": [], "usage": { "total_tokens": 40 } }).to_string();
        HttpResponse::status(200).events([part.as_str(), usage.as_str(), "[DONE]"])
    }

    #[test]
    fn a_refund_waits_for_a_person_and_a_model_that_is_busy_is_asked_again() {
        let mut asked = 0;
        let answers = move |request: &wf_guest::testing::HttpRequest| {
            asked += 1;
            assert_eq!(request.header("authorization"), Some("Bearer a-placeholder"));
            match asked {
                1 => HttpResponse::status(429).header("retry-after", 7),
                2 => {
                    let call = json!({ "index": 0, "id": "c1", "function": { "name": "refund", "arguments": "{\"order\":7}" } });
                    HttpResponse::status(200)
                        .events([json!({ "choices": [{ "delta": { "tool_calls": [call] } }] }).to_string().as_str(), "[DONE]"])
                }
                _ => says("It is refunded."),
            }
        };
        let mut run = Test::of(Chat)
            .variable("OPENAI_API_KEY", "a-placeholder")
            .http(answers)
            .answer(|_request: ApprovalRequest| ApprovalResponse { approved: true })
            .restart_at_every_commit()
            .start(json!({ "question": "Give me my money back." }));
        assert!(run.is_running(), "the answer asked for seven seconds");
        run.advance(Duration::from_secs(7));
        assert_eq!(run.result::<Value>()["answer"], "It is refunded.");
        assert_eq!(run.published_types(), ["ApprovalRequest", "Token", "StopEvent"]);
    }

    #[test]
    fn a_budget_that_is_spent_ends_it() {
        let call = json!({ "index": 0, "id": "c1", "function": { "name": "look_up_order", "arguments": "{}" } });
        let part = json!({ "choices": [{ "delta": { "tool_calls": [call] } }], "usage": { "total_tokens": 60 } }).to_string();
        let answers = move |_: &_| HttpResponse::status(200).events([part.as_str(), "[DONE]"]);
        let run = Test::of(Chat).variable("OPENAI_API_KEY", "a").http(answers).start(json!({ "budget": 100 }));
        assert!(run.failure().contains("120 tokens of 100 are spent"), "{}", run.failure());
    }

    #[test]
    fn without_a_secret_it_says_what_is_missing() {
        let run = Test::of(Chat).start(json!({}));
        assert!(run.failure().contains("has no secret `OPENAI_API_KEY`"), "{}", run.failure());
    }
}
