//! The macros of wf-guest. Their documentation is there.

mod data;
mod event;
mod events;
mod fields;
mod helpers;
mod outgoing;
mod returned;
mod step;
mod variables;
mod workflow;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemImpl, parse_macro_input};

/// Makes a struct a type of event. `#[event(start)]`, `stop`, `input_required` or
/// `human_response` say what it is for, `base = "Other"` what it derives from. `module = "a.b"` is
/// where clients find its class; left out: the Rust module. Fields take serde's and schemars'
/// attributes; doc comments describe them.
#[proc_macro_derive(Event, attributes(event, serde, schemars))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Lets a struct or an enum stand within events, and in the state: it is written and read as JSON, and has a schema. Its
/// fields take serde's and schemars' attributes.
#[proc_macro_derive(Data, attributes(serde, schemars))]
pub fn derive_data(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    data::derive(input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an enum one of several events, for steps that take, return or wait for more than one type.
/// Each variant holds one.
#[proc_macro_derive(Events)]
pub fn derive_events(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    events::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an impl block of a unit struct a workflow, and exports it. Options: `name`, `version`,
/// `timeout` in seconds, `additional_events(A, B)`.
///
/// Steps are methods with `#[step]`: `fn(&self, &Context, Event…) -> Result<…>`. Their options:
/// `num_workers`, `timeout` in seconds of executing time, `subtypes`, `sends(A, B)`, `emits_any`,
/// `retry(delay, attempts_max, backoff, delay_max, factor, jitter, elapsed_max, kinds)`,
/// `catch_error(steps, max_recoveries)`, and for one that joins with `Collect`: `order = "arrival"`,
/// and `take = n`, which fires it at the n-th event.
///
/// A step with `subtypes` takes events of derived types as well, but sees only what they have of the
/// type that it names; a parameter `Subtype<Type>` says the same and keeps the whole event.
///
/// What a step sends, publishes, asks with and waits for is declared too, as far as its words and
/// those of the block's other methods say which type it is: `context.publish(&Progress { … })`,
/// `context.wait::<Answer>()`, or a variable that was made so. Where they do not, the compiler says
/// so, and `publish::<Progress>(event)` or `sends(Progress)` tells it. Code outside the block is
/// not seen: what that sends stands in `sends`, what it waits for in `additional_events`.
#[proc_macro_attribute]
pub fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemImpl);
    workflow::expand(options.into(), item).unwrap_or_else(syn::Error::into_compile_error).into()
}
