use wf_guest::prelude::*;

#[derive(Event)]
enum Either {
    This,
    That,
}

#[derive(Event)]
struct Pair(String, String);

#[derive(Event)]
struct Generic<T> {
    value: T,
}

#[derive(Events)]
struct One {
    value: String,
}

#[derive(Events)]
enum Named {
    This { value: String },
}

fn main() {}
