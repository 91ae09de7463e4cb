//! What is on sale: the same for everybody, and in no session. Sessions hold a product's id, and ask here for the rest.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a session knows of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ProductId(u16);

pub(crate) struct Product {
    pub(crate) id: ProductId,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) price: Price,
    pub(crate) taste: Taste,
    /// How many there are when the shop opens.
    pub(crate) delivered: u32,
    /// An SVG.
    pub(crate) art: &'static str,
}

/// In cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price(pub(crate) u32);

/// What somebody likes best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Taste {
    Tea,
    Table,
    Desk,
}

/// The product of this id; none if it is not on sale any more, or never was.
pub(crate) fn find(id: ProductId) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.id == id)
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "€\u{a0}{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl std::ops::Mul<u32> for Price {
    type Output = Self;

    fn mul(self, amount: u32) -> Self {
        Self(self.0 * amount)
    }
}

impl std::ops::Add for Price {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::iter::Sum for Price {
    fn sum<I: Iterator<Item = Self>>(prices: I) -> Self {
        prices.fold(Self(0), |sum, price| sum + price)
    }
}

pub(crate) const PRODUCTS: &[Product] = &[
    Product {
        id: ProductId(1),
        name: "Assam",
        about: "Black tea, malty and strong. 100\u{a0}g.",
        price: Price(890),
        taste: Taste::Tea,
        delivered: 80,
        art: include_str!("art/assam.svg"),
    },
    Product {
        id: ProductId(2),
        name: "Teapot",
        about: "Stoneware. Holds a litre, pours without a drip.",
        price: Price(5400),
        taste: Taste::Table,
        delivered: 12,
        art: include_str!("art/teapot.svg"),
    },
    Product {
        id: ProductId(3),
        name: "Notebook",
        about: "160 dotted pages that lie flat.",
        price: Price(1600),
        taste: Taste::Desk,
        delivered: 60,
        art: include_str!("art/notebook.svg"),
    },
    Product {
        id: ProductId(4),
        name: "Sencha",
        about: "Green tea of the first harvest. 100\u{a0}g.",
        price: Price(1250),
        taste: Taste::Tea,
        delivered: 80,
        art: include_str!("art/sencha.svg"),
    },
    Product {
        id: ProductId(5),
        name: "Kettle",
        about: "Enamelled steel. Whistles a clear F sharp.",
        price: Price(6200),
        taste: Taste::Table,
        delivered: 3,
        art: include_str!("art/kettle.svg"),
    },
    Product {
        id: ProductId(6),
        name: "Pencils",
        about: "Three of cedar, in a cup to keep them.",
        price: Price(980),
        taste: Taste::Desk,
        delivered: 60,
        art: include_str!("art/pencils.svg"),
    },
    Product {
        id: ProductId(7),
        name: "Honey",
        about: "Lime blossom, from the roof next door. 250\u{a0}g.",
        price: Price(750),
        taste: Taste::Tea,
        delivered: 40,
        art: include_str!("art/honey.svg"),
    },
    Product {
        id: ProductId(8),
        name: "Cup",
        about: "Thrown by hand, no two alike. 20\u{a0}cl.",
        price: Price(1400),
        taste: Taste::Table,
        delivered: 40,
        art: include_str!("art/cup.svg"),
    },
    Product {
        id: ProductId(9),
        name: "Candle",
        about: "Beeswax, with a holder for late letters.",
        price: Price(1150),
        taste: Taste::Desk,
        delivered: 40,
        art: include_str!("art/candle.svg"),
    },
];
