//! Where a form may lead.

use serde::Deserialize;

/// A path of this site, to go on to: never another site, whatever a form says.
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
            Err("not a path of this site")
        }
    }
}

impl From<&'static str> for LocalPath {
    fn from(path: &'static str) -> Self {
        Self(path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::LocalPath;

    #[test]
    fn nothing_leads_to_another_site() {
        for path in ["//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "evil", ""] {
            assert!(LocalPath::try_from(path.to_owned()).is_err(), "{path:?}");
        }
        assert!(LocalPath::try_from("/transfer/amount".to_owned()).is_ok());
    }
}
