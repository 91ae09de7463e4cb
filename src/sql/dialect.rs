//! All that differs between the engines in what they are told, and in how their errors read.

use crate::record::{ARCHIVED, History, State, offset};
use std::sync::OnceLock;

/// The engine that is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// A statement in the words that both engines understand, with these in braces for what they say differently:
///
/// | in braces | what it is |
/// |---|---|
/// | `now` | the time in milliseconds: parameter 1 where the process decides it, else the database's clock |
/// | `bytes`, `text`, `count` | the types of columns |
/// | `live` | the state of a live entry |
/// | `archived` | the format of one that goes to the archive |
/// | `shard` | the shard that `s.name` begins with |
/// | `history` | how many earlier write ids the entry in the column `entry` names |
/// | `lock` | what keeps rows of the table that is called `s` as they are to the end of the transaction |
/// | `hot` | how a table is kept whose rows change with each request |
/// | `later` | the later of two |
/// | `time(` and `)` | what makes of a number of milliseconds between them the bytes of a header, which compare alike |
/// | `listed` | the names in parameter 3, a list of them in JSON |
/// | `id`, `json` | the types of columns of the archive |
/// | `id_of`, `bytes_of_id` | what makes an id of its 32 digits, and bytes of an id |
/// | `ended` | the columns of the archive: of the layer in parameter 1, and the list of ended sessions in parameter 2 |
/// | `dead`, `listed_ids` | of the list in parameter 2: the columns of dead letters, of the layer in parameter 1; and ids |
/// | `shown` | the columns of the archive as people read them |
/// | `any(` and `any)` | what stands around a question for few rows, one of which it is to be |
/// | `skip` | after `lock`: what passes over rows that somebody else has locked |
pub(super) struct Statement {
    template: &'static str,
    text: OnceLock<String>,
    #[cfg(all(feature = "sqlite", feature = "postgres"))]
    other_text: OnceLock<String>,
}

// What the statements say in numbers.
const _: () = assert!(
    offset::STATE == 1
        && offset::WRITE_ID == 2
        && offset::DEADLINE == 14
        && offset::TOUCHED == 20
        && offset::HISTORY_LEN == 26
        && offset::HISTORY == 31
        && History::PREFIX == 6
        && History::MAX == 16
        && State::Live as u8 == 0
        && ARCHIVED == 2
);

impl Statement {
    pub(super) const fn new(template: &'static str) -> Self {
        Self {
            template,
            text: OnceLock::new(),
            #[cfg(all(feature = "sqlite", feature = "postgres"))]
            other_text: OnceLock::new(),
        }
    }

    pub(super) fn text(&'static self, dialect: Dialect) -> &'static str {
        self.place(dialect).get_or_init(|| dialect.translate(self.template))
    }

    #[cfg(all(feature = "sqlite", feature = "postgres"))]
    fn place(&self, dialect: Dialect) -> &OnceLock<String> {
        match dialect {
            Dialect::Sqlite => &self.text,
            Dialect::Postgres => &self.other_text,
        }
    }

    #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
    fn place(&self, _: Dialect) -> &OnceLock<String> {
        &self.text
    }
}

impl Dialect {
    pub(super) fn translate(self, template: &str) -> String {
        self.words().iter().fold(template.to_owned(), |text, (word, meaning)| text.replace(word, meaning))
    }

    fn words(self) -> [(&'static str, &'static str); 25] {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => [
                ("{now}", "$1"),
                ("{bytes}", "BLOB"),
                ("{text}", "TEXT"),
                ("{count}", "INTEGER PRIMARY KEY AUTOINCREMENT"),
                ("{live}", "x'00'"),
                ("{archived}", "x'02'"),
                (
                    "{shard}",
                    "(16 * instr('123456789ABCDEF', substr(hex(s.name), 1, 1)) \
                     + instr('123456789ABCDEF', substr(hex(s.name), 2, 1)))",
                ),
                ("{history}", "(instr(x'000102030405060708090a0b0c0d0e0f10', substr(entry, 27, 1)) - 1)"),
                ("{lock}", ""),
                ("{hot}", ""),
                ("{later}", "max"),
                ("{time(}", "unhex(printf('%012x', "),
                ("{)}", "))"),
                ("{listed}", "SELECT unhex(value) FROM json_each($3)"),
                ("{id}", "BLOB"),
                ("{json}", "TEXT"),
                ("{id_of}", "unhex"),
                ("{bytes_of_id}", ""),
                ("{any(}", "IN ("),
                ("{any)}", ")"),
                ("{skip}", ""),
                (
                    "{ended}",
                    "SELECT $1, unhex(value ->> 'id'), value ->> 'user_id', value ->> 'kind', value ->> 'reason', \
                     value ->> 'began', value ->> 'ended', value ->> 'updates', value ->> 'payload' \
                     FROM json_each($2) WHERE true",
                ),
                (
                    "{dead}",
                    "SELECT $1, unhex(value ->> 'id'), value ->> 'why', value ->> 'since', unhex(value ->> 'sealed') \
                     FROM json_each($2) WHERE true",
                ),
                ("{listed_ids}", "SELECT unhex(value) FROM json_each($2)"),
                (
                    "{shown}",
                    "layer, lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) \
                     || '-' || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) AS id, user_id, kind, reason, \
                     strftime('%Y-%m-%dT%H:%M:%fZ', began / 1000.0, 'unixepoch') AS began, \
                     strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1000.0, 'unixepoch') AS ended, updates, payload",
                ),
            ],
            #[cfg(feature = "postgres")]
            Self::Postgres => [
                ("{now}", "coalesce($1, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)"),
                ("{bytes}", "BYTEA"),
                // Never sorted as a language does, which changes with the libraries of the system.
                ("{text}", "TEXT COLLATE \"C\""),
                ("{count}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
                ("{live}", "'\\x00'::bytea"),
                ("{archived}", "'\\x02'::bytea"),
                ("{shard}", "get_byte(s.name, 0)"),
                ("{history}", "get_byte(entry, 26)"),
                ("{lock}", "FOR UPDATE OF s"),
                // Room on each page for what replaces its rows, and a vacuum that comes when some dozens of pages are worn.
                (
                    "{hot}",
                    "WITH (fillfactor = 60, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.05, \
                     autovacuum_vacuum_cost_delay = 0)",
                ),
                ("{later}", "greatest"),
                ("{time(}", "substr(int8send("),
                ("{)}", "), 3)"),
                ("{listed}", "SELECT decode(value, 'hex') FROM json_array_elements_text($3::json)"),
                ("{id}", "UUID"),
                // Not JSONB: that sorts the fields, drops those named twice, and refuses strings with U+0000.
                ("{json}", "JSON"),
                ("{id_of}", "uuid"),
                ("{bytes_of_id}", "uuid_send"),
                // An array: that the rows are few is taken for granted then, and each is found by an index.
                ("{any(}", "= ANY (ARRAY("),
                ("{any)}", "))"),
                ("{skip}", "SKIP LOCKED"),
                // In order: of two who add the same neither waits for the other in a circle.
                (
                    "{ended}",
                    "SELECT $1, id, user_id, kind, reason, began, ended, updates, payload::json \
                     FROM json_to_recordset($2::json) AS listed (id UUID, user_id TEXT, kind TEXT, reason TEXT, \
                     began BIGINT, ended BIGINT, updates BIGINT, payload TEXT) ORDER BY id",
                ),
                (
                    "{dead}",
                    "SELECT $1, id, why, since, decode(sealed, 'hex') FROM json_to_recordset($2::json) \
                     AS listed (id UUID, why TEXT, since BIGINT, sealed TEXT) ORDER BY id",
                ),
                ("{listed_ids}", "SELECT value::uuid FROM json_array_elements_text($2::json)"),
                (
                    "{shown}",
                    "layer, id, user_id, kind, reason, to_timestamp(began / 1000.0) AS began, \
                     to_timestamp(ended / 1000.0) AS ended, updates, \
                     replace(payload::text, '\\u0000', '\\ufffd')::jsonb AS payload",
                ),
            ],
        }
    }

    /// What begins a transaction that writes.
    pub(super) fn begin(self) -> &'static str {
        match self {
            // At once with the right to write: one that reads first can be refused it later.
            #[cfg(feature = "sqlite")]
            Self::Sqlite => "BEGIN IMMEDIATE",
            #[cfg(feature = "postgres")]
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Whether a statement that writes can stand inside of another, so that both are one step without a transaction around them.
    pub(super) fn nests_writes(self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => false,
            #[cfg(feature = "postgres")]
            Self::Postgres => true,
        }
    }

    /// What comes first in the transaction that lays out the tables, so that of several processes one does it.
    pub(super) fn begin_layout(self) -> &'static [&'static str] {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => &[],
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                &["SET LOCAL statement_timeout = '10s'", "SELECT pg_advisory_xact_lock(7526470899010000001)"]
            }
        }
    }

    /// What each table is given beyond what all engines know.
    pub(super) fn end_layout(self) -> &'static [&'static str] {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => &[],
            // Sealed bytes do not compress, and the header is read without the rest.
            #[cfg(feature = "postgres")]
            Self::Postgres => &["ALTER TABLE thin_session ALTER COLUMN entry SET STORAGE EXTERNAL"],
        }
    }

    /// What comes last before news are written: they become visible in the order of their numbers, and whoever listens hears
    /// of them. A database with one writer at a time needs neither.
    pub(super) fn before_news(self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => None,
            #[cfg(feature = "postgres")]
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(7526470899010000002), pg_notify('thin_news', '')"),
        }
    }

    /// Whether this error says that nothing was written, even of the statement or commit that it answers.
    pub(super) fn is_refusal(self, code: &str) -> bool {
        match self {
            // Not so where the disk failed: what was written before it did may be found after a crash.
            #[cfg(feature = "sqlite")]
            Self::Sqlite => primary(code).is_some_and(|code| code != sqlite::IOERR && code != sqlite::CORRUPT),
            // Not so where the server shuts down, or a proxy lost it: that can come after the commit.
            #[cfg(feature = "postgres")]
            Self::Postgres => !["57P", "08", "40003", "XX", "58", "F0"].iter().any(|class| code.starts_with(class)),
        }
    }

    /// Whether the disk or the memory is full.
    pub(super) fn is_full(self, code: &str) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => primary(code) == Some(sqlite::FULL),
            #[cfg(feature = "postgres")]
            Self::Postgres => matches!(code, "53100" | "53200"),
        }
    }

    /// Whether somebody else was in the way, who may be gone in a moment.
    pub(super) fn is_busy(self, code: &str) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => matches!(primary(code), Some(sqlite::BUSY | sqlite::LOCKED)),
            #[cfg(feature = "postgres")]
            Self::Postgres => matches!(code, "57014" | "55P03" | "40P01" | "40001"),
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
}

/// SQLite puts the kind of an error into the lowest byte of its code.
#[cfg(feature = "sqlite")]
fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    static STATEMENT: Statement = Statement::new("SELECT entry FROM t WHERE expires > {now} AND state = {live}");

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_is_told_the_time_and_its_errors_are_known() {
        assert_eq!(STATEMENT.text(Dialect::Sqlite), "SELECT entry FROM t WHERE expires > $1 AND state = x'00'");
        // Busy, busy with a newer snapshot, full, constraint, read-only.
        for code in ["5", "517", "13", "1555", "8"] {
            assert!(Dialect::Sqlite.is_refusal(code), "{code}");
        }
        // The disk failed, also on fsync; and what is no code.
        for code in ["10", "1034", "11", ""] {
            assert!(!Dialect::Sqlite.is_refusal(code), "{code}");
        }
        assert!(Dialect::Sqlite.is_full("13") && Dialect::Sqlite.is_busy("517") && !Dialect::Sqlite.is_busy("13"));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn postgres_knows_the_time_and_its_errors_are_known() {
        let text = STATEMENT.text(Dialect::Postgres);
        assert!(text.contains("coalesce($1, floor(extract(epoch FROM clock_timestamp())"), "{text}");
        // Statement timeout, lock timeout, deadlock, serialisation, disk full, read-only, unique, no right.
        for code in ["57014", "55P03", "40P01", "40001", "53100", "25006", "23505", "42501"] {
            assert!(Dialect::Postgres.is_refusal(code), "{code}");
        }
        // Shut down, crashed, connection failed, completion unknown, of a proxy, I/O.
        for code in ["57P01", "57P02", "08006", "40003", "XX000", "58030"] {
            assert!(!Dialect::Postgres.is_refusal(code), "{code}");
        }
        assert!(Dialect::Postgres.is_full("53100") && Dialect::Postgres.is_busy("57014"));
    }
}
