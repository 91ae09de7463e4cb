//! Sessions without HTTP, for unit tests of handlers. Feature `testing`; it adds constructors and changes nothing.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use thin_session::testing::Browser;
//! use thin_session::{Session, SessionData, SessionError};
//!
//! #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
//! struct Cart {
//!     items: Vec<u32>,
//! }
//!
//! impl SessionData for Cart {
//!     const NAME: &'static str = "cart";
//! }
//!
//! async fn add(mut cart: Session<Cart>) -> Result<usize, SessionError> {
//!     cart.update(|cart| {
//!         cart.items.push(7);
//!         cart.items.len()
//!     })
//!     .await
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let browser = Browser::new().holding(Cart { items: vec![1] });
//!     let cart = browser.session::<Cart>();
//!     browser.meanwhile::<Cart>(|cart| cart.items.push(2)); // another tab: forces a second run of the closure
//!     assert_eq!(add(cart).await.unwrap(), 3);
//!     assert_eq!(browser.stored(), Some(Cart { items: vec![1, 2, 7] }));
//!
//!     browser.end(); // signed out elsewhere, while this handler holds the session
//!     assert!(add(browser.session()).await.unwrap_err().is_ended());
//! }
//! ```
//!
//! Who writes a [`Store`](crate::store::Store) finds its contract as checks in [`conformance`].

mod browser;
pub mod conformance;
mod faulty;
mod forward;
#[doc(hidden)]
pub mod fuzz;
mod jar;
mod store;

#[doc(hidden)]
pub use crate::__forward as forward;
pub use browser::Browser;
pub use store::{
    ended_marker, is_fresh, key, member, moved_marker, owner, revocation, revocations, sent_out, user_session_key,
};
