//! What is measured.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Case {
    /// A route that asks for nothing, from a browser without cookies.
    Plain,
    PlainWithCookies,
    Visitor,
    Read,
    Update,
    Create,
    SignOut,
    /// Not measured: how a browser comes to a visitor cookie.
    SignIn,
}

impl Case {
    /// Those that a store answers, each after the one that it needs.
    pub const STORED: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::SignOut];
    /// Those that are answered without one.
    pub const ALONE: [Self; 3] = [Self::Plain, Self::PlainWithCookies, Self::Visitor];

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "untouched",
            Self::PlainWithCookies => "untouched, cookies",
            Self::Visitor => "visitor",
            Self::Read => "read",
            Self::Update => "read and update",
            Self::Create => "create",
            Self::SignOut => "sign-out",
            Self::SignIn => "sign-in",
        }
    }
}
