//! What a workflow may import and is never granted.

use wasmtime::component::{Linker, Val};
use wasmtime_wasi::p2::bindings::sockets::network::Network;

use super::guest::Guest;

/// What takes the place of sockets.
pub(super) const NO_SOCKETS: &str = "sockets are never granted: use `wf:workflow/http`, which the SDKs have, or `wasi:http`, and grant the host by `allow_http` of `[workflows.NAME]` in wf-host.toml, or by `--allow-http`";
/// Where sockets and addresses come from, by the version that wasmtime has, and the function that gives them.
const SOCKETS: [(&str, &str); 3] = [
    ("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket"),
    ("wasi:sockets/udp-create-socket@0.2.12", "create-udp-socket"),
    ("wasi:sockets/ip-name-lookup@0.2.12", "resolve-addresses"),
];

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
