//! Whether a failed attempt is followed by another, and when.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::entry::{Failure, InvocationId, Micros};
use crate::manifest::{Backoff, Retry};
use crate::time;

/// The stream of a ChaCha generator that retries draw from; a guest's own randomness has another.
const STREAM: u64 = u64::from_be_bytes(*b"retrying");

/// A number from -1 to 1 that follows from the run's seed, the invocation and the attempt.
pub(super) fn chance(seed: [u8; 32], id: InvocationId, attempt: u32) -> f64 {
    let mut key = seed;
    let salt = id.to_le_bytes().into_iter().chain(attempt.to_le_bytes());
    key.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    let mut chance = ChaCha8Rng::from_seed(key);
    chance.set_stream(STREAM);
    f64::from(chance.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0
}

impl Retry {
    /// The delay before the next attempt, after so many failures, the last of which is this, in so much time since the
    /// first attempt began; none: there is none. `chance`: from -1 to 1.
    pub(super) fn delay(&self, failure: &Failure, failures: u32, elapsed: Micros, chance: f64) -> Option<Micros> {
        if !failure.retryable || !self.covers(failure) || self.attempts_max.is_some_and(|max| failures >= max) {
            return None;
        }
        let delay = time::micros(failure.retry_after.unwrap_or_else(|| self.delay_after(failures, chance)));
        let in_time = self.elapsed_max.is_none_or(|max| elapsed.saturating_add(delay) < time::micros(max));
        in_time.then_some(delay)
    }

    fn covers(&self, failure: &Failure) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&failure.kind)
    }

    /// Seconds to wait after so many failures.
    fn delay_after(&self, failures: u32, chance: f64) -> f64 {
        if self.delay <= 0.0 {
            return 0.0;
        }
        let delay = match self.backoff {
            Backoff::Constant => self.delay,
            Backoff::Linear => self.delay * f64::from(failures),
            Backoff::Exponential => self.delay * power(self.factor, failures.saturating_sub(1)),
        };
        let longest = self.delay_max.unwrap_or(f64::INFINITY);
        let delay = delay.min(longest);
        (delay + delay * self.jitter.clamp(0.0, 1.0) * chance).min(longest)
    }
}

/// By squaring, because `powi` may differ in its last digits from machine to machine.
fn power(mut base: f64, mut exponent: u32) -> f64 {
    let mut power = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    power
}
