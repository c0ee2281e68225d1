//! Days of the calendar, as far as an expiry date needs them.
//!
//! No crate: what is wanted is the number of days between two dates and today's date, which is Hinnant's two
//! formulas below; `jiff` and `time` bring time zones, formats and parsers that nothing here would use.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

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

    /// Today by the clock of this machine, in UTC. For the command line only: what is examined, and how, must
    /// not depend on a clock.
    pub fn today() -> Date {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Date { days: since.map_or(0, |d| (d.as_secs() / 86_400) as i64) }
    }
}

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
}
