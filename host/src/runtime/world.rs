//! What a guest asks of the world around it: its variables, as its attempt has them, and its folders.

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::cli::environment;
use wasmtime_wasi::p2::bindings::filesystem::preopens;

use super::guest::Guest;

pub(super) struct World<'a>(pub &'a mut Guest);

pub(super) struct HasWorld;

impl HasData for HasWorld {
    type Data<'a> = World<'a>;
}

impl environment::Host for World<'_> {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.0.context.as_mut().map_or(Ok(Vec::new()), |context| context.variables())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}

impl preopens::Host for World<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let folders = preopens::Host::get_directories(&mut self.0.filesystem())?;
        // Some languages ask as they begin, others once a path is to be opened; they fail by themselves where nothing holds it.
        if let Some(context) = self.0.context.as_mut().filter(|_| folders.is_empty()) {
            context.looks_for_folders();
        }
        Ok(folders)
    }
}
