//! What was on a page when its form was filled in.

use super::progress::Transfer;
use maud::{Markup, html};
use serde::Deserialize;
use std::fmt;
use thin_session::UserSession;
use uuid::Uuid;

/// Which transfer a page was about, and how often that had been changed by then. Goes along in a hidden field.
///
/// A form is answered by a later request than the one that showed it, and `UserSession` knows what *that* request has seen. Without
/// this a step that was left open on the phone would begin a new transfer after the desktop has sent the old one, and a click
/// on "Send" would send what nobody has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Seen(Option<(Uuid, u32)>);

impl Seen {
    pub(crate) fn of(transfer: &UserSession<Transfer>) -> Self {
        Self(UserSession::id(transfer).map(|id| (id, transfer.revision())))
    }

    /// The transfer, if there was one.
    pub(super) fn id(self) -> Option<Uuid> {
        self.0.map(|(id, _)| id)
    }

    /// Whether the transfer of now is the one that was seen. Whoever has seen none joins one that another device has begun.
    pub(super) fn is_of(self, transfer: &UserSession<Transfer>) -> bool {
        self.0.is_none_or(|(id, _)| UserSession::id(transfer) == Some(id))
    }

    pub(crate) fn field(self) -> Markup {
        html! { input type="hidden" name="seen" value=(self); }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((id, revision)) => write!(f, "{id}.{revision}"),
            None => f.write_str("none"),
        }
    }
}

impl TryFrom<String> for Seen {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "none" {
            return Ok(Self(None));
        }
        let parts = text.split_once('.').and_then(|(id, revision)| Some((id.parse().ok()?, revision.parse().ok()?)));
        parts.map(|parts| Self(Some(parts))).ok_or("not what a page of this bank says")
    }
}
