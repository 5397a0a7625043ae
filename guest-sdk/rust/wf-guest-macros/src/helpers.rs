//! What a step does by way of the other methods of its block.

use std::collections::{BTreeMap, BTreeSet};

use syn::{ImplItem, ItemImpl};

use super::outgoing::{self, Outgoing};
use super::returned::Returned;

/// The methods of a block, by name.
pub(super) struct Methods(BTreeMap<String, Outgoing>);

impl Methods {
    pub(super) fn of(item: &ItemImpl) -> Methods {
        let methods = item.items.iter().filter_map(|item| if let ImplItem::Fn(method) = item { Some(method) } else { None });
        let returned = Returned::of(item);
        Methods(methods.map(|method| (method.sig.ident.to_string(), outgoing::of(method, &returned))).collect())
    }

    /// All that a method does, itself or through others.
    pub(super) fn outgoing(&self, name: &str) -> Outgoing {
        let mut all = Outgoing::default();
        let (mut seen, mut next) = (BTreeSet::new(), vec![name.to_owned()]);
        while let Some(name) = next.pop() {
            let Some(found) = self.0.get(&name) else { continue };
            if seen.insert(name) {
                all.add(found);
                next.extend(found.calls.iter().map(ToString::to_string));
            }
        }
        all
    }
}
