//! What every subject keeps: a small cart.

use serde::{Deserialize, Serialize};
use thin_session::SessionData;

/// A user and five items with their counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cart {
    pub user_id: u64,
    pub items: Vec<(u32, u32)>,
}

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

impl Cart {
    pub fn new() -> Self {
        Self { user_id: 421_337, items: (0..5).map(|i| (10_000 + i, 1)).collect() }
    }

    pub fn add(&mut self) {
        self.items[0].1 += 1;
    }

    /// What handlers answer: it depends on all that is stored.
    pub fn text(&self) -> String {
        let count = self.items.iter().map(|(_, count)| count).sum::<u32>();
        text(self.user_id, self.items.len(), count)
    }

    /// What a handler must answer after so many additions.
    pub fn text_after(additions: u32) -> String {
        text(421_337, 5, 5 + additions)
    }
}

fn text(user_id: u64, kinds: usize, count: u32) -> String {
    format!("user {user_id}: {count} of {kinds} kinds")
}
