//! A plot for the documentation: panels of bars, ours in blue.

use crate::cases::Case;
use crate::report::{Memory, Report, Row, Topology};
use crate::subjects::{BARE, RAW};
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const LABEL: f64 = 250.0;
const BAR: f64 = 16.0;
const STEP: f64 = 22.0;

struct Panel {
    title: &'static str,
    /// Longer bars are cut there.
    limit: f64,
    digits: usize,
    bars: Vec<(String, f64)>,
}

pub fn svg(report: &Report) -> String {
    let panels = [
        Panel {
            title: "A route that asks for nothing, cookies sent: nanoseconds more than without the layer",
            limit: 1500.0,
            digits: 0,
            bars: bars(report, Case::PlainWithCookies, 1, |row| row.over_bare.map(|over| over[1])),
        },
        Panel {
            title: "Read, 64 in flight, one core: requests per second beside a handler with one GET by hand",
            limit: 1.6,
            digits: 2,
            bars: bars(report, Case::Read, 64, |row| row.of_raw.map(|ratio| ratio[1])),
        },
        Panel {
            title: "Read and update, 64 in flight, one core: beside one GET and one unsafe SET by hand",
            limit: 1.6,
            digits: 2,
            bars: bars(report, Case::Update, 64, |row| row.of_raw.map(|ratio| ratio[1])),
        },
        Panel {
            title: "Bytes of Redis's memory for each session",
            limit: 900.0,
            digits: 0,
            bars: memory(&report.in_redis),
        },
        Panel {
            title: "Bytes of resident memory for each session",
            limit: 2500.0,
            digits: 0,
            bars: memory(&report.resident),
        },
    ];
    let (mut y, mut body) = (10.0, String::new());
    for panel in &panels {
        draw(panel, &mut y, &mut body);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{y}\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn bars(report: &Report, case: Case, in_flight: usize, of: fn(&Row) -> Option<f64>) -> Vec<(String, f64)> {
    let topology = Topology::OneCore;
    let subjects = report.subjects(topology, case).into_iter().filter(|name| *name != BARE);
    let row = |name: &str| report.row(topology, case, in_flight, name).and_then(of);
    // Whoever has a store, or is there to be compared with.
    let alone = ["raw", "cookie", "PrivateCookieJar"];
    subjects
        .filter(|name| case != Case::PlainWithCookies || !alone.iter().any(|prefix| name.starts_with(prefix)))
        .filter_map(|name| Some((name.to_owned(), row(name)?)))
        .collect()
}

fn memory(all: &[Memory]) -> Vec<(String, f64)> {
    all.iter().map(|memory| (memory.subject.clone(), memory.bytes)).collect()
}

fn draw(panel: &Panel, y: &mut f64, out: &mut String) {
    *y += 18.0;
    let _ = writeln!(out, "<text x=\"10\" y=\"{y}\" font-weight=\"bold\" fill=\"#222\">{}</text>", panel.title);
    *y += 10.0;
    let room = WIDTH - LABEL - 70.0;
    let longest = panel.bars.iter().map(|(_, value)| value.min(panel.limit)).fold(0.0, f64::max).max(1e-9);
    for (name, value) in &panel.bars {
        let color = match name.as_str() {
            ours if ours.starts_with("thin-session") => "#2563eb",
            RAW => "#9ca3af",
            _ => "#d1d5db",
        };
        let cut = if *value > panel.limit { " →" } else { "" };
        let (length, text) = (value.clamp(0.0, panel.limit) / longest * room, *y + 12.5);
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{text}\" text-anchor=\"end\" fill=\"#222\">{name}</text>\
             <rect x=\"{LABEL}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{color}\"/>\
             <text x=\"{:.1}\" y=\"{text}\" fill=\"#222\">{value:.*}{cut}</text>",
            LABEL - 8.0,
            LABEL + length + 6.0,
            panel.digits,
        );
        *y += STEP;
    }
    *y += 8.0;
}
