//! Stock and orders: what must outlive every session, and so is in none. A real shop has a database here.

use crate::checkout::{Address, Delivery};
use crate::goods::{PRODUCTS, Price, Product, ProductId};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use thin_session::UserId;

/// Stock and orders, under one lock: an order takes its goods in the same step.
pub(crate) struct Ledger(Mutex<Books>);

struct Books {
    stock: BTreeMap<ProductId, u32>,
    orders: Vec<Order>,
}

/// The number that a checkout carries and an order gets: one number, one order.
///
/// Random, since sessions in Redis outlive this process, and any counter in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct OrderNumber(u64);

#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) number: OrderNumber,
    pub(crate) user: UserId,
    pub(crate) lines: Vec<Line>,
    pub(crate) address: Address,
    pub(crate) delivery: Delivery,
}

/// A product and how many of it, at today's price.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub(crate) product: &'static Product,
    pub(crate) amount: u32,
}

impl Ledger {
    /// How many orders fit into memory.
    const MAX_ORDERS: usize = 10_000;

    pub(crate) fn new() -> Self {
        let stock = PRODUCTS.iter().map(|product| (product.id, product.delivered)).collect();
        Self(Mutex::new(Books { stock, orders: Vec::new() }))
    }

    /// How many of a product are left.
    pub(crate) fn stock(&self, product: ProductId) -> u32 {
        self.books().stock.get(&product).copied().unwrap_or(0)
    }

    /// Places an order, takes its goods from the shelf, and answers the order as it stands. One of this number that is
    /// placed already stays as it is: whoever clicks twice, or tries again after an outage, has ordered once.
    pub(crate) fn place(&self, order: Order) -> Result<Order, Refusal> {
        let mut books = self.books();
        let is_this = |placed: &&Order| placed.number == order.number && placed.user == order.user;
        if let Some(placed) = books.orders.iter().find(is_this) {
            return Ok(placed.clone());
        }
        if books.orders.len() >= Self::MAX_ORDERS {
            return Err(Refusal::Closed);
        }
        for Line { product, amount } in &order.lines {
            let left = books.stock.get(&product.id).copied().unwrap_or(0);
            if *amount > left {
                return Err(Refusal::Short { product: product.name, left });
            }
        }
        for Line { product, amount } in &order.lines {
            books.stock.entry(product.id).and_modify(|left| *left -= amount);
        }
        books.orders.push(order.clone());
        Ok(order)
    }

    /// The orders of a user, the latest first.
    pub(crate) fn orders_of(&self, user: &UserId) -> Vec<Order> {
        self.books().orders.iter().rev().filter(|order| order.user == *user).cloned().collect()
    }

    /// Each change checks first and then cannot fail, so that a panic elsewhere leaves nothing half done.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Order {
    pub(crate) fn total(&self) -> Price {
        self.lines.iter().map(Line::total).sum::<Price>() + self.delivery.price()
    }
}

impl Line {
    pub(crate) fn total(&self) -> Price {
        self.product.price * self.amount
    }
}

impl OrderNumber {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = [48, 32, 16, 0].map(|shift| (self.0 >> shift) & 0xffff);
        write!(f, "{a:04x}-{b:04x}-{c:04x}-{d:04x}")
    }
}
