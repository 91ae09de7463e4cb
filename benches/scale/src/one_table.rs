//! What a first attempt would have: one table for active and old, by a random id, with an index to list a user's by when they
//! were changed.

use crate::forms::Form;
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// As many as `SqlStore` has.
const CONNECTIONS: u32 = 16;

pub(crate) const LAYOUT: &str = "CREATE TABLE one_table (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
        began_at TIMESTAMPTZ NOT NULL DEFAULT now(), updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updates BIGINT NOT NULL DEFAULT 1, payload JSONB NOT NULL
    );
    CREATE INDEX one_table_user ON one_table (user_id, updated_at)";

const BEGIN: &str =
    "INSERT INTO one_table (user_id, kind, status, payload) VALUES ($1, $2, 'active', $3::jsonb) RETURNING id::text";
const LOAD: &str = "SELECT payload::text FROM one_table WHERE id = $1::uuid AND status = 'active'";
const UPDATE: &str = "UPDATE one_table SET payload = $2::jsonb, updates = updates + 1, updated_at = now() WHERE id = $1::uuid AND status = 'active'";
const END: &str =
    "UPDATE one_table SET status = 'completed', updated_at = now() WHERE id = $1::uuid AND status = 'active'";

/// The table, and which row is each user's.
#[derive(Clone, Debug)]
pub(crate) struct OneTable {
    pool: PgPool,
    active: Arc<Vec<String>>,
    ended: Arc<AtomicU64>,
}

impl OneTable {
    /// Has each of so many users begin a session.
    pub(crate) async fn with_users(url: &str, users: usize) -> Result<Self, sqlx::Error> {
        let options = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
        let pool = options.connect(url).await?;
        let mut active = Vec::new();
        let mut transaction = pool.begin().await?;
        for user in 0..users {
            active.push(begin(&mut *transaction, user, "transfer", &text(&Form::any())).await?);
        }
        transaction.commit().await?;
        Ok(Self { pool, active: active.into(), ended: Arc::default() })
    }

    /// Reads a user's session, and answers how long it takes then to put another form in its place.
    pub(crate) async fn update(&self, user: usize, form: &Form) -> Result<Duration, sqlx::Error> {
        let id = &self.active[user];
        let before: String = sqlx::query_scalar(LOAD).bind(id).fetch_one(&self.pool).await?;
        serde_json::from_str::<Form>(&before).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let began = Instant::now();
        let updated = sqlx::query(UPDATE).bind(id).bind(text(form)).execute(&self.pool).await?;
        let took = began.elapsed();
        if updated.rows_affected() == 1 { Ok(took) } else { Err(sqlx::Error::RowNotFound) }
    }

    /// A session of this user begins, and is completed.
    pub(crate) async fn end(&self, user: usize, form: &Form) -> Result<(), sqlx::Error> {
        let id = begin(&self.pool, user, "payment", &text(form)).await?;
        sqlx::query(END).bind(id).execute(&self.pool).await?;
        self.ended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// How many have ended so far.
    pub(crate) fn ended(&self) -> u64 {
        self.ended.load(Ordering::SeqCst)
    }
}

async fn begin<'a>(
    database: impl sqlx::PgExecutor<'a>,
    user: usize,
    kind: &str,
    payload: &str,
) -> Result<String, sqlx::Error> {
    let user = crate::forms::user(user);
    sqlx::query_scalar(BEGIN).bind(user.as_str()).bind(kind).bind(payload).fetch_one(database).await
}

fn text(form: &Form) -> String {
    serde_json::to_string(form).expect("a form has nothing that JSON has not")
}
