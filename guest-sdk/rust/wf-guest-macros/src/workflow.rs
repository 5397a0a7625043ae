//! `#[workflow]`.

use std::sync::{Mutex, PoisonError};

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Error, ImplItem, ItemImpl, Lit, LitStr, Result, Type};

use super::helpers::Methods;
use super::step::{Step, description, paths, step};

const OPTIONS: &str = "`name`, `version`, `timeout` or `additional_events(A, B)`";

/// Its steps are entered in a fresh instance each: what a field held would be gone.
const FIELDS: &str = "a workflow is a struct without fields: every step begins in memory of its own, so keep what is to last in the run's state, \
    with `context.set` and `context.get`";

/// The first workflow of this crate, where one was seen: a component has one.
static FIRST: Mutex<Option<(String, String)>> = Mutex::new(None);

/// The error of a second workflow in a component; native tests may have many.
fn another(name: &str) -> TokenStream {
    let place = format!("{:?} {:?}", std::env::var("CARGO_MANIFEST_DIR"), std::env::var("CARGO_CRATE_NAME"));
    let mut first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*first {
        Some((there, other)) if *there == place && other != name => {
            let message = format!("a crate has one workflow, and `{other}` is there: put `{name}` into a crate of its own");
            quote!(#[cfg(target_family = "wasm")] ::core::compile_error!(#message);)
        }
        _ => {
            *first = Some((place, name.to_owned()));
            TokenStream::new()
        }
    }
}

pub(super) fn expand(options: TokenStream, mut item: ItemImpl) -> Result<TokenStream> {
    let Type::Path(path) = &*item.self_ty else {
        return Err(Error::new_spanned(&item.self_ty, "a workflow is an impl block of a unit struct"));
    };
    let ident =
        path.path.segments.last().map(|segment| segment.ident.clone()).ok_or_else(|| Error::new_spanned(path, "a workflow has a name"))?;
    let mut name = LitStr::new(&kebab(&ident.to_string()), ident.span());
    let mut sets = Vec::new();
    let parser = syn::meta::parser(|meta| {
        match meta.path.get_ident().map(ToString::to_string).as_deref() {
            Some("name") => name = meta.value()?.parse()?,
            Some(key @ ("version" | "timeout")) => {
                let value: Lit = meta.value()?.parse()?;
                sets.push(quote!(.set(#key, #value)));
            }
            Some("additional_events") => {
                for path in paths(&meta)? {
                    sets.push(quote!(.additional(<#path as ::wf_guest::StepInput>::types())));
                }
            }
            _ => return Err(meta.error(format!("unknown attribute: use {OPTIONS}"))),
        }
        Ok(())
    });
    parser.parse2(options)?;

    let description = description(&item.attrs);
    let methods = Methods::of(&item);
    let mut steps = Vec::new();
    for method in item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    }) {
        if let Some(place) = method.attrs.iter().position(|it| it.path().is_ident("step")) {
            let attribute = method.attrs.remove(place);
            steps.push(step(&attribute, method, &methods)?);
        }
    }
    if steps.is_empty() {
        return Err(Error::new_spanned(&item.self_ty, "a workflow has at least one step: mark a method with `#[step]`"));
    }
    two_starts(&steps)?;
    let manifests = steps.iter().map(|step| &step.manifest);
    let arms = steps.iter().map(|step| &step.arm);
    let component = format_ident!("{ident}Component");
    let another = another(&ident.to_string());
    let self_ty = &item.self_ty;
    let no_fields = quote_spanned!(self_ty.span()=> const _: () = ::core::assert!(::core::mem::size_of::<#self_ty>() == 0, #FIELDS););
    Ok(quote! {
        #item

        #no_fields
        #another
        const _: () = {
            impl ::wf_guest::Workflow for #self_ty {
                fn describe() -> String {
                    ::wf_guest::generated::Manifest::new(#name, #description)#(#sets)*#(.step(#manifests))*.json()
                }

                fn invoke(step: &str, events: Vec<::wf_guest::RawEvent>) -> ::wf_guest::Result<Vec<::wf_guest::RawEvent>> {
                    let workflow = ::wf_guest::generated::unit::<#self_ty>();
                    let context = ::wf_guest::Context::new();
                    let mut events = ::std::collections::VecDeque::from(events);
                    match step {
                        #(#arms)*
                        other => Err(::wf_guest::Failure::new("TypeError", format!("there is no step {other}")).no_retry()),
                    }
                }
            }

            // A native library has no use for the exports, and its linker none for their names.
            #[cfg(target_family = "wasm")]
            ::wf_guest::bindings::export_component!(#component with_types_in ::wf_guest::bindings);
            #[cfg(not(target_family = "wasm"))]
            const _: fn(&str, Vec<::wf_guest::RawEvent>) -> ::wf_guest::Result<Vec<::wf_guest::RawEvent>> =
                <#self_ty as ::wf_guest::Workflow>::invoke;
            #[cfg(target_family = "wasm")]
            struct #component;
            #[cfg(target_family = "wasm")]
            impl ::wf_guest::bindings::exports::wf::workflow::steps::Guest for #component {
                fn describe() -> String {
                    <#self_ty as ::wf_guest::Workflow>::describe()
                }

                fn invoke(
                    step: String,
                    events: Vec<::wf_guest::bindings::wf::workflow::types::Event>,
                ) -> ::core::result::Result<
                    Vec<::wf_guest::bindings::wf::workflow::types::Event>,
                    ::wf_guest::bindings::wf::workflow::types::Failure,
                > {
                    ::wf_guest::generated::invoke::<#self_ty>(&step, events)
                }
            }
        };
    })
}

fn two_starts(steps: &[Step]) -> Result<()> {
    let mut starts = steps.iter().flat_map(|step| &step.starts);
    let Some(first) = starts.next() else { return Ok(()) };
    match starts.find(|start| *start != first) {
        Some(second) => {
            Err(Error::new_spanned(second, "a workflow starts with one event: let all its first steps take the same start event"))
        }
        None => Ok(()),
    }
}

/// `HumanInTheLoop` as `human-in-the-loop`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (place, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}
