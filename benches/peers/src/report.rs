//! What was measured, as tables and as JSON.

use crate::cases::Case;
use crate::measure::IN_FLIGHT;
use crate::subjects::{NO_OP, RAW};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Topology {
    /// Server and application share one core.
    OneCore,
    /// Both may use both, and the application is an ordinary one with two worker threads.
    TwoCores,
}

/// Lower quartile, median, upper quartile.
pub type Quartiles = [f64; 3];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    pub topology: Topology,
    pub case: Case,
    pub in_flight: usize,
    pub subject: String,
    /// For each request.
    pub nanos: Quartiles,
    /// Requests per second beside those of the raw handler in the same round.
    pub of_raw: Option<Quartiles>,
    /// Nanoseconds more than the bare route in the same round.
    pub over_bare: Option<Quartiles>,
    pub over_no_op: Option<Quartiles>,
    /// Of a visitor: nanoseconds more than the same router's route that asks for nothing.
    pub over_untouched: Option<Quartiles>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wire {
    pub subject: String,
    pub case: Case,
    pub commands: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    pub subject: String,
    /// For each session.
    pub bytes: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub server: String,
    pub rows: Vec<Row>,
    pub wire: Vec<Wire>,
    pub in_redis: Vec<Memory>,
    pub resident: Vec<Memory>,
    pub growth: Vec<Growth>,
    pub crowd: Vec<Crowd>,
}

/// What a request of this crate takes where there are so many sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Growth {
    pub store: String,
    pub case: Case,
    pub sessions: usize,
    pub nanos: Quartiles,
    /// Beside the least number of sessions, in the same round.
    pub of_few: Quartiles,
}

/// How long many requests at once take together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Crowd {
    pub what: String,
    pub millis: Quartiles,
}

impl Topology {
    pub fn name(self) -> &'static str {
        match self {
            Self::OneCore => "one core",
            Self::TwoCores => "two cores",
        }
    }
}

pub fn quartiles(mut values: Vec<f64>) -> Quartiles {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

impl Report {
    pub fn row(&self, topology: Topology, case: Case, in_flight: usize, subject: &str) -> Option<&Row> {
        let is_it = |row: &&Row| {
            row.topology == topology && row.case == case && row.in_flight == in_flight && row.subject == subject
        };
        self.rows.iter().find(is_it)
    }

    /// In the order in which they first come.
    pub fn subjects(&self, topology: Topology, case: Case) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in self.rows.iter().filter(|row| row.topology == topology && row.case == case) {
            if !names.contains(&row.subject.as_str()) {
                names.push(&row.subject);
            }
        }
        names
    }

    pub fn markdown(&self) -> String {
        let mut out = format!("Server: {}\n", self.server);
        for topology in [Topology::OneCore, Topology::TwoCores] {
            self.alone(topology, &mut out);
            for case in Case::STORED {
                self.stored(topology, case, &mut out);
            }
        }
        self.wires(&mut out);
        self.memory(&mut out);
        self.growth(&mut out);
        self.crowd(&mut out);
        out
    }

    fn growth(&self, out: &mut String) {
        out.push_str("\n### Time beside a store with a thousand sessions\n\n| | sessions | time | quartiles |\n|---|---|---|---|\n");
        for Growth { store, case, sessions, of_few: [lower, median, upper], .. } in &self.growth {
            let _ = writeln!(out, "| {store}, {} | {sessions} | {median:.2} | {lower:.2} – {upper:.2} |", case.name());
        }
    }

    fn crowd(&self, out: &mut String) {
        out.push_str("\n### Many at once\n\n| | milliseconds until all are answered |\n|---|---|\n");
        for Crowd { what, millis: [lower, median, upper] } in &self.crowd {
            let _ = writeln!(out, "| {what} | {median:.1} ({lower:.1} – {upper:.1}) |");
        }
    }

    fn alone(&self, topology: Topology, out: &mut String) {
        let bare = self.row(topology, Case::Plain, 1, crate::subjects::BARE);
        let Some(bare) = bare else { return };
        let _ = write!(
            out,
            "\n### Without a store, {}: nanoseconds more than the bare route ({:.0} ns), and than a layer that does nothing\n\n\
             | | untouched | with cookies | over no-op | with cookies | visitor over untouched |\n|---|---|---|---|---|---|\n",
            topology.name(),
            bare.nanos[1]
        );
        for subject in self.subjects(topology, Case::Plain) {
            let cell = |case, over: fn(&Row) -> Option<Quartiles>| {
                let row = self.row(topology, case, 1, subject);
                row.and_then(over).map_or("–".to_owned(), |value| format!("{:.0}", value[1]))
            };
            let _ = writeln!(
                out,
                "| {subject} | {} | {} | {} | {} | {} |",
                cell(Case::Plain, |row| row.over_bare),
                cell(Case::PlainWithCookies, |row| row.over_bare),
                if subject == NO_OP { "0".to_owned() } else { cell(Case::Plain, |row| row.over_no_op) },
                if subject == NO_OP { "0".to_owned() } else { cell(Case::PlainWithCookies, |row| row.over_no_op) },
                cell(Case::Visitor, |row| row.over_untouched),
            );
        }
    }

    fn stored(&self, topology: Topology, case: Case, out: &mut String) {
        let subjects = self.subjects(topology, case);
        if subjects.is_empty() {
            return;
        }
        let _ = write!(
            out,
            "\n### {}, {}: requests per second as a ratio to raw, with 1, 16 and 64 in flight\n\n\
             | | 1 | 16 | 64 |\n|---|---|---|---|\n",
            case.name(),
            topology.name()
        );
        for subject in subjects {
            let cells = IN_FLIGHT.map(|in_flight| {
                let Some(row) = self.row(topology, case, in_flight, subject) else { return "–".to_owned() };
                let Some(ratio) = row.of_raw else { return "–".to_owned() };
                let thousands = 1e6 / row.nanos[1];
                if subject == RAW { format!("{thousands:.1}k/s") } else { format!("{:.2}", ratio[1]) }
            });
            let _ = writeln!(out, "| {subject} | {} |", cells.join(" | "));
        }
    }

    fn wires(&self, out: &mut String) {
        out.push_str("\n### Commands to Redis for each request\n\n| | case | commands |\n|---|---|---|\n");
        for wire in &self.wire {
            let commands = if wire.commands.is_empty() { "none".to_owned() } else { wire.commands.join(", ") };
            let _ = writeln!(out, "| {} | {} | {commands} |", wire.subject, wire.case.name());
        }
    }

    fn memory(&self, out: &mut String) {
        for (what, all) in [("`used_memory` of Redis", &self.in_redis), ("resident memory", &self.resident)] {
            let _ = write!(out, "\n### Bytes of {what} for each of 100,000 sessions\n\n| | bytes |\n|---|---|\n");
            for memory in all {
                let _ = writeln!(out, "| {} | {:.0} |", memory.subject, memory.bytes);
            }
        }
    }
}
