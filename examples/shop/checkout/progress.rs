//! How far a checkout has come: an intermediate result, in a slot of its own.

use super::delivery::{Address, Delivery};
use crate::cart::Cart;
use crate::ledger::{Order, OrderNumber};
use serde::{Deserialize, Serialize};
use thin_session::{AtSignIn, SessionData, UserId};

#[derive(Default, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "lowercase")]
pub(crate) enum Checkout {
    #[default]
    Begun,
    Addressed {
        address: Address,
    },
    Ready {
        address: Address,
        delivery: Delivery,
        number: OrderNumber,
    },
}

impl SessionData for Checkout {
    const NAME: &'static str = "checkout";
    /// An address that somebody typed before signing in, or planted, is not where Ada's order goes.
    const AT_SIGN_IN: AtSignIn = AtSignIn::Drop;
}

impl Checkout {
    pub(super) fn address(&self) -> Option<&Address> {
        match self {
            Self::Begun => None,
            Self::Addressed { address } | Self::Ready { address, .. } => Some(address),
        }
    }

    pub(super) fn delivery(&self) -> Option<Delivery> {
        match self {
            Self::Ready { delivery, .. } => Some(*delivery),
            Self::Begun | Self::Addressed { .. } => None,
        }
    }

    pub(super) fn number(&self) -> Option<OrderNumber> {
        match self {
            Self::Ready { number, .. } => Some(*number),
            Self::Begun | Self::Addressed { .. } => None,
        }
    }

    /// The page of the first step that is not done.
    pub(super) fn next_page(&self) -> &'static str {
        match self {
            Self::Begun => "/checkout/address",
            Self::Addressed { .. } => "/checkout/delivery",
            Self::Ready { .. } => "/checkout/confirm",
        }
    }

    /// Sets the address, or another one.
    pub(super) fn deliver_to(&mut self, new: Address) {
        match self {
            Self::Begun => *self = Self::Addressed { address: new },
            Self::Addressed { address } | Self::Ready { address, .. } => *address = new,
        }
    }

    /// Sets the delivery, or another one. A number that is there already stays: it may stand for an order by now.
    /// Without an address, as after a sign-out in another tab, nothing changes.
    pub(super) fn deliver_by(&mut self, new: Delivery, new_number: OrderNumber) {
        match self {
            Self::Begun => {}
            Self::Addressed { address } => {
                *self = Self::Ready { address: address.clone(), delivery: new, number: new_number };
            }
            Self::Ready { delivery, .. } => *delivery = new,
        }
    }

    /// What confirming would order; nothing if a step is missing, or nothing is in the cart.
    pub(super) fn order(&self, user: &UserId, cart: &Cart) -> Option<Order> {
        let Self::Ready { address, delivery, number } = self else { return None };
        let lines = cart.lines();
        let order = Order { number: *number, user: user.clone(), lines, address: address.clone(), delivery: *delivery };
        (!order.lines.is_empty()).then_some(order)
    }
}
