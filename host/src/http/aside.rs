//! Work that may take long is done aside: whoever answers requests has others to answer.

use warp::http::StatusCode;

use super::error::ApiError;

/// Bodies up to this size are read where they come in, in bytes.
const SMALL: usize = 64 << 10;

/// On a thread that answers nobody.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("a defect of wf-host: {error}")))
}

/// Aside where there is much to do: a large body, or what has not been prepared.
pub(super) async fn perhaps_aside<T: Send + 'static>(
    size: usize,
    prepared: bool,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    if prepared && size <= SMALL { work() } else { aside(work).await? }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn much_work_is_done_on_another_thread() {
        let here = thread::current().id();
        let there = || Ok(thread::current().id());
        assert_eq!(perhaps_aside(SMALL, true, there).await.expect("done"), here);
        assert_ne!(perhaps_aside(SMALL + 1, true, there).await.expect("done"), here);
        assert_ne!(perhaps_aside(0, false, there).await.expect("done"), here);
    }
}
