//! Dates and identities as messages carry them.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// This moment in UTC, as ISO 8601 with microseconds.
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs(), since.subsec_micros())
}

/// 128 bits from the operating system, as 32 digits.
pub fn random_identity() -> String {
    // Every RandomState has keys of its own, seeded by the operating system.
    let bits = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", bits(), bits())
}

/// Days are counted in eras of 400 years that begin in March, so that a leap day is a year's last.
fn date(seconds: u64, micros: u32) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::{date, random_identity};

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000005Z"),
            (951_782_400, "2000-02-29T00:00:00.000005Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000005Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000005Z"),
        ] {
            assert_eq!(date(seconds, 5), expected);
        }
    }

    #[test]
    fn identities_differ() {
        assert_ne!(random_identity(), random_identity());
        assert_eq!(random_identity().len(), 32);
    }
}
