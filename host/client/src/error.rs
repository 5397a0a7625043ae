//! Why a call gave nothing.

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server's URL is none.
    #[error("`{url}` is no URL of a server: {why}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// No connection, or it broke.
    #[error("no answer from the server: {0}")]
    Connection(String),
    /// The server said no.
    #[error("{detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// What came, or was to be sent, is not what it should be.
    #[error("not understood: {0}")]
    Form(String),
}

impl Error {
    pub(crate) fn connection(error: reqwest::Error) -> Error {
        // The cause says more than what it was wrapped in.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Error::Connection(cause.to_string())
    }

    /// Whether another attempt could do better.
    pub fn is_connection(&self) -> bool {
        matches!(self, Error::Connection(_))
    }
}
