//! A site whose secrets the test knows, so that it can search for what they seal and open.

use super::canary::Canaries;
use super::evidence::{evidence, note, note_answer, set_cookies, stored};
use super::life::{CONTENT, LABEL, USER};
use super::shelf::Shelf;
use super::witness::Witness;
use aes_gcm::KeyInit as _;
use aes_gcm::aead::AeadInOut as _;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use testbed::{Answer, Client};
use thin_session::store::LastingStore;
use thin_session::{Clock, Keyring, Secret, SessionLayer};
use tower::{Service as _, ServiceExt as _};
use xaes_256_gcm::{Nonce, Tag, Xaes256Gcm};

/// Names of the cookies, and what their keys are derived for.
pub(crate) const COOKIES: [(&str, &str); 3] = [
    ("__Host-Http-visitor", "visitor cookie"),
    ("__Host-Http-session", "anonymous session cookie"),
    ("__Host-Http-login", "signed-in session cookie"),
];

/// Sessions that a user may have.
pub(crate) const CAP: usize = 3;

pub(crate) struct Site<S> {
    pub(crate) store: Arc<Witness<S>>,
    pub(crate) clock: Clock,
    pub(crate) layer: SessionLayer,
    keys: Keyring,
    lasting: [u8; 32],
    current: [u8; 32],
    /// Every cookie that was ever set.
    cookies: Mutex<BTreeSet<(String, String)>>,
}

impl<S: LastingStore> Site<S> {
    pub(crate) fn new(store: S) -> Self {
        let store = Arc::new(Witness::new(store));
        let (lasting, current): ([u8; 32], [u8; 32]) = (rand::random(), rand::random());
        let [first, second] = [lasting, current].map(|bytes| Secret::from_bytes(bytes).expect("it is random"));
        note(&[&first, &second]);
        let keys = Keyring::new(first, second).expect("they differ");
        note(&keys);
        let clock = Clock::manual();
        let layer = SessionLayer::with_user_sessions(Arc::clone(&store), keys.clone()).clock(clock.clone());
        let layer = layer.archive(Shelf::default());
        let layer = layer.max_sessions_per_user(CAP).expect("it is in bounds");
        note(&layer);
        Self { store, clock, layer, keys, lasting, current, cookies: Mutex::default() }
    }

    /// A layer as another process has it, which knows other types by the same names.
    pub(crate) fn another_layer(&self) -> SessionLayer {
        SessionLayer::new(Arc::clone(&self.store), self.keys.clone()).clock(self.clock.clone())
    }

    /// Sends a request, collects the response, and takes in its cookies.
    pub(crate) async fn send(&self, browser: &mut Client, method: Method, path: &str) -> Answer {
        let answer = browser.send(method, path).await;
        note_answer(&answer);
        let jar = browser.cookies.iter().map(|(name, value)| (name.clone(), value.clone()));
        self.cookies.lock().expect("nobody panics with it").extend(jar);
        answer
    }

    /// What the cookies say that were ever set.
    fn tokens(&self) -> Vec<Token> {
        let cookies = self.cookies.lock().expect("nobody panics with it");
        cookies.iter().map(|(name, value)| Token::read(name, &open_cookie(&self.current, name, value))).collect()
    }

    /// What logs call the sessions that there were, as documented: a digest under a key of its own.
    pub(crate) fn log_names(&self) -> BTreeSet<String> {
        let key = expand::<32>(&self.lasting, "log name");
        let named = |token: Token| {
            let known_by = token.handle.or(token.id.map(digest)).expect("every cookie has one of the two");
            let mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do").chain_update(known_by);
            hex(&mac.finalize().into_bytes()[..8])
        };
        self.tokens().into_iter().map(named).collect()
    }

    /// The names by which stores know sessions and users: of no use to anybody, and yet in no log.
    fn names(&self) -> Canaries {
        let (mut canaries, stored) = (Canaries::default(), stored());
        for Token { id, user, handle } in self.tokens() {
            let all = [("a session's key", id.map(digest)), ("a user's key", user), ("a session's handle", handle)];
            for (what, bytes) in all.into_iter().filter_map(|(what, bytes)| Some((what, bytes?))) {
                let is_stored = stored.windows(16).any(|part| part == bytes);
                assert!(is_stored, "{what} is not what it is stored by: to search for that elsewhere shows nothing");
                canaries.add(what, &bytes);
                // Logs call sessions by so many bytes.
                for half in bytes.chunks(8) {
                    canaries.add_text(&format!("half of {what}"), hex(half));
                }
            }
        }
        canaries
    }

    /// What nobody outside of this process may ever see.
    fn hidden(&self) -> Canaries {
        let mut canaries = Canaries::default();
        canaries.add("the user id", USER.as_bytes());
        canaries.add("the content", CONTENT.as_bytes());
        canaries.add("the label", LABEL.as_bytes());
        for (secret, which) in [(&self.lasting, "the lasting secret"), (&self.current, "the current secret")] {
            canaries.add(which, secret);
            for label in ["visitor cookie", "anonymous session cookie", "signed-in session cookie", "session record"] {
                canaries.add(&format!("the key for a {label} from {which}"), &expand::<32>(secret, label));
            }
            for label in ["user session record", "ended session on its way to the archive"] {
                canaries.add(&format!("the key for an {label} from {which}"), &expand::<32>(secret, label));
            }
            canaries.add(&format!("the key for users from {which}"), &expand::<32>(secret, "user digest"));
            canaries.add(&format!("the key for logs from {which}"), &expand::<32>(secret, "log name"));
        }
        self.tokens().iter().filter_map(|token| token.id).for_each(|id| canaries.add("a session's id", &id));
        canaries
    }

    /// What belongs into `Set-Cookie` and nowhere else.
    fn cookies(&self) -> Canaries {
        let mut canaries = Canaries::default();
        for (name, value) in &*self.cookies.lock().expect("nobody panics with it") {
            canaries.add(&format!("{name} as text"), value.as_bytes());
            // Without the version and the key's id, which are no secrets.
            let bytes = URL_SAFE_NO_PAD.decode(value).expect("cookies are base64url");
            canaries.add(&format!("{name} as bytes"), &bytes[5..]);
        }
        canaries
    }

    #[track_caller]
    pub(crate) fn assert_nothing_leaked(&self) {
        for (place, bytes) in [("what anybody can read", evidence()), ("what the store is given", stored())] {
            self.assert_absent(place, &bytes);
        }
        self.hidden().assert_absent("a Set-Cookie", &set_cookies());
        self.names().assert_absent("what anybody can read", &evidence());
        self.names().assert_absent("a Set-Cookie", &set_cookies());
    }

    #[track_caller]
    pub(crate) fn assert_absent(&self, place: &str, bytes: &[u8]) {
        self.hidden().assert_absent(place, bytes);
        self.cookies().assert_absent(place, bytes);
    }
}

/// What a cookie holds, without times and the user id.
#[derive(Clone, Copy)]
struct Token {
    id: Option<[u8; 16]>,
    user: Option<[u8; 16]>,
    handle: Option<[u8; 16]>,
}

impl Token {
    /// As the formats of the cookies have it.
    fn read(name: &str, plain: &[u8]) -> Self {
        let at = |offset: usize| plain[offset..].first_chunk().copied();
        let token = match name {
            _ if name.ends_with("visitor") => Self { id: None, user: at(12), handle: at(28) },
            _ if name.ends_with("login") => Self { id: at(6), user: at(22), handle: at(38) },
            _ => Self { id: at(8), user: None, handle: None },
        };
        assert_eq!(token.user.is_none(), token.handle.is_none());
        token
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a store knows the session of this id by.
pub(crate) fn digest(id: [u8; 16]) -> [u8; 16] {
    *Sha256::digest(id).first_chunk().expect("it is longer")
}

/// As documented: HKDF-SHA-256 with a label for each key.
fn expand<const N: usize>(secret: &[u8], label: &str) -> [u8; N] {
    let mut key = [0; N];
    Hkdf::<Sha256>::new(Some(b"thin-session 1"), secret).expand(label.as_bytes(), &mut key).expect("it is not long");
    key
}

/// Opens a cookie without the crate: the format is a promise too, and without it a session's id cannot be searched for.
fn open_cookie(secret: &[u8], name: &str, value: &str) -> Vec<u8> {
    let label = COOKIES.iter().find(|cookie| cookie.0 == name).expect("it is one of ours").1;
    let bytes = URL_SAFE_NO_PAD.decode(value).expect("cookies are base64url");
    let (head, rest) = bytes.split_at(5);
    let (nonce, rest) = rest.split_first_chunk::<24>().expect("then a nonce");
    let (text, tag) = rest.split_last_chunk::<16>().expect("and at the end a tag");
    assert_eq!(head, [&[1][..], &expand::<4>(secret, "key id")].concat(), "version and key id");

    let mut data = Vec::new();
    for field in [label.as_bytes(), b"", name.as_bytes(), &head[..1], &head[1..]] {
        data.extend_from_slice(&(field.len() as u64).to_be_bytes());
        data.extend_from_slice(field);
    }
    let mut plain = text.to_vec();
    Xaes256Gcm::new(&expand(secret, label).into())
        .decrypt_inout_detached(&Nonce::from(*nonce), &data, plain.as_mut_slice().into(), &Tag::from(*tag))
        .expect("it opens");
    plain
}

/// Has a layer do to a request what it does before a handler sees it.
pub(crate) async fn leave_ticket(layer: &SessionLayer, request: &mut Request<()>) {
    use tower::Layer as _;

    let seen = Arc::new(Mutex::new(None));
    let inner = {
        let seen = Arc::clone(&seen);
        tower::service_fn(move |request: Request<()>| {
            *seen.lock().expect("nobody panics with it") = Some(request);
            std::future::pending::<Result<axum::http::Response<()>, std::convert::Infallible>>()
        })
    };
    let mut service = layer.layer(inner);
    note(&service);
    let response = service.ready().await.expect("it is ready").call(std::mem::take(request));
    note(&response);
    *request = seen.lock().expect("nobody panics with it").take().expect("the service was called");
    // Dropping it would tell the session that the client has gone.
    std::mem::forget(response);
}
