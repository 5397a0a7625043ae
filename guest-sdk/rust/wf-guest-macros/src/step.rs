//! `#[step]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, ImplItemFn, Lit, LitStr, Meta, Path, Result, ReturnType, Token, Type, token};

use super::helpers::Methods;

const OPTIONS: &str = "`num_workers`, `timeout`, `subtypes`, `sends(A, B)`, `emits_any`, `order`, `take`, `retry(…)` or `catch_error(…)`";
const RETRY_KEYS: [&str; 8] = ["delay", "attempts_max", "backoff", "delay_max", "factor", "jitter", "elapsed_max", "kinds"];

/// What the workflow needs of a step.
pub(super) struct Step {
    pub manifest: TokenStream,
    pub arm: TokenStream,
    /// The types of start events that it takes.
    pub starts: Vec<Type>,
}

pub(super) fn step(attribute: &Attribute, method: &ImplItemFn, methods: &Methods) -> Result<Step> {
    let signature = &method.sig;
    let (ident, name) = (&signature.ident, signature.ident.to_string());
    let wanted = "a step is `fn name(&self, context: &Context, event: Type) -> Result<Type>`";
    if let Some(asyncness) = &signature.asyncness {
        let message = format!(
            "step `{name}` is no `async fn`: calls of the context that wait do so by themselves, and leave memory; drop `async` and `.await`"
        );
        return Err(Error::new_spanned(asyncness, message));
    }
    let mut inputs = signature.inputs.iter();
    if !matches!(inputs.next(), Some(FnArg::Receiver(receiver)) if receiver.reference.is_some() && receiver.mutability.is_none()) {
        return Err(Error::new_spanned(&signature.ident, wanted));
    }
    if !matches!(inputs.next(), Some(FnArg::Typed(argument)) if matches!(&*argument.ty, Type::Reference(_))) {
        return Err(Error::new_spanned(&signature.ident, wanted));
    }
    let types: Vec<&Type> =
        inputs.filter_map(|input| if let FnArg::Typed(argument) = input { Some(&*argument.ty) } else { None }).collect();
    if types.is_empty() {
        return Err(Error::new_spanned(
            &signature.ident,
            format!("step `{name}` takes no event: add a parameter of the type that it takes"),
        ));
    }
    let ReturnType::Type(_, output) = &signature.output else {
        return Err(Error::new_spanned(
            &signature.ident,
            format!("step `{name}` returns no event: let it return the type that follows, or `Option` of it"),
        ));
    };
    let Options { settings, names_sends } = options(attribute)?;
    let outgoing = methods.outgoing(&name);
    outgoing.check(names_sends)?;
    let sends = outgoing.sends.iter().map(|ty| quote_spanned!(ty.span()=> .sends::<#ty>()));
    let waits = outgoing.waits.iter().map(|ty| quote_spanned!(ty.span()=> .waits::<#ty>()));
    let description = description(&method.attrs);
    // Spans of the author's types, so that a type that is no event is pointed at.
    let input = types.iter().map(|ty| quote_spanned!(ty.span()=> .input::<#ty>()));
    let result = quote_spanned!(output.span()=> .output::<#output>());
    let manifest =
        quote!(::wf_guest::generated::StepManifest::new(#name, #description)#(#input)* #result #(#settings)* #(#sends)* #(#waits)*);
    let take = types.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as ::wf_guest::StepInput>::take(&mut events)?));
    let into_events = quote_spanned!(output.span()=> ::wf_guest::StepOutput::into_events);
    let arm = quote!(#name => #into_events(workflow.#ident(&context, #(#take),*)),);
    let starts = types.into_iter().filter(|ty| is_start(ty)).cloned().collect();
    Ok(Step { manifest, arm, starts })
}

/// By its name: a macro sees no more of a type.
fn is_start(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|it| it.ident.to_string().ends_with("StartEvent")))
}

/// What `#[step(…)]` says.
#[derive(Default)]
struct Options {
    settings: Vec<TokenStream>,
    /// Whether the author has said what the step sends.
    names_sends: bool,
}

fn options(attribute: &Attribute) -> Result<Options> {
    let mut options = Options::default();
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(options);
    }
    let settings = &mut options.settings;
    attribute.parse_nested_meta(|meta| {
        match meta.path.get_ident().map(ToString::to_string).as_deref() {
            Some(key @ ("num_workers" | "timeout" | "take")) => {
                let value: Lit = meta.value()?.parse()?;
                settings.push(quote!(.set(#key, #value)));
            }
            Some(key @ ("subtypes" | "emits_any")) => settings.push(quote!(.set(#key, true))),
            Some("order") => settings.push(order(&meta)?),
            Some("sends") => {
                options.names_sends = true;
                settings.extend(paths(&meta)?.into_iter().map(|path| quote!(.sends::<#path>())));
            }
            Some("retry") => settings.push(object("retry", &meta, &RETRY_KEYS)?),
            Some("catch_error") if !meta.input.peek(token::Paren) => {
                settings.push(quote!(.set("catch_error", ::wf_guest::serde_json::json!({}))));
            }
            Some("catch_error") => settings.push(object("catch_error", &meta, &["steps", "max_recoveries"])?),
            _ => return Err(meta.error(format!("unknown attribute: use {OPTIONS}"))),
        }
        Ok(())
    })?;
    Ok(options)
}

fn order(meta: &ParseNestedMeta) -> Result<TokenStream> {
    let order: LitStr = meta.value()?.parse()?;
    match order.value().as_str() {
        "emission" | "arrival" => Ok(quote!(.set("order", #order))),
        _ => Err(Error::new_spanned(&order, "unknown order: use `emission` (as the fan-out returned them) or `arrival`")),
    }
}

/// `name(key = value, …)` as a JSON object.
fn object(name: &str, meta: &ParseNestedMeta, allowed: &[&str]) -> Result<TokenStream> {
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let form = format!("`{name}` is given as `{name}({} = …)`, with any of `{}`", allowed[0], allowed.join("`, `"));
    if !meta.input.peek(token::Paren) {
        return Err(meta.error(form));
    }
    meta.parse_nested_meta(|meta| {
        if !meta.input.peek(Token![=]) {
            return Err(meta.error(&form));
        }
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        if !allowed.contains(&key.as_str()) {
            return Err(meta.error(format!("unknown attribute of `{name}`: use `{}`", allowed.join("`, `"))));
        }
        keys.push(key);
        values.push(meta.value()?.parse::<Expr>()?);
        Ok(())
    })?;
    Ok(quote!(.set(#name, ::wf_guest::serde_json::json!({ #(#keys: #values),* }))))
}

/// The types that an option lists.
pub(super) fn paths(meta: &ParseNestedMeta) -> Result<Vec<Path>> {
    let mut paths = Vec::new();
    meta.parse_nested_meta(|meta| {
        paths.push(meta.path.clone());
        Ok(())
    })?;
    Ok(paths)
}

/// The doc comment, as one text.
pub(super) fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|it| it.path().is_ident("doc")).filter_map(|it| match &it.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
