//! JSON as it came.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Error, Result};

/// JSON as it came: a `Value` rounds long numbers. Shown, it is its text; equal are equal texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Of a value of one's own.
    pub fn of(value: impl Serialize) -> Result<Json> {
        to_raw_value(&value).map(Json).map_err(|error| Error::Form(error.to_string()))
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// As a type of one's own.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.text()).map_err(|error| Error::Form(error.to_string()))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

impl fmt::Display for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl From<Box<RawValue>> for Json {
    fn from(text: Box<RawValue>) -> Json {
        Json(text)
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Json {
        Json::of(value).expect("a value is JSON")
    }
}
