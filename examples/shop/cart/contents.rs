//! What of the cart is kept in the session, and the rules for it.

use crate::goods::{self, Price, ProductId};
use crate::ledger::{Ledger, Line};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thin_session::SessionData;

/// What a visitor wants to buy: ids and amounts. Prices, names and stock are looked up when they are shown.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Cart {
    amounts: BTreeMap<ProductId, u32>,
}

/// An anonymous visitor's cart is still there after signing in: that is the default.
impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

impl Cart {
    pub(crate) const MAX_AMOUNT: u32 = 9;
    pub(crate) const MAX_LINES: usize = 30;

    /// Puts one more in.
    pub(super) fn add(&mut self, product: ProductId, ledger: &Ledger) -> Result<(), Refusal> {
        self.set(product, self.amounts.get(&product).copied().unwrap_or(0).saturating_add(1), ledger)
    }

    /// Sets how many there are; none removes the line.
    pub(super) fn set(&mut self, product: ProductId, amount: u32, ledger: &Ledger) -> Result<(), Refusal> {
        if amount == 0 {
            self.remove(product);
            return Ok(());
        }
        let name = goods::find(product).ok_or(Refusal::Unknown)?.name;
        let left = ledger.stock(product);
        if amount > Self::MAX_AMOUNT {
            return Err(Refusal::TooMany);
        }
        if amount > left {
            return Err(Refusal::Short { product: name, left });
        }
        if self.amounts.len() >= Self::MAX_LINES && !self.amounts.contains_key(&product) {
            return Err(Refusal::Full);
        }
        self.amounts.insert(product, amount);
        Ok(())
    }

    /// Removes a line, if it is there.
    pub(super) fn remove(&mut self, product: ProductId) {
        self.amounts.remove(&product);
    }

    /// Takes out what was ordered. What another tab has put in since stays.
    pub(crate) fn take_out(&mut self, ordered: &[Line]) {
        for Line { product, amount } in ordered {
            if let Some(here) = self.amounts.get_mut(&product.id) {
                *here = here.saturating_sub(*amount);
            }
        }
        self.amounts.retain(|_, amount| *amount > 0);
    }

    /// What is in it and still on sale.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let line = |(id, amount): (&ProductId, &u32)| Some(Line { product: goods::find(*id)?, amount: *amount });
        self.amounts.iter().filter_map(line).collect()
    }

    pub(crate) fn total(&self) -> Price {
        self.lines().iter().map(Line::total).sum()
    }

    pub(super) fn items(&self) -> u32 {
        self.lines().iter().map(|line| line.amount).sum()
    }
}
