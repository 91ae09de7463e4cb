//! Text that customers type, and where it may lead.

use serde::Deserialize;
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

/// A path of this shop, to go on to: never another site, whatever a form says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LocalPath(String);

impl LocalPath {
    const MAX_LEN: usize = 200;

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LocalPath {
    type Error = &'static str;

    fn try_from(path: String) -> Result<Self, Self::Error> {
        // Browsers read "//host" and "/\host" as another site, and skip tabs and line breaks while they look for it.
        let is_local = path.starts_with('/') && !path.starts_with("//");
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if is_local && is_plain && path.len() <= Self::MAX_LEN {
            Ok(Self(path))
        } else {
            Err("not a path of this shop")
        }
    }
}

impl From<&'static str> for LocalPath {
    fn from(path: &'static str) -> Self {
        Self(path.to_owned())
    }
}
