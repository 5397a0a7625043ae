//! The types of an event's fields: some say too little in their schemas, and some cannot be there.

use proc_macro2::Span;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Error, Field, Fields, GenericArgument, Ident, LitStr, Path, PathArguments, Result, Type, parse_quote};

/// Looks into a type.
#[derive(Default)]
struct Looking {
    /// Whether another type stands in for a part of it.
    changed: bool,
    refused: Option<Error>,
}

/// Lets stand-ins make the schema, where the author has not said what does.
pub(super) fn tighten(fields: &mut Fields) -> Result<()> {
    for field in fields {
        let (mut looking, mut ty) = (Looking::default(), field.ty.clone());
        looking.visit_type_mut(&mut ty);
        if let Some(error) = looking.refused {
            return Err(error);
        }
        if looking.changed && !has_a_form_of_its_own(field) {
            let ty = LitStr::new(&ty.to_token_stream().to_string(), Span::call_site());
            field.attrs.push(parse_quote!(#[schemars(with = #ty)]));
        }
    }
    Ok(())
}

/// `with`, `schema_with` and the like.
fn has_a_form_of_its_own(field: &Field) -> bool {
    let mut attributes = field.attrs.iter().filter(|it| it.path().is_ident("schemars") || it.path().is_ident("serde"));
    attributes.any(|it| it.meta.to_token_stream().to_string().contains("with"))
}

impl VisitMut for Looking {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        if let Type::Path(path) = ty
            && ["SocketAddr", "SocketAddrV4", "SocketAddrV6"].into_iter().any(|name| is_last(&path.path, name))
        {
            *ty = parse_quote!(::wf_guest::generated::Socket<#ty>);
            self.changed = true;
        }
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(last) = path.segments.last_mut() else { return };
        if let Some(error) = refused(&last.ident) {
            self.refused.get_or_insert(error);
        }
        if let PathArguments::AngleBracketed(arguments) = &mut last.arguments
            && (last.ident == "HashMap" || last.ident == "BTreeMap")
            && let Some(GenericArgument::Type(key)) = arguments.args.first_mut()
            && !matches!(key, Type::Path(path) if is_last(&path.path, "String"))
        {
            *key = parse_quote!(::wf_guest::generated::Key<#key>);
            self.changed = true;
        }
    }
}

fn is_last(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|it| it.ident == name)
}

fn refused(name: &Ident) -> Option<Error> {
    let message = match name.to_string().as_str() {
        "OsString" | "OsStr" => "WebAssembly has no text of an operating system: use `String`, or `PathBuf` for a path",
        "Weak" => "a `Weak` comes back empty: let the event hold the value itself",
        _ => return None,
    };
    Some(Error::new(name.span(), message))
}
