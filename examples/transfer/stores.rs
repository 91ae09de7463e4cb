//! Where sessions are kept while they are open, and where after they have ended.

use crate::keys;
use clap::Args;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use thin_session::{Keyring, MemoryStore, RedisStore, SessionLayer, SqlStore};

/// Which stores to use: one file, if nothing else is said.
#[derive(Args)]
pub(crate) struct Stores {
    /// The file for everything: sessions, and what has ended. The keys are beside it, in one that ends in ".keys".
    #[arg(long, value_name = "FILE", default_value = "transfer.db")]
    data: PathBuf,
    /// Keeps sessions in Redis, such as redis://127.0.0.1/; what has ended is in the file.
    #[arg(long, value_name = "URL", conflicts_with_all = ["postgres", "memory"])]
    redis: Option<String>,
    /// Keeps everything in Postgres, such as postgres://localhost/bank; only the keys are beside the file.
    #[arg(long, value_name = "URL", conflicts_with = "memory")]
    postgres: Option<String>,
    /// Keeps everything in the memory of this process: a restart forgets all of it.
    #[arg(long)]
    memory: bool,
}

impl Stores {
    /// The layer around all routes. It costs nothing on those that do not ask for it.
    pub(crate) async fn layer(&self) -> Result<SessionLayer, Box<dyn Error>> {
        if self.memory {
            let store = Arc::new(MemoryStore::new());
            // As short-lived as the store.
            return Ok(SessionLayer::with_user_sessions(Arc::clone(&store), Keyring::generate()).archive(store));
        }
        let keys = keys::kept_in(&self.data.with_extension("keys"))?;
        let archive = match &self.postgres {
            Some(url) => SqlStore::postgres(url).await?,
            None => SqlStore::sqlite(&self.data).await?,
        };
        Ok(match &self.redis {
            Some(url) => SessionLayer::with_user_sessions(RedisStore::connect(url).await?, keys).archive(archive),
            None => SessionLayer::with_user_sessions(archive.clone(), keys).archive(archive),
        })
    }
}

/// Without what may be secret in an address.
impl fmt::Display for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.data.display();
        match self {
            Self { memory: true, .. } => f.write_str("memory"),
            Self { redis: Some(_), .. } => write!(f, "Redis, and what has ended in {file}"),
            Self { postgres: Some(_), .. } => f.write_str("Postgres"),
            _ => write!(f, "{file}"),
        }
    }
}
