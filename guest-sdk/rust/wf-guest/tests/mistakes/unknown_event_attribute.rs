use wf_guest::prelude::*;

#[derive(Event)]
#[event(human_input)]
struct AnswerEvent {
    text: String,
}

fn main() {}
