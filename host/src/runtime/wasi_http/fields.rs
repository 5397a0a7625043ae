//! Headers.

use reqwest::header::{HeaderName, HeaderValue};
use wasmtime::component::Resource;

use super::bindings::{HeaderError, types};
use super::held::{Exceeded, Held, Room};
use crate::runtime::guest::Guest;

/// What one costs beside its text, in bytes.
const COST: usize = 64;

/// Names and values, in order.
pub struct Fields {
    pub(super) all: Vec<(String, Vec<u8>)>,
    /// They belong to a request or an answer.
    fixed: bool,
    held: Held,
}

impl Fields {
    /// Those of a request or an answer.
    pub(super) fn fixed(room: &Room, all: Vec<(String, Vec<u8>)>) -> Result<Fields, Exceeded> {
        let size = all.iter().map(|(name, value)| name.len() + value.len() + COST).sum::<usize>();
        Ok(Fields { all, fixed: true, held: room.take(size + COST)? })
    }

    pub(super) fn copy(&self) -> Result<Fields, Exceeded> {
        Fields::fixed(self.held.room(), self.all.clone())
    }

    /// As they are from here on.
    pub(super) fn fix(mut self) -> Fields {
        self.fixed = true;
        self
    }

    /// The outer error ends the attempt.
    fn add(&mut self, name: &str, value: Vec<u8>) -> Result<Result<(), HeaderError>, Exceeded> {
        if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_bytes(&value).is_err() {
            return Ok(Err(HeaderError::InvalidSyntax));
        }
        self.held.grow(name.len() + value.len() + COST)?;
        self.all.push((name.to_owned(), value));
        Ok(Ok(()))
    }

    fn change(&mut self) -> Result<&mut Fields, HeaderError> {
        if self.fixed { Err(HeaderError::Immutable) } else { Ok(self) }
    }
}

impl types::HostFields for Guest {
    fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        let fields = Fields { fixed: false, ..Fields::fixed(&self.http.room, Vec::new())? };
        Ok(self.table.push(fields)?)
    }

    fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> wasmtime::Result<Result<Resource<Fields>, HeaderError>> {
        let mut fields = Fields { fixed: false, ..Fields::fixed(&self.http.room, Vec::new())? };
        for (name, value) in entries {
            if let Err(error) = fields.add(&name, value)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(self.table.push(fields)?))
    }

    fn get(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        let all = self.table.get(&fields)?.all.iter();
        Ok(all.filter(|(own, _)| own.eq_ignore_ascii_case(&name)).map(|(_, value)| value.clone()).collect())
    }

    fn has(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<bool> {
        Ok(self.table.get(&fields)?.all.iter().any(|(own, _)| own.eq_ignore_ascii_case(&name)))
    }

    fn set(&mut self, fields: Resource<Fields>, name: String, values: Vec<Vec<u8>>) -> wasmtime::Result<Result<(), HeaderError>> {
        let fields = match self.table.get_mut(&fields)?.change() {
            Ok(fields) => fields,
            Err(error) => return Ok(Err(error)),
        };
        fields.all.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
        for value in values {
            if let Err(error) = fields.add(&name, value)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    fn delete(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<Result<(), HeaderError>> {
        let fields = self.table.get_mut(&fields)?.change();
        Ok(fields.map(|fields| fields.all.retain(|(own, _)| !own.eq_ignore_ascii_case(&name))))
    }

    fn append(&mut self, fields: Resource<Fields>, name: String, value: Vec<u8>) -> wasmtime::Result<Result<(), HeaderError>> {
        match self.table.get_mut(&fields)?.change() {
            Ok(fields) => Ok(fields.add(&name, value)?),
            Err(error) => Ok(Err(error)),
        }
    }

    fn entries(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> {
        Ok(self.table.get(&fields)?.all.clone())
    }

    fn clone(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Resource<Fields>> {
        let copy = Fields { fixed: false, ..self.table.get(&fields)?.copy()? };
        Ok(self.table.push(copy)?)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> wasmtime::Result<()> {
        self.table.delete(fields)?;
        Ok(())
    }
}
