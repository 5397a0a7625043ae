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

/// A time as text: `2026-11-23T06:38:23.279795+00:00`, with fewer digits, with `Z`, with another offset, or its day alone,
/// which is when that begins in UTC. None: it is no such text, or before 1970.
pub fn read_utc(text: &str) -> Option<Micros> {
    let (day, rest) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(day, "-", [4, 2, 2])?;
    let days = (1..=12).contains(&month).then(|| days(year, month, day))?;
    if date(days) != (year, month, day) {
        return None;
    }
    let Some(rest) = rest.strip_prefix(['T', 't', ' ']) else { return rest.is_empty().then_some(days * 86_400_000_000) };
    let (clock, rest) = rest.split_at_checked(8)?;
    let [hour, minute, second] =
        numbers(clock, ":", [2, 2, 2]).filter(|[hour, minute, second]| *hour < 24 && *minute < 60 && *second < 60)?;
    let digits = rest.strip_prefix('.').map_or(0, |it| it.bytes().take_while(u8::is_ascii_digit).count());
    let (fraction, offset) = if digits == 0 { ("", rest) } else { rest[1..].split_at(digits) };
    let micros = format!("{:0<6}", fraction.get(..6).unwrap_or(fraction)).parse::<u64>().ok()?;
    let minutes = match offset {
        "Z" | "z" | "" => 0,
        _ => {
            let [hours, minutes] = numbers(offset.get(1..)?, ":", [2, 2]).filter(|[hours, minutes]| *hours < 24 && *minutes < 60)?;
            let sign = match offset.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            sign * i64::try_from(hours * 60 + minutes).ok()?
        }
    };
    let seconds = (days * 86_400 + hour * 3600 + minute * 60 + second).checked_add_signed(-minutes * 60)?;
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

/// Numbers of so many digits each.
fn numbers<const COUNT: usize>(text: &str, between: &str, digits: [usize; COUNT]) -> Option<[u64; COUNT]> {
    let mut parts = text.split(between);
    let mut numbers = [0; COUNT];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|it| it.len() == digits && it.bytes().all(|it| it.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// The days from 1970-01-01 to a date, the other way round; 0 where that is later.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
    let (era, year) = (year / 400, year % 400);
    let day = (153 * month + 2) / 5 + day.saturating_sub(1) + 365 * year + year / 4 - year / 100;
    (era * 146_097 + day).saturating_sub(719_468)
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
    fn times_are_read_as_they_are_written_and_as_people_write_them() {
        for at in [0, 951_782_400_000_001, 1_795_415_903_279_795, 4_107_542_399_999_999] {
            assert_eq!(read_utc(&utc_text(at)), Some(at));
        }
        let noon = Some(1_795_435_200_000_000);
        for text in ["2026-11-23T12:00:00Z", "2026-11-23T12:00:00", "2026-11-23 13:30:00.0+01:30", "2026-11-23T04:00:00.000000999-08:00"] {
            assert_eq!(read_utc(text), noon, "{text}");
        }
        assert_eq!(read_utc("2026-11-23"), Some(1_795_392_000_000_000));
        for text in
            ["", "2026", "2026-02-30", "2026-13-01", "2026-11-23T25:00:00Z", "2026-11-23T1:00:00Z", "2026-11-23T12:00:00+1", "1969-12-31"]
        {
            assert_eq!(read_utc(text), None, "{text}");
        }
        for text in ["2026-11-2\u{e9}3", "2026-11-23T12:00:00\u{e9}", "2026-11-23T12:00:00+\u{e9}1:00", "+026-11-23"] {
            assert_eq!(read_utc(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_that_are_no_time_are_none() {
        assert_eq!(micros(0.3), 300_000);
        assert_eq!(micros(-1.0), 0);
        assert_eq!(micros(f64::NAN), 0);
        assert_eq!(micros(f64::INFINITY), Micros::MAX);
    }
}
