//! Text that customers type, and how long ago something was.

use std::time::SystemTime;

/// What was typed, without blanks around it; none if nothing is left, or too much, or it cannot be shown in one line.
pub(crate) fn line(typed: &str, max_chars: usize) -> Option<String> {
    let text = typed.trim();
    let fits = !text.is_empty() && text.chars().count() <= max_chars && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// How long ago that was, as one says it.
pub(crate) fn ago(then: SystemTime) -> String {
    let minutes = then.elapsed().unwrap_or_default().as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1 => "a minute ago".to_owned(),
        2..60 => format!("{minutes} minutes ago"),
        60..120 => "an hour ago".to_owned(),
        _ => format!("{} hours ago", minutes / 60),
    }
}
