//! `wf-host openapi`.

use clap::Args;

use super::Problem;
use super::screen::out;

/// Prints the OpenAPI document of the HTTP API; a server has it at `/api/v1/openapi.json`.
#[derive(Args)]
#[command(after_help = "\
Example:
  wf-host openapi > openapi.json
")]
pub(super) struct Openapi {}

impl Openapi {
    pub(super) fn run(&self) -> Result<(), Problem> {
        out(&format!("{:#}\n", crate::http::openapi()))
    }
}
