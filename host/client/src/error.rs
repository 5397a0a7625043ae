//! Why a call gave nothing.

use std::io;
use std::time::Duration;

/// No server is believed that wants to be asked again later than this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

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
    /// What was given as an API key is none.
    #[error("this is no API key: {0}")]
    Key(String),
    /// What was given to be trusted is no certificate.
    #[error("this is no certificate: {0}")]
    Certificate(String),
    /// No connection, or it broke.
    #[error("no answer from the server: {0}")]
    Connection(String),
    /// What answers speaks no TLS, or shows no certificate that is trusted.
    #[error("no answer from the server: {0}")]
    Untrusted(String),
    /// The server takes no requests at the moment: it starts or stops, or its store refuses.
    #[error("{detail}")]
    Unavailable {
        /// What it said.
        detail: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
        /// The handler of the run that was waited for: it was begun, and goes on.
        handler_id: Option<String>,
    },
    /// The server was asked too often.
    #[error("{detail}")]
    TooMany {
        /// What it said.
        detail: String,
        /// When it wants to be asked again.
        retry_after: Duration,
    },
    /// The server said no.
    #[error("{detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// The run whose result was asked for has failed.
    #[error("the run of `{handler_id}` failed: {detail}")]
    Failed {
        /// Its handler.
        handler_id: String,
        /// Why.
        detail: String,
    },
    /// The run whose result was asked for was cancelled.
    #[error("the run of `{handler_id}` was cancelled")]
    Cancelled {
        /// Its handler.
        handler_id: String,
    },
    /// What came, or was to be sent, is not what it should be.
    #[error("not understood: {0}")]
    Form(String),
}

impl Error {
    pub(crate) fn connection(error: reqwest::Error) -> Error {
        // The cause says more than what it was wrapped in.
        let mut cause: &(dyn std::error::Error + 'static) = &error;
        let mut untrusted = false;
        while let Some(inner) = cause.source() {
            cause = inner;
            untrusted |= is_invalid(cause);
        }
        if untrusted { Error::Untrusted(cause.to_string()) } else { Error::Connection(cause.to_string()) }
    }

    /// How long to wait at least.
    pub(crate) fn retry_after(&self) -> Duration {
        match self {
            Error::Unavailable { retry_after: Some(pause), .. } | Error::TooMany { retry_after: pause, .. } => {
                (*pause).min(RETRY_AFTER_MAX)
            }
            _ => Duration::ZERO,
        }
    }

    /// Whether the same call could do better later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Error::Connection(_) | Error::Unavailable { .. } | Error::TooMany { .. })
    }
}

/// So TLS calls what it does not believe.
fn is_invalid(error: &(dyn std::error::Error + 'static)) -> bool {
    let invalid = |error: &io::Error| error.kind() == io::ErrorKind::InvalidData || error.get_ref().is_some_and(|it| is_invalid(it));
    error.downcast_ref().is_some_and(invalid)
}
