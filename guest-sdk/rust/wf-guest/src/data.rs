//! What stands within events.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

/// What can stand within an event: all that serde writes and reads and schemars has a schema for. Derive it on a struct or
/// an enum of your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand within an event",
    label = "this, or what it holds, is not written and read as JSON by a schema",
    note = "put `#[derive(Data)]` on each struct and enum of your own in it; of another crate's type, serde's and schemars' traits are needed"
)]
pub trait Data {
    /// Itself: the macros ask for it, so that a type that is no such is an error where it stands.
    #[doc(hidden)]
    type Own;
}

// What a type lacks is then one trait and not three.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema> Data for T {
    type Own = T;
}

/// Writes a field, whose type was asked for already.
#[doc(hidden)]
pub fn write<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.serialize(serializer)
}
