use std::ffi::OsString;
use std::rc::Weak;

use wf_guest::prelude::*;

#[derive(Event)]
struct Named {
    names: Vec<OsString>,
}

#[derive(Event)]
struct Linked {
    parent: Option<Weak<u8>>,
}

fn main() {}
