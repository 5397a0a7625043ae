//! What a workflow may import and is never granted: stubs with nothing behind them.

use wasmtime::component::types::{Component, ComponentItem, Type};
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Val};
use wasmtime::{Engine, StoreContextMut};

use super::guest::Guest;
use wasmtime_wasi::p2::bindings::sockets::network::Network;

/// The interfaces that are answered so.
const PREFIX: &str = "wasi:http/";
/// What a request is answered with, and says why.
const INTERNAL: &str = "internal-error";
/// What takes the place of requests that nobody would record.
const NO_HTTP: &str = "this host lets no request of `wasi:http` out: use `wf:workflow/http`, which the SDKs have, and grant the host by `allow_http` of `[workflows.NAME]` in wf-host.toml, or by `--allow-http`";
/// What takes the place of sockets.
pub(super) const NO_SOCKETS: &str = "sockets are never granted: use `wf:workflow/http`, which the SDKs have, and grant the host by `allow_http` of `[workflows.NAME]` in wf-host.toml, or by `--allow-http`";
/// Where sockets and addresses come from, by the version that wasmtime has, and the function that gives them.
const SOCKETS: [(&str, &str); 3] = [
    ("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket"),
    ("wasi:sockets/udp-create-socket@0.2.12", "create-udp-socket"),
    ("wasi:sockets/ip-name-lookup@0.2.12", "resolve-addresses"),
];

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

/// Refuses sockets, and takes note that one was asked for: the error that a guest gets is a number alone.
pub(super) fn no_sockets(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    for (interface, item) in SOCKETS {
        linker.instance(interface)?.func_new(item, |mut store, _, arguments, results| {
            for argument in arguments {
                if let Val::Resource(network) = argument {
                    network.try_into_resource::<Network>(&mut store)?;
                }
            }
            store.data_mut().wants_sockets = true;
            results.fill(Val::Result(Err(Some(Box::new(Val::Enum("access-denied".to_owned()))))));
            Ok(())
        })?;
    }
    Ok(())
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
#[error("`{0}` is not granted: {NO_HTTP}")]
pub(super) struct NotGranted(String);

/// The error that says so, where a type has it.
fn answer(what: &Type) -> Option<Val> {
    let Type::Result(result) = what else { return None };
    let Some(Type::Variant(error)) = result.err() else { return None };
    let case = error.cases().find(|case| case.name == INTERNAL)?;
    let Some(Type::Option(_)) = case.ty else { return None };
    let why = Val::Option(Some(Box::new(Val::String(NO_HTTP.to_owned()))));
    Some(Val::Result(Err(Some(Box::new(Val::Variant(INTERNAL.to_owned(), Some(Box::new(why))))))))
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
