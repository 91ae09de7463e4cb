//! Genuine cookies in the wrong place: under another name, at another layer, application or key, for another purpose, or
//! beside those of another user.

use crate::shop::{ok, refused, see};
use crate::site::{LOGIN, Place, SESSION, Server, Site, VISITOR, in_each_place, recognised, secret};
use axum::http::Method;
use testbed::Client;
use thin_session::SessionLayer;

/// What a cookie is good for, by the end of its name.
const PURPOSES: [(&str, &str, &str); 3] =
    [("session", "/cart", "tea"), ("login", "/who", "ada"), ("visitor", "/hello", "ada")];

/// A layer, and the beginning of its cookies' names.
struct App {
    what: &'static str,
    prefix: &'static str,
    server: Server,
    /// Of each purpose, a cookie that is good.
    values: Vec<String>,
}

impl App {
    async fn new(what: &'static str, prefix: &'static str, server: Server) -> Self {
        let anonymous = server.browser_with_tea().await;
        let signed_in = server.signed_in("ada").await;
        let jar: std::collections::BTreeMap<_, _> = anonymous.cookies.into_iter().chain(signed_in.cookies).collect();
        let value = |purpose: &str| jar[&format!("{prefix}{purpose}")].clone();
        let values = PURPOSES.map(|(purpose, _, _)| value(purpose)).into();
        Self { what, prefix, server, values }
    }
}

fn named(name: &'static str) -> impl FnOnce(SessionLayer) -> SessionLayer {
    move |layer| layer.named(name).expect("it is a name")
}

async fn a_cookie_is_good_for_one_purpose_at_one_layer_under_one_name(place: Place) {
    let site = place.site().await;
    let mut other_keys = place.site().await;
    let mut other_cookie_key = place.site().await;
    other_keys.secrets = [secret(), secret()];
    other_cookie_key.secrets = [site.secrets[0].clone(), secret()];
    // All of them in one store: whatever opened would be found.
    let behind = |keys: &Site, configure: Configure| keys.behind(site.gate(), configure);
    let domain = |layer: SessionLayer| layer.domain("example.com").expect("it is a domain");
    let insecure = |layer: SessionLayer| layer.insecure_plain_http();
    let apps = [
        App::new("the shop", "__Host-Http-", behind(&site, Box::new(|layer| layer))).await,
        App::new("its admin", "__Host-Http-admin-", behind(&site, Box::new(named("admin")))).await,
        App::new("another layer", "__Host-Http-a-", behind(&site, Box::new(named("a")))).await,
        App::new("for subdomains", "__Http-", behind(&site, Box::new(domain))).await,
        App::new("in development", "", behind(&site, Box::new(insecure))).await,
        App::new("another application", "__Host-Http-", behind(&other_keys, Box::new(|layer| layer))).await,
        App::new("another cookie key", "__Host-Http-", behind(&other_cookie_key, Box::new(|layer| layer))).await,
    ];
    let (mut good, mut tried) = (0, 0);
    for from in &apps {
        for (value, (purpose, _, _)) in from.values.iter().zip(PURPOSES) {
            for to in &apps {
                for (name, _, _) in PURPOSES {
                    let is_its_own = from.what == to.what && purpose == name;
                    let context = format!("{purpose} of {} as {name} of {}", from.what, to.what);
                    assert_eq!(works(to, name, value, &context).await, is_its_own, "{context}");
                    good += usize::from(is_its_own);
                    tried += 1;
                }
            }
        }
    }
    assert_eq!((good, tried), (apps.len() * 3, (apps.len() * 3).pow(2)));
}

type Configure = Box<dyn FnOnce(SessionLayer) -> SessionLayer>;

/// Whether a cookie of this name and value opens anything; if not, it must change nothing either.
async fn works(at: &App, name: &str, value: &str, context: &str) -> bool {
    let mut browser = at.server.browser();
    browser.cookies.insert(format!("{}{name}", at.prefix), value.to_owned());
    let mut works = false;
    for (purpose, page, told) in PURPOSES {
        let found = ok(browser.ask(Method::GET, page).await);
        assert_eq!(found.set_cookies(), [""; 0], "{context}");
        works |= purpose == name && found.text() == told;
        assert!(purpose == name || found.text().is_empty(), "{context}: {page} says {}", found.text());
    }
    if !works {
        assert_ne!(browser.ask(Method::POST, "/reauthenticate").await.status, 200, "{context}");
        assert_ne!(browser.ask(Method::POST, "/end-others").await.status, 200, "{context}");
    }
    works
}

/// One sign-in sets both, so that one of them comes from elsewhere.
async fn the_visitor_of_one_user_with_the_session_of_another_is_no_session(place: Place) {
    let site = place.site().await;
    for server in [site.server(), site.elsewhere().await] {
        let (mut ada, bob) = (server.signed_in("ada").await, server.signed_in("bob").await);
        ok(ada.post("/count").await);
        let mixed = |login: &Client, visitor: &Client| {
            let mut browser = server.browser();
            browser.cookies.insert(LOGIN.to_owned(), login.cookies[LOGIN].clone());
            browser.cookies.insert(VISITOR.to_owned(), visitor.cookies[VISITOR].clone());
            browser
        };
        for (login, visitor) in [(&ada, &bob), (&bob, &ada)] {
            let browser = mixed(login, visitor);
            assert_eq!(see(&browser, "/who").await, "");
            assert_eq!(see(&browser, "/count").await, "0");
            refused(browser.ask(Method::GET, "/session").await, "SignedOut");
            for path in ["/count", "/cart/tea"] {
                assert_eq!(refused(browser.ask(Method::POST, path).await, "TwoCookies").status, 400);
            }
            for path in ["/reauthenticate", "/end-others"] {
                refused(browser.ask(Method::POST, path).await, "SignedOut");
            }
            // With an anonymous session beside it nobody is signed in either.
            let mut three = browser.clone();
            let anonymous = server.browser_with_tea().await;
            three.cookies.insert(SESSION.to_owned(), anonymous.cookies[SESSION].clone());
            assert_eq!(see(&three, "/who").await, "");
            assert_eq!(see(&three, "/cart").await, "");
        }
        // Of one user, from two sign-ins, they go together.
        let again = server.signed_in("ada").await;
        assert_eq!(see(&mixed(&ada, &again), "/who").await, "ada");
        // It was a refusal, and no ending.
        assert_eq!(see(&ada, "/count").await, "1");
        assert_eq!(recognised(&bob).await, "bob");
        ok(mixed(&ada, &bob).post("/sign-in/carol").await);
    }
}

in_each_place! {
    a_cookie_is_good_for_one_purpose_at_one_layer_under_one_name,
    the_visitor_of_one_user_with_the_session_of_another_is_no_session,
}
