//! What a browser sent along.

use super::realm::Realm;
use crate::cookie::{self, Candidates, CookieKind, Opened, SameSite, SessionToken, Token, VisitorToken, Wanted};
use http::{HeaderMap, HeaderName, Method, header};

/// The cookies of a request, still sealed, and where the request came from.
#[derive(Debug)]
pub(crate) struct Presented {
    visitor: Candidates,
    anonymous: Candidates,
    signed_in: Candidates,
    /// Sent by another site in a way in which browsers withhold cookies.
    cross_site: bool,
    /// The browser is likely to drop the cookies that it is sent.
    over_plain_http: bool,
}

/// A session that a browser names, before anything is known about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) kind: CookieKind,
    pub(crate) token: SessionToken,
}

/// The sessions that a browser names.
#[derive(Debug)]
pub(crate) struct Claims {
    /// The signed-in one first.
    pub(crate) sessions: Vec<Claim>,
    /// Two different cookies of one name open: nobody can tell which is this browser's.
    pub(crate) ambiguous: bool,
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

impl Presented {
    /// Reads the head of a request; opens nothing.
    pub(crate) fn read(method: &Method, headers: &HeaderMap, realm: &Realm) -> Self {
        let wanted = |kind: CookieKind, length| Wanted { name: realm.cookies.name(kind), length };
        let [visitor, anonymous, signed_in] = cookie::scan(
            headers.get_all(header::COOKIE).iter().map(|value| value.as_bytes()),
            [
                wanted(CookieKind::Visitor, VisitorToken::SEALED_LEN),
                wanted(CookieKind::Anonymous, SessionToken::SEALED_LEN),
                wanted(CookieKind::SignedIn, SessionToken::SEALED_LEN),
            ],
        );
        let over_plain_http = is_over_plain_http(headers);
        Self {
            visitor,
            anonymous,
            signed_in,
            cross_site: is_cross_site(method, headers, realm.cookies.same_site),
            over_plain_http,
        }
    }

    /// Who the browser belongs to. Opens the visitor cookie.
    pub(crate) fn visitor(&self, realm: &Realm) -> Option<VisitorToken> {
        match realm.open(CookieKind::Visitor, &self.visitor) {
            Opened::One(token) => Some(token),
            Opened::None | Opened::Several(_) => None,
        }
    }

    /// The sessions that the browser names. Opens both session cookies.
    pub(crate) fn sessions(&self, realm: &Realm) -> Claims {
        let mut claims = Claims { sessions: Vec::new(), ambiguous: false };
        for (kind, opened) in self.open_sessions(realm) {
            match opened {
                Opened::None => {}
                Opened::One(token) => claims.sessions.push(Claim { kind, token }),
                Opened::Several(_) => {
                    claims.ambiguous = true;
                    break;
                }
            }
        }
        claims
    }

    /// Every session that any of the cookies names: what a sign-out ends.
    pub(crate) fn all_sessions(&self, realm: &Realm) -> Vec<Claim> {
        let claims = |(kind, opened)| match opened {
            Opened::None => vec![],
            Opened::One(token) => vec![Claim { kind, token }],
            Opened::Several(tokens) => tokens.into_iter().map(|token| Claim { kind, token }).collect(),
        };
        self.open_sessions(realm).into_iter().flat_map(claims).collect()
    }

    /// The signed-in cookie first: it wins.
    fn open_sessions(&self, realm: &Realm) -> [(CookieKind, Opened<SessionToken>); 2] {
        [(CookieKind::SignedIn, &self.signed_in), (CookieKind::Anonymous, &self.anonymous)]
            .map(|(kind, candidates)| (kind, realm.open(kind, candidates)))
    }

    /// Whether this request comes from another site in a way in which browsers withhold `SameSite` cookies, so that "no
    /// cookie" does not mean "no session".
    pub(crate) fn is_cross_site(&self) -> bool {
        self.cross_site
    }

    /// Whether the page that sent this request came over plain HTTP from another host than this machine's own. Browsers
    /// drop `Secure` cookies there, and say nothing.
    pub(crate) fn is_over_plain_http(&self) -> bool {
        self.over_plain_http
    }
}

/// By `Origin`, and where a browser sends none by `Referer`. Behind a proxy that ends TLS both say `https`.
fn is_over_plain_http(headers: &HeaderMap) -> bool {
    let from = headers.get(header::ORIGIN).or_else(|| headers.get(header::REFERER));
    let Some(rest) = from.and_then(|from| from.as_bytes().strip_prefix(b"http://")) else { return false };
    let authority = rest.split(|byte| *byte == b'/').next().unwrap_or_default();
    let host = match authority {
        [b'[', v6 @ ..] => v6.split(|byte| *byte == b']').next(),
        name => name.split(|byte| *byte == b':').next(),
    };
    let host = host.unwrap_or_default();
    // What browsers count as trustworthy without TLS (W3C Secure Contexts, section 3.1).
    !(host == b"localhost" || host.ends_with(b".localhost") || host.starts_with(b"127.") || host == b"::1")
}

/// By Fetch Metadata (W3C). Who follows a link to a page sends `SameSite=Lax` cookies along, and counts as a visitor like any
/// other; `Strict` ones are withheld there too, and `None` ones nowhere.
fn is_cross_site(method: &Method, headers: &HeaderMap, same_site: SameSite) -> bool {
    let says = |name, value: &str| headers.get(name).is_some_and(|found| found.as_bytes() == value.as_bytes());
    let follows_a_link = *method == Method::GET && says(SEC_FETCH_MODE, "navigate") && says(SEC_FETCH_DEST, "document");
    let sends_cookies = match same_site {
        SameSite::Strict => false,
        SameSite::Lax => follows_a_link,
        SameSite::None => true,
    };
    says(SEC_FETCH_SITE, "cross-site") && !sends_cookies
}
