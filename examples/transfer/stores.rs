//! Where sessions are kept while they are open, and where after they have ended.

use clap::Args;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use thin_session::{Keyring, MemoryStore, SessionLayer};

/// Which stores to use.
#[derive(Args)]
pub(crate) struct Stores {
    /// Keeps everything in the memory of this process: a restart forgets all of it.
    #[arg(long)]
    memory: bool,
}

impl Stores {
    /// The layer around all routes. It costs nothing on those that do not ask for it.
    pub(crate) async fn layer(&self) -> Result<SessionLayer, Box<dyn Error>> {
        if !self.memory {
            tracing::warn!("other stores are still to come: this is --memory");
        }
        let store = Arc::new(MemoryStore::new());
        // As short-lived as the store.
        Ok(SessionLayer::with_user_sessions(Arc::clone(&store), Keyring::generate()).archive(store))
    }
}

impl fmt::Display for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory")
    }
}
