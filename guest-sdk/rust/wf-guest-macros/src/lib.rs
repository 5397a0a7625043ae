//! The macros of wf-guest. Their documentation is there.

mod event;
mod events;
mod workflow;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemImpl, parse_macro_input};

/// Makes a struct a type of event. `#[event(start)]`, `stop`, `input_required` or
/// `human_response` say what it is for, `base = "Other"` what it derives from. Fields take serde's and
/// schemars' attributes; doc comments describe them.
#[proc_macro_derive(Event, attributes(event, serde, schemars))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an enum one of several events, for steps that take or return more than one type. Each
/// variant holds one.
#[proc_macro_derive(Events)]
pub fn derive_events(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    events::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an impl block of a unit struct a workflow, and exports it. Options: `name`, `version`,
/// `timeout` in seconds, `additional_events(A, B)`.
///
/// Steps are methods with `#[step]`: `fn(&self, &Context, Event…) -> Result<…>`. Their options:
/// `num_workers`, `timeout`, `subtypes`, `sends(A, B)`,
/// `retry(delay, attempts_max, backoff, delay_max, factor, jitter, elapsed_max, kinds)`,
/// `catch_error(steps, max_recoveries)`.
#[proc_macro_attribute]
pub fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemImpl);
    workflow::expand(options.into(), item).unwrap_or_else(syn::Error::into_compile_error).into()
}
