//! Any of what is compared.

use crate::forms::Form;
use crate::one_table::OneTable;
use crate::site::{Site, Wish};
use serde::Serialize;
use std::time::Duration;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum System {
    /// `SqlStore` on Postgres, which has the archive as well, in a table of its own.
    SqlStore,
    /// `RedisStore`, with the archive in Postgres.
    RedisStore,
    /// One table in Postgres that holds active and old.
    OneTable,
}

impl System {
    pub(crate) const ALL: [Self; 3] = [Self::SqlStore, Self::RedisStore, Self::OneTable];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SqlStore => "`SqlStore`, archive apart",
            Self::RedisStore => "`RedisStore`, archive apart",
            Self::OneTable => "one table for all",
        }
    }
}

/// One of them, with so much in it.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Site(Site),
    OneTable(OneTable),
}

impl Subject {
    /// Updates a user's active session, and answers how long that took; not how long it took to read it before.
    pub(crate) async fn update(&self, user: usize) -> Result<Duration, String> {
        let form = Form::any();
        match self {
            Self::Site(site) => site.carry_out(user, Wish::Update(form)).await.map_err(|error| explained(&error)),
            Self::OneTable(table) => table.update(user, &form).await.map_err(|error| explained(&error)),
        }
    }

    /// A session of this user begins, and ends.
    pub(crate) async fn end(&self, user: usize) -> Result<(), String> {
        let form = Form::any();
        match self {
            Self::Site(site) => {
                site.carry_out(user, Wish::End(form)).await.map(drop).map_err(|error| explained(&error))
            }
            Self::OneTable(table) => table.end(user, &form).await.map_err(|error| explained(&error)),
        }
    }

    /// How many have come so far to where they are kept.
    pub(crate) fn kept(&self) -> u64 {
        match self {
            Self::Site(site) => site.archive.moved(),
            Self::OneTable(table) => table.ended(),
        }
    }
}

fn explained(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
