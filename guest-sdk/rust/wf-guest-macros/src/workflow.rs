//! `#[workflow]` and its `#[step]`s.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, ImplItem, ImplItemFn, ItemImpl, Lit, LitStr, Meta, Path, Result, ReturnType, Type, token,
};

const OPTIONS: &str = "`name`, `version`, `timeout` or `additional_events(A, B)`";
const STEP_OPTIONS: &str = "`num_workers`, `timeout`, `subtypes`, `sends(A, B)`, `retry(…)` or `catch_error(…)`";
const RETRY_KEYS: [&str; 8] = ["delay", "attempts_max", "backoff", "delay_max", "factor", "jitter", "elapsed_max", "kinds"];

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
    let mut steps = Vec::new();
    for method in item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    }) {
        if let Some(place) = method.attrs.iter().position(|it| it.path().is_ident("step")) {
            let attribute = method.attrs.remove(place);
            steps.push(step(&attribute, method)?);
        }
    }
    if steps.is_empty() {
        return Err(Error::new_spanned(&item.self_ty, "a workflow has at least one step: mark a method with `#[step]`"));
    }
    two_starts(&steps)?;
    let manifests = steps.iter().map(|step| &step.manifest);
    let arms = steps.iter().map(|step| &step.arm);
    let component = format_ident!("{ident}Component");
    let self_ty = &item.self_ty;
    Ok(quote! {
        #item

        const _: () = {
            impl ::wf_guest::Workflow for #self_ty {
                fn describe() -> String {
                    ::wf_guest::generated::Manifest::new(#name, #description)#(#sets)*#(.step(#manifests))*.json()
                }

                fn invoke(step: &str, events: Vec<::wf_guest::RawEvent>) -> ::wf_guest::Result<Vec<::wf_guest::RawEvent>> {
                    let workflow = #self_ty;
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

struct Step {
    manifest: TokenStream,
    arm: TokenStream,
    starts: Vec<Type>,
}

fn step(attribute: &Attribute, method: &ImplItemFn) -> Result<Step> {
    let signature = &method.sig;
    let (ident, name) = (&signature.ident, signature.ident.to_string());
    let wanted = "a step is `fn name(&self, context: &Context, event: Type) -> Result<Type>`";
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
    let options = step_options(attribute)?;
    let description = description(&method.attrs);
    // Spans of the author's types, so that a type that is no event is pointed at.
    let input = types.iter().map(|ty| quote_spanned!(ty.span()=> .input::<#ty>()));
    let result = quote_spanned!(output.span()=> .output::<#output>());
    let manifest = quote!(::wf_guest::generated::StepManifest::new(#name, #description)#(#input)* #result #(#options)*);
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

fn step_options(attribute: &Attribute) -> Result<Vec<TokenStream>> {
    let mut options = Vec::new();
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(options);
    }
    attribute.parse_nested_meta(|meta| {
        match meta.path.get_ident().map(ToString::to_string).as_deref() {
            Some(key @ ("num_workers" | "timeout")) => {
                let value: Lit = meta.value()?.parse()?;
                options.push(quote!(.set(#key, #value)));
            }
            Some("subtypes") => options.push(quote!(.set("subtypes", true))),
            Some("sends") => options.extend(paths(&meta)?.into_iter().map(|path| quote!(.sends::<#path>()))),
            Some("retry") => options.push(object("retry", &meta, &RETRY_KEYS)?),
            Some("catch_error") if !meta.input.peek(token::Paren) => {
                options.push(quote!(.set("catch_error", ::wf_guest::serde_json::json!({}))));
            }
            Some("catch_error") => options.push(object("catch_error", &meta, &["steps", "max_recoveries"])?),
            _ => return Err(meta.error(format!("unknown attribute: use {STEP_OPTIONS}"))),
        }
        Ok(())
    })?;
    Ok(options)
}

/// `name(key = value, …)` as a JSON object.
fn object(name: &str, meta: &ParseNestedMeta, allowed: &[&str]) -> Result<TokenStream> {
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    meta.parse_nested_meta(|meta| {
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

fn paths(meta: &ParseNestedMeta) -> Result<Vec<Path>> {
    let mut paths = Vec::new();
    meta.parse_nested_meta(|meta| {
        paths.push(meta.path.clone());
        Ok(())
    })?;
    Ok(paths)
}

/// The doc comment, as one text.
fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|it| it.path().is_ident("doc")).filter_map(|it| match &it.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
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
