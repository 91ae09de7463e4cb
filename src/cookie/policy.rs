//! Names and attributes.

use crate::error::ConfigError;
use crate::keyring::Purpose;

/// On which requests from other sites browsers send the cookies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// On none. Who follows a link from elsewhere arrives without a session.
    Strict,
    /// Only when a link is followed to a page. The default.
    #[default]
    Lax,
    /// On all: for pages that are framed by other sites.
    None,
}

/// The cookies that a layer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieKind {
    Visitor,
    Anonymous,
    SignedIn,
}

impl CookieKind {
    pub(crate) const ALL: [Self; 3] = [Self::Visitor, Self::Anonymous, Self::SignedIn];

    pub(crate) fn purpose(self) -> Purpose {
        match self {
            Self::Visitor => Purpose::Visitor,
            Self::Anonymous => Purpose::Anonymous,
            Self::SignedIn => Purpose::SignedIn,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Anonymous => "session",
            Self::SignedIn => "login",
        }
    }
}

/// How all cookies of a layer are named and which attributes they carry.
#[derive(Clone, Debug)]
pub(crate) struct CookiePolicy {
    pub(crate) same_site: SameSite,
    pub(crate) domain: Option<String>,
    /// Without `Secure`, for plain HTTP.
    pub(crate) insecure: bool,
    /// Whether session cookies outlive the browser's run.
    pub(crate) persistent: bool,
    /// One for each [`CookieKind`].
    names: [String; 3],
}

impl CookiePolicy {
    pub(crate) fn new(realm: &str) -> Self {
        let mut policy = Self {
            same_site: SameSite::Lax,
            domain: None,
            insecure: false,
            persistent: false,
            names: Default::default(),
        };
        policy.rename(realm);
        policy
    }

    pub(crate) fn name(&self, kind: CookieKind) -> &str {
        &self.names[kind as usize]
    }

    pub(crate) fn names(&self) -> &[String; 3] {
        &self.names
    }

    /// Sets the names after a change of what they depend on.
    ///
    /// `__Host-Http-` (draft-ietf-httpbis-layered-cookies) makes browsers refuse such a cookie from a subdomain, from a
    /// script or over plain HTTP; browsers that do not know it still apply the rules of `__Host-`.
    pub(crate) fn rename(&mut self, realm: &str) {
        let prefix = match (self.insecure, &self.domain) {
            (true, _) => "",
            (false, Some(_)) => "__Http-",
            (false, None) => "__Host-Http-",
        };
        let realm = if realm.is_empty() { String::new() } else { format!("{realm}-") };
        self.names = CookieKind::ALL.map(|kind| format!("{prefix}{realm}{}", kind.suffix()));
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), ConfigError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=32).contains(&name.len()) && name.bytes().all(allowed);
    if fits { Ok(()) } else { Err(ConfigError::Name(name.to_owned())) }
}

pub(crate) fn check_domain(domain: &str) -> Result<(), ConfigError> {
    let label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label);
    if fits { Ok(()) } else { Err(ConfigError::Domain(domain.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_names() {
        let mut policy = CookiePolicy::new("");
        assert_eq!(policy.names(), &["__Host-Http-visitor", "__Host-Http-session", "__Host-Http-login"]);
        policy.domain = Some("example.com".to_owned());
        policy.rename("admin");
        assert_eq!(policy.names(), &["__Http-admin-visitor", "__Http-admin-session", "__Http-admin-login"]);
        policy.insecure = true;
        policy.rename("");
        assert_eq!(policy.names(), &["visitor", "session", "login"]);
    }

    #[test]
    fn names_and_domains_that_would_break_a_header_are_refused() {
        for name in ["", "Admin", "a b", "a;b", "a=b", "a\r\nb", "ä", &"x".repeat(33)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for domain in ["", "localhost", "example.com:80", ".example.com", "exa mple.com", "a..b", "a.b; Secure", "-a.b"]
        {
            assert!(check_domain(domain).is_err(), "{domain:?}");
        }
        assert!(check_name("admin-2").is_ok() && check_domain("shop.example.com").is_ok());
        assert!(check_name(&"x".repeat(32)).is_ok());
    }

    #[test]
    fn labels_and_domains_are_as_long_as_dns_allows() {
        let longest =
            [&"a".repeat(63), &"b".repeat(63), &"c".repeat(63), &"d".repeat(61)].map(String::as_str).join(".");
        assert_eq!(longest.len(), 253);
        assert!(check_domain(&longest).is_ok());
        assert!(check_domain(&format!("{longest}d")).is_err());
        assert!(check_domain(&format!("{}.com", "a".repeat(64))).is_err());
        assert!(check_domain("example-.com").is_err() && check_domain("ex-ample.com").is_ok());
    }
}
