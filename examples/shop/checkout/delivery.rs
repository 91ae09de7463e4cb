//! Where to and how.

use crate::goods::Price;
use crate::refusal::Refusal;
use crate::text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an order goes. Short enough for a session of 4 KiB, however it is filled in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(super) name: String,
    pub(super) street: String,
    pub(super) city: String,
}

/// An address as it was typed.
#[derive(Deserialize)]
pub(super) struct AddressForm {
    name: String,
    street: String,
    city: String,
}

impl Address {
    pub(super) const MAX_CHARS: usize = 80;
}

impl TryFrom<AddressForm> for Address {
    type Error = Refusal;

    fn try_from(typed: AddressForm) -> Result<Self, Refusal> {
        let line = |typed: &str| text::line(typed, Self::MAX_CHARS);
        match (line(&typed.name), line(&typed.street), line(&typed.city)) {
            (Some(name), Some(street), Some(city)) => Ok(Self { name, street, city }),
            _ => Err(Refusal::Form("An address has a name, a street and a town, each of 1 to 80 characters.")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.name, self.street, self.city)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Delivery {
    Post,
    Bicycle,
    Pickup,
}

impl Delivery {
    pub(super) const ALL: [Self; 3] = [Self::Post, Self::Bicycle, Self::Pickup];

    /// As forms and sessions write it.
    pub(super) fn value(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Bicycle => "bicycle",
            Self::Pickup => "pickup",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Post => "By post",
            Self::Bicycle => "By bicycle",
            Self::Pickup => "Kept for you at the shop",
        }
    }

    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Post => "In two or three days.",
            Self::Bicycle => "This evening, within the town.",
            Self::Pickup => "From tomorrow, ten to six.",
        }
    }

    pub(crate) fn price(self) -> Price {
        match self {
            Self::Post => Price(490),
            Self::Bicycle => Price(650),
            Self::Pickup => Price(0),
        }
    }
}
