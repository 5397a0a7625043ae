use wf_guest::prelude::*;

struct Example;

#[workflow]
impl Example {
    #[step]
    fn only(&self, _context: &Context, _start: StartEvent) {}
}

fn main() {}
