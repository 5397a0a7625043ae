use wf_guest::prelude::*;

#[derive(Data)]
struct Pair<T> {
    both: [T; 2],
}

fn main() {}
