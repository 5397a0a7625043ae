//! Whether a JSON text can be read back, by any reader: what the grammar of JSON lets through and
//! many readers do not.

use std::collections::BTreeSet;

use super::{DEPTH_MAX, Refused, shown};
use crate::json::{Decimal, Token, Tokens};

/// Names that serde_json keeps to itself: it reads an object that begins with one as another value.
pub(super) const RESERVED: &str = "$serde_json::private::";

/// Checks a text that is known to be JSON, in one pass.
pub(super) fn check(what: &str, text: &str) -> Result<(), Refused> {
    // The names in each open object or list, the innermost last.
    let mut open: Vec<BTreeSet<String>> = Vec::new();
    for token in Tokens::of(text) {
        match token {
            Token::Object | Token::List if open.len() == DEPTH_MAX.max => {
                return Err(DEPTH_MAX.refused(format!("{what} is more than {} deep", DEPTH_MAX.max)));
            }
            Token::Object | Token::List => open.push(BTreeSet::new()),
            Token::Close => drop(open.pop()),
            Token::Key(name) => field(what, string(what, name)?, open.last_mut())?,
            Token::Scalar(scalar) if scalar.starts_with('"') => drop(string(what, scalar)?),
            Token::Scalar(scalar) => number(what, scalar)?,
        }
    }
    Ok(())
}

/// What a string stands for.
fn string(what: &str, string: &str) -> Result<String, Refused> {
    let stands_for = serde_json::from_str(string);
    stands_for.map_err(|_| Refused::invalid(format!("{what} has the text {}, which is half of a surrogate pair", shown(string))))
}

fn field(what: &str, name: String, others: Option<&mut BTreeSet<String>>) -> Result<(), Refused> {
    if name.starts_with(RESERVED) {
        return Err(Refused::invalid(format!("{what} has the field `{}`, a name that is reserved", shown(&name))));
    }
    match others {
        Some(others) if others.contains(&name) => Err(Refused::invalid(format!("{what} has the field `{}` twice", shown(&name)))),
        Some(others) => {
            others.insert(name);
            Ok(())
        }
        None => Ok(()),
    }
}

/// A number or a word.
fn number(what: &str, scalar: &str) -> Result<(), Refused> {
    if matches!(scalar, "null" | "true" | "false") {
        return Ok(());
    }
    if serde_json::from_str::<f64>(scalar).is_err() || Decimal::parse(scalar).is_none() {
        return Err(Refused::invalid(format!("{what} has the number {}, which is beyond a double", shown(scalar))));
    }
    Ok(())
}
