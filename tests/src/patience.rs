//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Longest that anything in these tests may take. Far more than it needs: the machine may be busy.
pub const DEADLINE: Duration = Duration::from_secs(240);

/// Between two looks at a condition.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// Looks until there is a value; panics with `what` when the deadline has passed.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(begun.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The same for code without async.
pub fn until_blocking<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(begun.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        std::thread::sleep(PAUSE);
    }
}

/// A future that must be ready before the deadline.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {DEADLINE:?}"),
    }
}
