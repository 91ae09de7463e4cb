//! `Set-Cookie`, and its twin that removes.

use super::policy::{CookieKind, CookiePolicy, SameSite};
use cookie::{Cookie, time};
use http::HeaderValue;
use std::time::Duration;

/// A header that sets a cookie: until the browser ends its run, or for `lifetime`.
pub(crate) fn set(policy: &CookiePolicy, kind: CookieKind, value: String, lifetime: Option<Duration>) -> HeaderValue {
    let mut cookie = with_attributes(policy, kind, value);
    if let Some(lifetime) = lifetime {
        cookie.set_max_age(time::Duration::seconds(lifetime.as_secs().try_into().unwrap_or(i64::MAX)));
    }
    header(&cookie)
}

/// A header that removes a cookie. Repeats every attribute: browsers ignore a removal whose attributes differ.
pub(crate) fn removal(policy: &CookiePolicy, kind: CookieKind) -> HeaderValue {
    let mut cookie = with_attributes(policy, kind, String::new());
    cookie.set_max_age(time::Duration::ZERO);
    cookie.set_expires(time::OffsetDateTime::UNIX_EPOCH);
    header(&cookie)
}

fn with_attributes<'a>(policy: &'a CookiePolicy, kind: CookieKind, value: String) -> Cookie<'a> {
    let same_site = match policy.same_site {
        SameSite::Strict => cookie::SameSite::Strict,
        SameSite::Lax => cookie::SameSite::Lax,
        SameSite::None => cookie::SameSite::None,
    };
    let mut cookie = Cookie::new(policy.name(kind), value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_secure(!policy.insecure);
    cookie.set_same_site(same_site);
    if let Some(domain) = &policy.domain {
        cookie.set_domain(domain);
    }
    cookie
}

fn header(cookie: &Cookie<'_>) -> HeaderValue {
    HeaderValue::try_from(cookie.to_string()).expect("names, values and attributes are checked to be visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::super::token::{SessionToken, Token, VisitorToken};
    use super::*;

    fn policies() -> [CookiePolicy; 3] {
        let standard = CookiePolicy::new("");
        let mut spanning = standard.clone();
        spanning.domain = Some("example.com".to_owned());
        spanning.same_site = SameSite::Strict;
        spanning.rename("admin");
        let mut insecure = standard.clone();
        insecure.insecure = true;
        insecure.rename("");
        [standard, spanning, insecure]
    }

    #[test]
    fn frozen_headers() {
        let expected = [
            "__Host-Http-login=v; HttpOnly; SameSite=Lax; Secure; Path=/",
            "__Http-admin-login=v; HttpOnly; SameSite=Strict; Secure; Path=/; Domain=example.com",
            "login=v; HttpOnly; SameSite=Lax; Path=/",
        ];
        for (policy, session) in policies().iter().zip(expected) {
            let minute = Some(Duration::from_secs(60));
            let persistent = set(policy, CookieKind::SignedIn, "v".to_owned(), minute);
            assert_eq!(persistent, format!("{session}; Max-Age=60"));
            assert_eq!(set(policy, CookieKind::SignedIn, "v".to_owned(), None), session);
        }
    }

    #[test]
    fn a_removal_repeats_every_attribute() {
        for policy in policies() {
            let set = set(&policy, CookieKind::Anonymous, String::new(), None);
            let removal = removal(&policy, CookieKind::Anonymous);
            let expected = format!("{}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", set.to_str().unwrap());
            assert_eq!(removal, expected);
        }
    }

    #[test]
    fn extremes_of_a_lifetime() {
        for lifetime in [Duration::ZERO, Duration::MAX] {
            assert!(set(&policies()[0], CookieKind::Visitor, String::new(), Some(lifetime)).to_str().is_ok());
        }
    }

    /// RFC 6265bis, section 5.6: browsers ignore a cookie whose name and value have more than 4096 bytes together.
    #[test]
    fn the_longest_cookie_is_far_below_the_limit_of_browsers() {
        let longest_name = CookiePolicy::new(&"x".repeat(32)).name(CookieKind::Visitor).len();
        assert!(longest_name + VisitorToken::SEALED_LEN.max(SessionToken::SEALED_LEN) < 4096 / 8);
    }
}
