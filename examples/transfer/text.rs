//! Text that customers type, and dates as one reads them.

use std::time::{Duration, SystemTime};

/// What was typed, without blanks around it; none if it is too much, or cannot be shown in one line.
pub(crate) fn line(typed: &str, max_chars: usize) -> Option<String> {
    let text = typed.trim();
    let fits = text.chars().count() <= max_chars && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// Such as "25 November 2026, 13:40 UTC".
pub(crate) fn moment(time: SystemTime) -> String {
    let seconds = seconds(time);
    format!("{}, {:02}:{:02} UTC", date(time), seconds / 3600 % 24, seconds / 60 % 60)
}

/// Such as "25 Nov".
pub(crate) fn short_date(time: SystemTime) -> String {
    let date = date(time);
    let mut words = date.split(' ');
    let (day, month) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    format!("{day} {}", month.get(..3).unwrap_or(month))
}

/// Such as "25 November 2026".
pub(crate) fn date(time: SystemTime) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    // Years that begin with March end with the odd day.
    let days = seconds(time) / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year + u64::from(month >= 10);
    format!("{day} {} {year}", MONTHS[usize::try_from((month + 2) % 12).unwrap_or_default()])
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// How long something took, as one says it.
pub(crate) fn span(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes {
        0 => "under a minute".to_owned(),
        1 => "a minute".to_owned(),
        2..120 => format!("{minutes} minutes"),
        120..2880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1 January 1970, 00:00 UTC"),
            (951_782_399, "28 February 2000, 23:59 UTC"),
            (951_782_400, "29 February 2000, 00:00 UTC"),
            (951_868_800, "1 March 2000, 00:00 UTC"),
            (1_798_761_599, "31 December 2026, 23:59 UTC"),
            (4_107_542_400, "1 March 2100, 00:00 UTC"),
        ] {
            assert_eq!(moment(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), shown);
        }
    }
}
