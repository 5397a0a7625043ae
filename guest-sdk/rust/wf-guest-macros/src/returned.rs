//! What the methods of a block return.

use std::collections::BTreeMap;

use syn::{GenericArgument, Ident, ImplItem, ItemImpl, PathArguments, ReturnType, Type};

/// By the names of the methods.
pub(super) struct Returned(BTreeMap<String, Type>);

impl Returned {
    /// Of methods without type parameters: what others return is the caller's choice.
    pub(super) fn of(item: &ItemImpl) -> Returned {
        let signatures = item.items.iter().filter_map(|item| if let ImplItem::Fn(method) = item { Some(&method.sig) } else { None });
        let plain = signatures.filter(|it| it.generics.params.is_empty());
        Returned(plain.filter_map(|it| Some((it.ident.to_string(), opened(&it.output)?.clone()))).collect())
    }

    pub(super) fn by(&self, method: &Ident) -> Option<&Type> {
        self.0.get(&method.to_string())
    }
}

/// What a call gives: of `Result<Type>`, which `?` opens, the type.
fn opened(output: &ReturnType) -> Option<&Type> {
    let ReturnType::Type(_, ty) = output else { return None };
    let Type::Path(path) = &**ty else { return Some(ty) };
    match path.path.segments.last() {
        Some(last) if last.ident == "Result" => match &last.arguments {
            PathArguments::AngleBracketed(arguments) => {
                arguments.args.iter().find_map(|argument| if let GenericArgument::Type(ty) = argument { Some(ty) } else { None })
            }
            _ => None,
        },
        _ => Some(ty),
    }
}
