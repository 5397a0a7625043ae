//! `#[derive(Event)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, LitStr, Result};

use super::fields;

const OPTIONS: &str = "`start`, `stop`, `input_required`, `human_response`, `base = \"Type\"` or `module = \"a.b\"`";

/// What `#[event(…)]` says.
struct Options {
    kind: &'static str,
    base: Option<LitStr>,
    module: Option<LitStr>,
}

/// The struct's serde and schema come from a copy of it, so that the author derives one thing.
pub(super) fn derive(mut input: DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &mut input.data else {
        return Err(Error::new_spanned(&input.ident, "an event is a struct; for one of several events use `#[derive(Events)]`"));
    };
    if matches!(data.fields, Fields::Unnamed(_)) {
        return Err(Error::new_spanned(&data.fields, "an event has named fields: write `struct Name { field: Type }`"));
    }
    if matches!(data.fields, Fields::Unit) {
        data.fields = Fields::Named(syn::parse_quote!({}));
    }
    let mut asked = Vec::new();
    fields::tighten(&mut data.fields, &[&input.attrs], &mut asked)?;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "an event has no type parameters: write one struct for each type"));
    }
    let Options { kind, base, module } = options(&input)?;
    let base = match base {
        Some(base) => quote!(Some(#base)),
        None => quote!(None),
    };
    let module = match module {
        Some(module) => quote!(#module),
        None => quote!(::core::module_path!()),
    };
    let (ident, name) = (&input.ident, input.ident.to_string());
    let (shadow, itself) = (format_ident!("{ident}Fields"), format_ident!("{ident}Itself"));
    let another_name = fields::another_name(ident, &itself, &asked);
    let attributes: Vec<_> = input.attrs.iter().filter(|it| !it.path().is_ident("event")).collect();
    let Data::Struct(data) = &input.data else { unreachable!("seen above") };
    let fields = &data.fields;
    Ok(quote! {
        const _: () = {
            type #itself = #ident;
            #(#asked)*
            const _: () = {
                #another_name

                #[derive(::wf_guest::serde::Serialize, ::wf_guest::serde::Deserialize, ::wf_guest::schemars::JsonSchema)]
                #[serde(crate = "::wf_guest::serde", remote = #name)]
                #[schemars(crate = "::wf_guest::schemars")]
                #(#attributes)*
                struct #shadow #fields

                impl ::wf_guest::serde::Serialize for #itself {
                    fn serialize<S: ::wf_guest::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                        #shadow::serialize(self, serializer)
                    }
                }

                impl<'de> ::wf_guest::serde::Deserialize<'de> for #itself {
                    fn deserialize<D: ::wf_guest::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                        #shadow::deserialize(deserializer)
                    }
                }

                impl ::wf_guest::Event for #itself {
                    const NAME: &'static str = #name;

                    fn declaration() -> ::core::option::Option<::wf_guest::serde_json::Value> {
                        ::wf_guest::generated::declaration::<#shadow>(#name, #kind, #base, #module)
                    }
                }
            };
        };
    })
}

fn options(input: &DeriveInput) -> Result<Options> {
    let mut options = Options { kind: "plain", base: None, module: None };
    for attribute in input.attrs.iter().filter(|it| it.path().is_ident("event")) {
        attribute.parse_nested_meta(|meta| {
            match meta.path.get_ident().map(ToString::to_string).as_deref() {
                Some("start") => options.kind = "start",
                Some("stop") => options.kind = "stop",
                Some("input_required") => options.kind = "input-required",
                Some("human_response") => options.kind = "human-response",
                Some("base") => options.base = Some(meta.value()?.parse()?),
                Some("module") => options.module = Some(meta.value()?.parse()?),
                _ => return Err(meta.error(format!("unknown attribute: use {OPTIONS}"))),
            }
            Ok(())
        })?;
    }
    Ok(options)
}
