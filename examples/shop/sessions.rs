//! Where sessions are kept, and under which keys.

use crate::cart::Cart;
use crate::checkout::Checkout;
use std::env::{VarError, var};
use std::error::Error;
use thin_session::{Keyring, MemoryStore, RedisStore, Secret, SessionLayer};

/// The layer around all routes. It costs nothing on those that do not ask for it.
pub(crate) async fn layer(redis: Option<&str>) -> Result<SessionLayer, Box<dyn Error>> {
    let layer = match redis {
        Some(url) => {
            let keys = lasting_keys()?;
            SessionLayer::new(RedisStore::connect(url).await?, keys)
        }
        None => SessionLayer::new(MemoryStore::new(), Keyring::generate()), // as short-lived as the store
    };
    Ok(layer.slots::<(Cart, Checkout)>())
}

/// The keys that all processes share, and that open tomorrow what they sealed today.
fn lasting_keys() -> Result<Keyring, Box<dyn Error>> {
    match (var("SESSION_LASTING_SECRET"), var("SESSION_SECRET")) {
        (Ok(lasting), Ok(current)) => Ok(Keyring::new(Secret::from_base64(&lasting)?, Secret::from_base64(&current)?)?),
        (Err(VarError::NotPresent), Err(VarError::NotPresent)) => {
            tracing::warn!(
                "keys were made up for this run: with SESSION_LASTING_SECRET and SESSION_SECRET, carts outlive it"
            );
            Ok(Keyring::generate())
        }
        _ => Err("set both SESSION_LASTING_SECRET and SESSION_SECRET, or none of them".into()),
    }
}
