//! Signs users in, and fills what is to be full.

use crate::forms;
use crate::one_table::{LAYOUT, OneTable};
use crate::plan::Plan;
use crate::progress::Bar;
use crate::servers::Servers;
use crate::site::{PATIENCE, Site};
use crate::system::{Subject, System};
use http::HeaderValue;
use std::error::Error;
use std::time::Instant;
use testbed::LIMIT;
use thin_session::{Keyring, RedisStore, SqlStore};
use tokio::task::JoinSet;

/// How many are signed in at once.
const AT_ONCE: usize = 8;

/// How many rows are filled in by one statement.
const CHUNK: u64 = 100_000;

/// A database, and all that is measured in it.
#[derive(Debug)]
pub(crate) struct Place {
    /// How many sessions had ended before.
    pub(crate) old: u64,
    pub(crate) url: String,
    pub(crate) subjects: [(System, Subject); 3],
}

impl Place {
    pub(crate) fn subject(&self, system: System) -> &Subject {
        let found = self.subjects.iter().find(|(which, _)| *which == system);
        &found.expect("a place has each system").1
    }
}

/// A database for each number of old sessions. In each the same users are signed in.
pub(crate) async fn prepare(servers: &Servers, plan: &Plan, bar: &Bar) -> Result<Vec<Place>, Box<dyn Error>> {
    bar.begin(&format!("signing in {} users", plan.users));
    let keys = Keyring::generate();
    let first = servers.database();
    let cookies = welcome(&in_sql(&first, &keys).await?, plan.users).await?;
    let mut places = Vec::new();
    for (number, old) in plan.old.iter().copied().enumerate() {
        bar.begin(&format!("filling in {old} old sessions"));
        let url = servers.copy(&first);
        servers.command(&url, LAYOUT);
        fill(servers, &url, old, plan.users);
        let in_sql = in_sql(&url, &keys).await?.with_cookies(cookies.clone());
        let redis = connect(&servers.redis_database(number)).await?;
        let in_redis = Site::new(redis, sql(&url).await?, keys.clone());
        let redis_cookies = welcome(&in_redis, plan.users).await?;
        let in_redis = in_redis.with_cookies(redis_cookies);
        let one_table = OneTable::with_users(&url, plan.users).await?;
        // As a server finds it that has been up for long.
        servers.command(&url, "VACUUM (ANALYZE)");
        let subjects = [
            (System::SqlStore, Subject::Site(in_sql)),
            (System::RedisStore, Subject::Site(in_redis)),
            (System::OneTable, Subject::OneTable(one_table)),
        ];
        places.push(Place { old, url, subjects });
        bar.step();
    }
    servers.command(&first, "CHECKPOINT");
    Ok(places)
}

async fn sql(url: &str) -> Result<SqlStore, Box<dyn Error>> {
    Ok(SqlStore::postgres(url).await?.with_timeout(PATIENCE))
}

/// A machine that is busy may not answer at once.
async fn connect(url: &str) -> Result<RedisStore, Box<dyn Error>> {
    let give_up = Instant::now() + LIMIT;
    loop {
        match RedisStore::connect(url).await {
            Err(_) if Instant::now() < give_up => {}
            answer => return Ok(answer?),
        }
    }
}

/// A site whose store is the archive as well.
async fn in_sql(url: &str, keys: &Keyring) -> Result<Site, Box<dyn Error>> {
    let store = sql(url).await?;
    Ok(Site::new(store.clone(), store, keys.clone()))
}

/// Signs all users in. Answers their cookies.
async fn welcome(site: &Site, users: usize) -> Result<Vec<HeaderValue>, Box<dyn Error>> {
    let mut all = JoinSet::new();
    for part in 0..AT_ONCE {
        let site = site.clone();
        all.spawn(async move {
            let mut some = Vec::new();
            for number in (part..users).step_by(AT_ONCE) {
                some.push((number, site.welcome(number).await?));
            }
            Ok::<_, thin_session::SessionError>(some)
        });
    }
    let mut cookies = Vec::new();
    for some in all.join_all().await {
        cookies.extend(some?);
    }
    cookies.sort_unstable_by_key(|(number, _)| *number);
    Ok(cookies.into_iter().map(|(_, cookies)| cookies).collect())
}

/// Sessions that ended within the last three years, in the archive and in the one table alike.
fn fill(servers: &Servers, url: &str, old: u64, users: usize) {
    let form = serde_json::to_string(&forms::Form::any()).expect("a form has nothing that JSON has not");
    for first in (0..old).step_by(CHUNK as usize) {
        let last = (first + CHUNK).min(old) - 1;
        servers.command(url, &archive(first, last, old, users, &form));
    }
    let same = "INSERT INTO one_table (user_id, kind, status, began_at, updated_at, updates, payload)
        SELECT user_id, kind, reason, to_timestamp(began / 1000.0), to_timestamp(ended / 1000.0), updates, payload::text::jsonb
        FROM thin_archive ORDER BY id";
    servers.command(url, same);
}

/// Rows as the mover makes them: ids begin with the time of the beginning, and whose they are is chance. Payloads are a form whose
/// longest text is another in each.
fn archive(first: u64, last: u64, old: u64, users: usize, form: &str) -> String {
    let [before, after] = split_around_reference(form);
    format!(
        "INSERT INTO thin_archive (layer, id, user_id, kind, reason, began, ended, updates, payload)
        SELECT '', (lpad(to_hex(began), 12, '0') || '7' || substr(chance, 1, 3) || '8' || substr(chance, 4, 15))::uuid,
            'user-' || lpad(floor(random() * {users})::bigint::text, 6, '0'),
            (ARRAY['payment', 'transfer', 'visit'])[1 + floor(random() * 3)::int],
            (ARRAY['completed', 'completed', 'abandoned', 'expired'])[1 + floor(random() * 4)::int],
            began, began + 60000 + floor(random() * 600000)::bigint, 2 + floor(random() * 8)::bigint,
            ('{before}' || chance || md5(chance) || '{after}')::json
        FROM (
            SELECT (extract(epoch FROM now()) * 1000)::bigint - (({old} - number) * (3 * 365 * 86400000.0 / {old}))::bigint - 700000 AS began,
                md5(random()::text) AS chance
            FROM generate_series({first}, {last}) AS number
        ) AS numbered"
    )
}

/// What of a form stands before and after its reference.
fn split_around_reference(form: &str) -> [&str; 2] {
    let name = "\"reference\":\"";
    let (before, rest) = form.split_at(form.find(name).expect("a form has a reference") + name.len());
    [before, &rest[rest.find('"').expect("it ends")..]]
}
