//! The types of an event's fields: some say too little in their schemas, and some cannot be there.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Error, Expr, Fields, GenericArgument, Ident, ItemConst, ItemType, LitStr, Path, PathArguments, Result, Type, parse_quote,
};

/// Words of serde's and schemars' attributes by which a type or a field is written, read or described in another way.
const OWN: [&str; 12] = [
    "with",
    "serialize_with",
    "deserialize_with",
    "schema_with",
    "skip",
    "skip_serializing",
    "skip_deserializing",
    "from",
    "into",
    "try_from",
    "remote",
    "getter",
];

/// Looks into a type.
#[derive(Default)]
struct Looking {
    /// Whether another type stands in for a part of it.
    changed: bool,
    refused: Option<Error>,
}

/// Lets stand-ins make the schema, where the author has not said what does, and asks of each type whether it is data:
/// otherwise each use that serde and schemars make of one that is not would be an error of its own, in words of theirs.
/// Gives the constants that ask; `around` is what the fields are of.
pub(super) fn tighten(fields: &mut Fields, around: &[&[Attribute]], asked: &mut Vec<ItemConst>) -> Result<()> {
    let as_they_are = !around.iter().any(|attributes| has_a_form_of_its_own(attributes));
    for field in fields {
        let (mut looking, mut ty) = (Looking::default(), field.ty.clone());
        looking.visit_type_mut(&mut ty);
        if let Some(error) = looking.refused {
            return Err(error);
        }
        if has_a_form_of_its_own(&field.attrs) {
            continue;
        }
        if looking.changed {
            let ty = LitStr::new(&ty.to_token_stream().to_string(), Span::call_site());
            field.attrs.push(parse_quote!(#[schemars(with = #ty)]));
        }
        if as_they_are {
            let (ty, name) = (&field.ty, format_ident!("IS_DATA_{}", asked.len()));
            asked.push(parse_quote!(const #name: bool = ::wf_guest::generated::is_data::<#ty>();));
            field.ty = checked(ty, &parse_quote!(#name));
        }
    }
    Ok(())
}

/// The same type; or, where the condition is an error, one of which nothing more is said.
fn checked(ty: &Type, condition: &Expr) -> Type {
    parse_quote!(<::wf_guest::generated::Checked<#ty, { #condition }> as ::wf_guest::generated::Itself>::Own)
}

/// The name of the type whose fields they are, as that of the type if all of them are data.
pub(super) fn another_name(ident: &Ident, itself: &Ident, asked: &[ItemConst]) -> ItemType {
    let names = asked.iter().map(|it| &it.ident);
    let checked = checked(&parse_quote!(#itself), &parse_quote!(true #(&& #names)*));
    parse_quote!(type #ident = #checked;)
}

/// `with`, `schema_with`, `from`, `skip` and the like: what the type itself can does not count then.
fn has_a_form_of_its_own(attributes: &[Attribute]) -> bool {
    let mut attributes = attributes.iter().filter(|it| it.path().is_ident("schemars") || it.path().is_ident("serde"));
    attributes.any(|it| words(it.meta.to_token_stream()).iter().any(|it| OWN.contains(&it.as_str())))
}

fn words(tokens: TokenStream) -> Vec<String> {
    let words = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => words(group.stream()),
        TokenTree::Ident(word) => vec![word.to_string()],
        _ => Vec::new(),
    });
    words.collect()
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
