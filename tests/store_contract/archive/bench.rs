//! An archive, and the hand on its time.

use crate::bench::{Database, Memory, Sql};
use std::time::Duration;
use thin_session::archive::{Archive, Timestamp};
use thin_session::testing::conformance::Bench as _;
use thin_session::{MemoryStore, SqlStore};

/// Makes of each function a test on every archive.
macro_rules! for_all_archives {
    ($($name:ident)+) => {
        mod memory { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(&<crate::bench::Memory as thin_session::testing::conformance::Bench>::start().await).await; })+ }
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(&<crate::bench::Sqlite as thin_session::testing::conformance::Bench>::start().await).await; })+ }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(&<crate::bench::Postgres as thin_session::testing::conformance::Bench>::start().await).await; })+ }
    };
}
pub(crate) use for_all_archives;

pub(crate) trait ArchiveBench {
    type Archive: Archive + Clone;

    fn archive(&self) -> &Self::Archive;

    /// Lets time pass for the archive.
    async fn advance(&self, time: Duration);

    /// The archive's time, which stands still but for [`advance`](Self::advance).
    async fn now(&self) -> Timestamp;
}

impl ArchiveBench for Memory {
    type Archive = std::sync::Arc<MemoryStore>;

    fn archive(&self) -> &Self::Archive {
        self.store()
    }

    async fn advance(&self, time: Duration) {
        self.wait(time).await;
    }

    async fn now(&self) -> Timestamp {
        self.clock().now()
    }
}

impl<D: Database> ArchiveBench for Sql<D> {
    type Archive = SqlStore;

    fn archive(&self) -> &Self::Archive {
        self.store()
    }

    async fn advance(&self, time: Duration) {
        self.wait(time).await;
    }

    async fn now(&self) -> Timestamp {
        self.clock().now()
    }
}
