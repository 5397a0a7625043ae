//! `#[derive(Events)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result};

pub(super) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "`Events` is for an enum of events; for one event use `#[derive(Event)]`"));
    };
    let (mut variants, mut types) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                variants.push(&variant.ident);
                types.push(&fields.unnamed[0].ty);
            }
            _ => return Err(Error::new_spanned(variant, "a variant holds one event: write `Name(Type)`")),
        }
    }
    if variants.is_empty() {
        return Err(Error::new_spanned(&input.ident, "an enum of events has at least one: write `Name(Type)`"));
    }
    let ident = &input.ident;
    Ok(quote! {
        impl ::wf_guest::StepInput for #ident {
            fn types() -> Vec<(&'static str, ::core::option::Option<::wf_guest::serde_json::Value>)> {
                vec![#((<#types as ::wf_guest::Event>::NAME, <#types as ::wf_guest::Event>::declaration())),*]
            }

            fn take(events: &mut ::std::collections::VecDeque<::wf_guest::RawEvent>) -> ::wf_guest::Result<Self> {
                let event = events.pop_front().ok_or_else(|| ::wf_guest::Failure::new("TypeError", "no event was given").no_retry())?;
                #(if event.name == <#types as ::wf_guest::Event>::NAME {
                    return Ok(#ident::#variants(event.parse()?));
                })*
                Err(::wf_guest::Failure::new("TypeError", format!("{} is not taken here", event.name)).no_retry())
            }
        }

        impl ::wf_guest::Events for #ident {}

        impl ::wf_guest::StepOutput for #ident {
            fn types() -> Vec<(&'static str, ::core::option::Option<::wf_guest::serde_json::Value>)> {
                <#ident as ::wf_guest::StepInput>::types()
            }

            fn into_events(self) -> ::wf_guest::Result<Vec<::wf_guest::RawEvent>> {
                match self {
                    #(#ident::#variants(event) => ::wf_guest::StepOutput::into_events(event),)*
                }
            }
        }

        #(impl ::core::convert::From<#types> for #ident {
            fn from(event: #types) -> Self {
                #ident::#variants(event)
            }
        })*
    })
}
