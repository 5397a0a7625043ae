//! What every room speaks of. It names none of them, only the engine.

mod envelope;
mod frame;
mod grants;
mod limits;
mod pattern;
mod refusal;
mod request;
mod run;
mod waiting;
pub(crate) mod work;
mod workflow;

pub use envelope::{Fields, UNDECLARED, envelope};
pub use frame::Frame;
pub use grants::{Asked, Folder, Granted, Grants, Secret, Source};
pub use limits::Limits;
pub use pattern::Pattern;
pub use refusal::Refusal;
pub(crate) use request::unfit_id;
pub use request::{Filter, Idempotency, RunsFilter, RunsOrder, RunsPlace, Start, Target};
pub use run::{RunStatus, RunView};
pub(crate) use waiting::{awaits, waiting, waiting_before};
pub use wf_engine::run::Awaits;
pub use workflow::{ComponentView, Workflow, unnamed_types};
