//! What a browser sent along.

use super::realm::Realm;
use crate::clock::Timestamp;
use crate::cookie::{
    self, Candidates, CookieKind, Login, LoginToken, Opened, SameSite, SessionToken, Token, VisitorToken, Wanted,
};
use crate::id::{SessionId, Shard};
use crate::record::Body;
use crate::telemetry;
use http::{HeaderMap, HeaderName, Method, header};
use std::sync::OnceLock;

/// The cookies of a request, still sealed, and where the request came from.
#[derive(Debug)]
pub(crate) struct Presented {
    visitor: Candidates,
    /// What the visitor cookie holds, once somebody has asked.
    opened_visitor: OnceLock<Option<VisitorToken>>,
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
    pub(crate) token: SessionToken,
    /// Of a signed-in session.
    pub(crate) login: Option<Login>,
}

/// The sessions that a browser names.
#[derive(Debug)]
pub(crate) struct Claims {
    /// The signed-in one first.
    pub(crate) sessions: Vec<Claim>,
    /// Two different cookies of one name open, or two of different users: nobody can tell which is this browser's.
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
                wanted(CookieKind::SignedIn, LoginToken::SEALED_LEN),
            ],
        );
        let over_plain_http = is_over_plain_http(headers);
        Self {
            visitor,
            opened_visitor: OnceLock::new(),
            anonymous,
            signed_in,
            cross_site: is_cross_site(method, headers, realm.cookies.same_site),
            over_plain_http,
        }
    }

    /// Who the browser belongs to. Opens the visitor cookie when first asked.
    pub(crate) fn visitor(&self, realm: &Realm, now: Timestamp) -> Option<&VisitorToken> {
        let open = || match realm.open(CookieKind::Visitor, &self.visitor, now) {
            Opened::One(token) => Some(token),
            Opened::None | Opened::Several(_) => None,
        };
        self.opened_visitor.get_or_init(open).as_ref()
    }

    /// Whose visitor cookies there are: more than one where others set cookies as well.
    pub(crate) fn visitors(&self, realm: &Realm) -> Vec<Login> {
        match realm.open::<VisitorToken>(CookieKind::Visitor, &self.visitor, realm.clock.now()).map(|token| token.login)
        {
            Opened::None => Vec::new(),
            Opened::One(login) => vec![login],
            Opened::Several(logins) => logins,
        }
    }

    /// The sessions that the browser names. Opens both session cookies, and the visitor's where somebody is signed in.
    pub(crate) fn sessions(&self, realm: &Realm) -> Claims {
        let now = realm.clock.now();
        let mut claims = Claims { sessions: Vec::new(), ambiguous: false };
        for opened in self.open_sessions(realm, now) {
            match opened {
                Opened::None => {}
                Opened::One(claim) => claims.sessions.push(claim),
                Opened::Several(_) => {
                    claims.ambiguous = true;
                    break;
                }
            }
        }
        let signed_in = claims.sessions.first().and_then(|claim| claim.login);
        if let (Some(login), Some(visitor)) = (signed_in, signed_in.and_then(|_| self.visitor(realm, now)))
            && visitor.login.user != login.user
        {
            // One sign-in sets both cookies, so that one of them comes from elsewhere.
            telemetry::two_users();
            claims.ambiguous = true;
            claims.sessions.clear();
        }
        claims
    }

    /// Every session that any of the cookies names: what a sign-out ends.
    pub(crate) fn all_sessions(&self, realm: &Realm) -> Vec<Claim> {
        let claims = |opened| match opened {
            Opened::None => vec![],
            Opened::One(claim) => vec![claim],
            Opened::Several(claims) => claims,
        };
        self.open_sessions(realm, realm.clock.now()).into_iter().flat_map(claims).collect()
    }

    /// The signed-in cookie first: it wins.
    fn open_sessions(&self, realm: &Realm, now: Timestamp) -> [Opened<Claim>; 2] {
        [
            realm.open(CookieKind::SignedIn, &self.signed_in, now).map(|token: LoginToken| Claim::from(token)),
            realm.open(CookieKind::Anonymous, &self.anonymous, now).map(|token| Claim { token, login: None }),
        ]
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

impl Claim {
    /// One that nobody has yet, for an anonymous session.
    pub(super) fn anonymous(realm: &Realm, body: &Body) -> Self {
        let (expires, shard, id) = (realm.deadline_of(body), Shard::random(), SessionId::random());
        Self { token: SessionToken { expires, shard, id }, login: None }
    }

    /// One that nobody has yet, for a session that this user signs in to at `at`.
    pub(super) fn signed_in(realm: &Realm, login: Login, at: Timestamp) -> Self {
        LoginToken { expires: realm.signed_in.deadline(at), id: SessionId::random(), login }.into()
    }

    pub(crate) fn kind(&self) -> CookieKind {
        if self.login.is_some() { CookieKind::SignedIn } else { CookieKind::Anonymous }
    }

    /// What stands in the signed-in cookie; none for an anonymous session.
    pub(crate) fn login_token(&self) -> Option<LoginToken> {
        self.login.map(|login| LoginToken { expires: self.token.expires, id: self.token.id, login })
    }
}

impl From<LoginToken> for Claim {
    fn from(LoginToken { expires, id, login }: LoginToken) -> Self {
        Self { token: SessionToken { expires, shard: login.user.shard(), id }, login: Some(login) }
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
    if !says(SEC_FETCH_SITE, "cross-site") {
        return false;
    }
    let follows_a_link = *method == Method::GET && says(SEC_FETCH_MODE, "navigate") && says(SEC_FETCH_DEST, "document");
    match same_site {
        SameSite::Strict => true,
        SameSite::Lax => !follows_a_link,
        SameSite::None => false,
    }
}
