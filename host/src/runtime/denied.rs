//! What a workflow may import and is not granted: stubs with nothing behind them.

use wasmtime::component::types::{Component, ComponentItem, Type};
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Val};
use wasmtime::{Engine, StoreContextMut};

use super::guest::Guest;

/// Interfaces that need a grant. There is none yet.
const PREFIX: &str = "wasi:http/";
/// What a request is answered with.
const DENIED: &str = "HTTP-request-denied";

/// What a handle to what is not there stands for.
struct Nothing;

/// Links whatever a component imports and is not granted. A request is answered with "denied"; whatever else can be
/// answered has no content, and the rest ends the attempt. The host keeps nothing of it.
pub(super) fn link(linker: &mut Linker<Guest>, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    let mut known: Vec<ResourceType> = Vec::new();
    for (name, import) in component.imports(engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else { continue };
        let denied = name.starts_with(PREFIX);
        for (item, what) in interface.exports(engine) {
            match what.ty {
                // One of another interface that is only named here: it is linked where it is from.
                ComponentItem::Resource(resource) if known.contains(&resource) => (),
                ComponentItem::Resource(resource) => {
                    known.push(resource);
                    if denied {
                        linker.instance(name)?.resource(item, ResourceType::host::<Nothing>(), |_, _| Ok(()))?;
                    }
                }
                ComponentItem::ComponentFunc(_) if denied => stub(&mut linker.instance(name)?, item, format!("{name}#{item}"))?,
                _ => (),
            }
        }
    }
    Ok(())
}

fn stub(interface: &mut LinkerInstance<'_, Guest>, item: &str, called: String) -> wasmtime::Result<()> {
    interface.func_new(item, move |mut store, function, arguments, results| {
        for argument in arguments {
            take(&mut store, argument).ok_or_else(|| NotGranted(called.clone()))?;
        }
        for (result, what) in results.iter_mut().zip(function.results()) {
            *result = answer(&what).or_else(|| empty(&mut store, &what)).ok_or_else(|| NotGranted(called.clone()))?;
        }
        Ok(())
    })
}

/// Takes the handles that are handed over: what is lent goes back, the rest goes. None: it is one of something else.
fn take(store: &mut StoreContextMut<'_, Guest>, argument: &Val) -> Option<()> {
    match argument {
        Val::Resource(resource) => resource.try_into_resource::<Nothing>(store).ok().map(drop),
        Val::Option(Some(inner)) | Val::Result(Ok(Some(inner))) => take(store, inner),
        _ => Some(()),
    }
}

/// A call that only a grant could answer.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not granted to this workflow: nothing reaches the outside yet")]
pub(super) struct NotGranted(String);

/// The error that says so, where a type has it.
fn answer(what: &Type) -> Option<Val> {
    let Type::Result(result) = what else { return None };
    let Some(Type::Variant(error)) = result.err() else { return None };
    let has = error.cases().any(|case| case.name == DENIED && case.ty.is_none());
    has.then(|| Val::Result(Err(Some(Box::new(Val::Variant(DENIED.to_owned(), None))))))
}

/// A value that says nothing; none where there is no such value.
fn empty(store: &mut StoreContextMut<'_, Guest>, what: &Type) -> Option<Val> {
    Some(match what {
        Type::Bool => Val::Bool(false),
        Type::U8 => Val::U8(0),
        Type::U16 => Val::U16(0),
        Type::U32 => Val::U32(0),
        Type::U64 => Val::U64(0),
        Type::String => Val::String(String::new()),
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Result(result) => {
            let ok = match result.ok() {
                Some(ok) => Some(Box::new(empty(store, &ok)?)),
                None => None,
            };
            Val::Result(Ok(ok))
        }
        Type::Variant(variant) => {
            let case = variant.cases().find(|case| case.ty.is_none())?;
            Val::Variant(case.name.to_owned(), None)
        }
        Type::Own(resource) if *resource == ResourceType::host::<Nothing>() => {
            Val::Resource(ResourceAny::try_from_resource(Resource::<Nothing>::new_own(0), store).ok()?)
        }
        _ => return None,
    })
}
