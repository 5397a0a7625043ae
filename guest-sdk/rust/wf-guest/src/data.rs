//! What stands within events.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What can stand within an event: all that serde writes and reads and schemars has a schema for. Derive it on a struct or
/// an enum of your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand within an event",
    label = "is, or holds, what is not made for it",
    note = "put `#[derive(Data)]` on each struct and enum of your own in it; a type of another crate needs serde's and schemars' traits"
)]
pub trait Data {}

// What a type lacks is then this one trait, and not the three.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema> Data for T {}

/// True, or an error of the compiler that says what is missing.
#[doc(hidden)]
pub const fn is_data<T: Data>() -> bool {
    true
}

/// A type that was asked whether it [`is_data`]. Where that is an error, the compiler has nothing more to say of the type.
#[doc(hidden)]
pub struct Checked<T, const DATA: bool>(PhantomData<T>);

#[doc(hidden)]
pub trait Itself {
    type Own;
}

impl<T, const DATA: bool> Itself for Checked<T, DATA> {
    type Own = T;
}
