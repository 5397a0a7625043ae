//! Whatever comes in from outside is refused with its reason or means what it says: nothing panics, nothing hangs.
//!
//! `make fuzz` tries for longer. The settings of `wf-host.toml` have their target beside them, in `cli`.

mod components;
mod journals;
mod requests;
mod texts;
