//! `#[derive(Data)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Result};

use super::fields;

/// Serde and schema come from a copy of the type, so that the author derives one thing, and needs no other crate.
pub(super) fn derive(mut input: DeriveInput) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        let message = "`Data` has no type parameters: write one type for each, or derive serde's and schemars' traits themselves";
        return Err(Error::new_spanned(&input.generics, message));
    }
    let (of_all, mut asked) = (&input.attrs, Vec::new());
    // By way of another name the compiler makes no tuples, and knows no variants with named fields.
    let has_another_name = match &mut input.data {
        Data::Struct(data) => {
            fields::tighten(&mut data.fields, &[of_all], &mut asked)?;
            matches!(data.fields, Fields::Named(_))
        }
        Data::Enum(data) => {
            for variant in &mut data.variants {
                fields::tighten(&mut variant.fields, &[of_all, &variant.attrs], &mut asked)?;
            }
            !data.variants.iter().any(|it| matches!(it.fields, Fields::Named(_)))
        }
        Data::Union(_) => return Err(Error::new_spanned(&input.ident, "`Data` is a struct or an enum")),
    };
    let (ident, name) = (input.ident.clone(), input.ident.to_string());
    let (shadow, itself) = (format_ident!("{ident}Data"), format_ident!("{ident}Itself"));
    let another_name = has_another_name.then(|| fields::another_name(&ident, &itself, &asked));
    input.ident = shadow.clone();
    input.vis = syn::Visibility::Inherited;
    Ok(quote! {
        const _: () = {
            type #itself = #ident;
            #(#asked)*
            const _: () = {
                #another_name

                #[derive(::wf_guest::serde::Serialize, ::wf_guest::serde::Deserialize, ::wf_guest::schemars::JsonSchema)]
                #[serde(crate = "::wf_guest::serde", remote = #name)]
                #[schemars(crate = "::wf_guest::schemars")]
                #input

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

                impl ::wf_guest::schemars::JsonSchema for #itself {
                    fn schema_name() -> ::std::borrow::Cow<'static, str> {
                        #name.into()
                    }

                    fn schema_id() -> ::std::borrow::Cow<'static, str> {
                        ::core::concat!(::core::module_path!(), "::", #name).into()
                    }

                    fn json_schema(generator: &mut ::wf_guest::schemars::SchemaGenerator) -> ::wf_guest::schemars::Schema {
                        <#shadow as ::wf_guest::schemars::JsonSchema>::json_schema(generator)
                    }
                }
            };
        };
    })
}
