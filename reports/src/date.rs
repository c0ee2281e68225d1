//! Days and seconds of the calendar, as far as an expiry date needs them.
//!
//! No crate: what is wanted is the number of days between two dates and one way to write a time, which is Hinnant's
//! two formulas below; `jiff` and `time` bring time zones, formats and parsers that nothing here would use. Nothing
//! here asks a clock: whoever needs to know what time it is, is told.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const DAY: i64 = 86_400;

/// A day of the Gregorian calendar, 0001-01-01 to 9999-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Days since 1970-01-01.
    days: i64,
}

impl Date {
    /// The date some days after 1970-01-01.
    pub fn from_days(days: i64) -> Date {
        Date { days }
    }

    /// Days from another date to this one.
    pub fn days_since(self, earlier: Date) -> i64 {
        self.days - earlier.days
    }

    /// The last second of the day.
    pub fn end(self) -> Time {
        Time { seconds: self.days * DAY + DAY - 1 }
    }
}

/// A second in UTC; written `2026-11-22T10:00:00Z` (RFC 3339 without fractions or offsets).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    seconds: i64,
}

impl Time {
    /// The time some seconds after 1970-01-01T00:00:00Z.
    pub fn from_seconds(seconds: i64) -> Time {
        Time { seconds }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// The day, in UTC.
    pub fn date(self) -> Date {
        Date { days: self.seconds.div_euclid(DAY) }
    }

    /// The time some days later.
    pub fn plus_days(self, days: i64) -> Time {
        Time { seconds: self.seconds.saturating_add(days.saturating_mul(DAY)) }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.seconds.rem_euclid(DAY);
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{}T{h:02}:{m:02}:{s:02}Z", self.date())
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Time, String> {
        let error = || format!("expected a time as YYYY-MM-DDThh:mm:ssZ, got `{text}`");
        let (date, clock) = text.split_once('T').ok_or_else(error)?;
        let date: Date = date.parse().map_err(|_| error())?;
        let clock = clock.strip_suffix('Z').ok_or_else(error)?;
        let part = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<i64>().ok()).flatten().ok_or_else(error)
        };
        let parts = clock.split(':').map(part).collect::<Result<Vec<i64>, String>>()?;
        match parts.as_slice() {
            &[h @ 0..24, m @ 0..60, s @ 0..60] => {
                Ok(Time { seconds: date.days * DAY + h * 3600 + m * 60 + s })
            }
            _ => Err(error()),
        }
    }
}

/// Both are written as text.
macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(Date);
as_text!(Time);

/// Days since 1970-01-01 of a date; Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". Years start in March,
/// so that the leap day is the last of them.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let (era, in_era) = (y.div_euclid(400), y.rem_euclid(400));
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468
}

/// Year, month, day; the inverse of [`days_of`].
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, in_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let m = (5 * in_year + 2) / 153;
    let (day, month) = (in_year - (153 * m + 2) / 5 + 1, if m < 10 { m + 3 } else { m - 9 });
    (year + era * 400 + i64::from(month <= 2), month, day)
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Date, String> {
        let error = || format!("expected a date as YYYY-MM-DD, got `{text}`");
        let parts: Vec<&str> = text.split('-').collect();
        let &[year, month, day] = parts.as_slice() else { return Err(error()) };
        let number = |part: &str, width: usize| {
            let digits = part.len() == width && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<i64>().ok()).flatten().filter(|n| *n > 0).ok_or_else(error)
        };
        let date = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
        let days = days_of(date.0, date.1, date.2);
        // 2026-02-30 is some other day; reading it back shows that.
        if civil(days) == date { Ok(Date { days }) } else { Err(error()) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.days);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_each_others_inverse_for_eight_centuries() {
        assert_eq!("1970-01-01".parse::<Date>().unwrap().days, 0);
        assert_eq!("2000-03-01".parse::<Date>().unwrap().days, 11_017);
        for days in days_of(1600, 1, 1)..days_of(2400, 1, 1) {
            let text = Date::from_days(days).to_string();
            assert_eq!(text.parse::<Date>().unwrap().days, days, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "26-01-01",
            "2026-1-1",
            "today",
            "2026-01-01-",
            "+026-01-01",
            "",
        ] {
            assert!(text.parse::<Date>().unwrap_err().contains("YYYY-MM-DD"), "{text}");
        }
        assert!("2024-02-29".parse::<Date>().is_ok());
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for text in ["1970-01-01T00:00:00Z", "2026-11-22T23:59:59Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        }
        let time: Time = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!(time.plus_days(180).to_string(), "2027-05-21T10:00:00Z");
        assert_eq!(time.date().end().to_string(), "2026-11-22T23:59:59Z");
        for text in [
            "2026-11-22",
            "2026-11-22T10:00:00",
            "2026-11-22T24:00:00Z",
            "2026-11-22T1:00:00Z",
            "x",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
