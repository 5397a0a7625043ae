//! Write wf-host workflows in Rust.
//!
//! A workflow is an `impl` block of steps. What a step takes and returns *is* the graph: the
//! events of its parameters reach it, and the events that it returns go to whoever takes them.
//!
//! ```
//! use wf_guest::prelude::*;
//!
//! /// Asks for a name.
//! #[derive(Event)]
//! #[event(input_required)]
//! struct RequestEvent {
//!     /// What to ask.
//!     prompt: String,
//! }
//!
//! #[derive(Event)]
//! #[event(human_response)]
//! struct ResponseEvent {
//!     response: String,
//! }
//!
//! /// Greets whoever answers.
//! struct Greeter;
//!
//! #[workflow]
//! impl Greeter {
//!     /// Asks.
//!     #[step]
//!     fn ask(&self, _context: &Context, _start: StartEvent) -> Result<RequestEvent> {
//!         Ok(RequestEvent { prompt: "What is your name?".into() })
//!     }
//!
//!     /// Greets.
//!     #[step]
//!     fn greet(&self, _context: &Context, answer: ResponseEvent) -> Result<StopEvent> {
//!         Ok(StopEvent::new(format!("Hello, {}", answer.response)))
//!     }
//! }
//! # fn main() {}
//! ```

// Read in this order.
mod context;
mod data;
mod event;
mod failure;
pub mod http;
mod manifest;
mod pattern;
mod read;
mod schema;
mod stand_in;
mod step;
mod subtype;
mod wait;

#[cfg(not(target_family = "wasm"))]
pub mod testing;

/// Where the calls of a context go: to the host, or to the harness of a native test.
mod host {
    #[cfg(target_family = "wasm")]
    pub(crate) use crate::bindings::wf::workflow::{events, http, log, memo, run, state, time};
    #[cfg(target_family = "wasm")]
    pub(crate) fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
    #[cfg(not(target_family = "wasm"))]
    pub(crate) use crate::testing::contract::{events, http, log, memo, run, state, time, variable};
}

// Generated; `wit/workflow.wit` documents it.
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "workflow",
        pub_export_macro: true,
        default_bindings_module: "wf_guest::bindings",
        export_macro_name: "export_component",
    });
}

#[doc(hidden)]
pub use {schemars, serde, serde_json};

pub use context::{Context, RetryInfo};
pub use data::Data;
pub use event::{Event, StartEvent, StepFailedEvent, StopEvent};
pub use failure::{Failure, Fatal, Result};
pub use step::{Collect, Events, RawEvent, StepInput, StepOutput, Workflow};
pub use subtype::Subtype;
pub use wait::Wait;
pub use wf_guest_macros::{Data, Event, Events, workflow};

/// For the code that the macros write.
#[doc(hidden)]
pub mod generated {
    pub use crate::data::{Checked, Itself, is_data};
    pub use crate::manifest::{Manifest, StepManifest};
    pub use crate::schema::declaration;
    pub use crate::stand_in::{Key, Socket};
    pub use crate::step::{invoke, unit};
}

/// All that a workflow needs.
pub mod prelude {
    pub use crate::{
        Collect, Context, Data, Event, Events, Failure, Fatal, Result, StartEvent, StepFailedEvent, StopEvent, Subtype, workflow,
    };
    pub use serde_json::{Value, json};
    pub use std::time::Duration;
}
