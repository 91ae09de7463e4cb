//! How large tables and indexes are, and how updates were made.

use crate::prepare::Place;
use crate::servers::Servers;
use serde::Serialize;

/// What a database holds after all.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Sizes {
    /// How many sessions had ended before.
    pub old: u64,
    /// Tables, each with its indexes after it.
    pub relations: Vec<Relation>,
}

/// A table or an index.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Relation {
    /// What it is called.
    pub name: String,
    /// The table that it is an index of, or its own name.
    pub table: String,
    /// How many bytes it has on the disk.
    pub bytes: u64,
    /// Of a table: how many rows were updated in it.
    pub updated: u64,
    /// How many of those without a change of any index.
    pub updated_hot: u64,
}

const MEASURED: &str = "SELECT c.relname, coalesce(t.relname, c.relname), pg_relation_size(c.oid),
        coalesce(s.n_tup_upd, 0), coalesce(s.n_tup_hot_upd, 0)
    FROM pg_class c
    LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid
    LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE coalesce(t.relname, c.relname) IN ('thin_archive', 'thin_session', 'one_table') AND c.relkind IN ('r', 'i')
    ORDER BY 2, c.relkind DESC, 1";

impl Sizes {
    pub(crate) fn of(servers: &Servers, place: &Place) -> Self {
        let lines = servers.command(&place.url, MEASURED);
        Self { old: place.old, relations: lines.lines().map(Relation::of).collect() }
    }

    /// A table with all its indexes, in bytes.
    #[must_use]
    pub fn of_table(&self, table: &str) -> u64 {
        self.relations.iter().filter(|relation| relation.table == table).map(|relation| relation.bytes).sum()
    }

    /// A table or an index of this name.
    #[must_use]
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }
}

impl Relation {
    fn of(line: &str) -> Self {
        let columns: Vec<_> = line.split('|').collect();
        let [name, table, bytes, updated, updated_hot] = columns[..] else {
            panic!("five columns are asked for: {line}")
        };
        let number = |text: &str| text.parse().expect("a number");
        Self {
            name: name.to_owned(),
            table: table.to_owned(),
            bytes: number(bytes),
            updated: number(updated),
            updated_hot: number(updated_hot),
        }
    }
}
