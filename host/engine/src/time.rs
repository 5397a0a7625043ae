//! Seconds, microseconds and dates.

use crate::entry::Micros;

/// Seconds as microseconds: at least 0, at most what fits; 0 where it is no number.
pub(crate) fn micros(seconds: f64) -> Micros {
    (seconds * 1e6).round() as Micros
}

/// Microseconds as seconds.
pub(crate) fn seconds(micros: Micros) -> f64 {
    micros as f64 / 1e6
}

/// A time in UTC as text: `2026-11-23T06:38:23.279795+00:00`.
pub fn utc_text(at: Micros) -> String {
    let (whole, fraction) = (at / 1_000_000, at % 1_000_000);
    let (days, second) = (whole / 86_400, whole % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}+00:00")
}

/// The Gregorian date of a day since 1970-01-01. Years are counted from March, so that the leap
/// day is their last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (era * 400 + year, month + 3) } else { (era * 400 + year + 1, month - 9) };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_microseconds() {
        assert_eq!(utc_text(0), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(utc_text(951_782_400_000_001), "2000-02-29T00:00:00.000001+00:00");
        assert_eq!(utc_text(1_795_415_903_279_795), "2026-11-23T06:38:23.279795+00:00");
        assert_eq!(utc_text(4_107_542_399_999_999), "2100-02-28T23:59:59.999999+00:00");
    }

    #[test]
    fn seconds_that_are_no_time_are_none() {
        assert_eq!(micros(0.3), 300_000);
        assert_eq!(micros(-1.0), 0);
        assert_eq!(micros(f64::NAN), 0);
        assert_eq!(micros(f64::INFINITY), Micros::MAX);
    }
}
