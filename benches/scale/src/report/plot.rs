//! A picture of it: medians as lines, and the slowest of a hundred as dashes, by how many sessions had ended before.

use super::Report;
use super::table::grouped;
use crate::statistics::Latency;
use crate::system::System;
use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 310.0;

/// Told apart by those who see no red or green, too.
fn colour(system: System) -> &'static str {
    match system {
        System::SqlStore => "#0072b2",
        System::RedisStore => "#009e73",
        System::OneTable => "#d55e00",
    }
}

/// Milliseconds from bottom to top, so that as much more is as much higher anywhere.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// In steps of 1, 2 and 5, around all that is to be seen.
    fn around(report: &Report) -> Self {
        let seen = report.beside.iter().filter_map(|beside| beside.latency);
        let (mut least, mut most) = (f64::MAX, f64::MIN);
        for latency in seen {
            least = least.min(latency.median);
            most = most.max(latency.p99.unwrap_or(latency.median));
        }
        let steps = steps();
        let below = steps.iter().copied().rfind(|step| *step <= least).unwrap_or(steps[0]);
        let above = steps.iter().copied().find(|step| *step >= most).unwrap_or(steps[steps.len() - 1]);
        Self { least: below, most: above.max(2.0 * below) }
    }

    fn height(&self, millis: f64) -> f64 {
        let share = (millis / self.least).ln() / (self.most / self.least).ln();
        BOTTOM - share * (BOTTOM - TOP)
    }
}

/// From a microsecond to a quarter of an hour.
fn steps() -> Vec<f64> {
    (-3..6).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(power))).collect()
}

pub(super) fn plot(report: &Report) -> String {
    let scale = Scale::around(report);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    for step in steps().into_iter().filter(|step| (scale.least..=scale.most).contains(step)) {
        let y = scale.height(step);
        let line = format!("<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#ddd\"/>");
        put(&mut svg, &line);
        label(&mut svg, LEFT - 6.0, y + 4.0, "end", &format!("{step} ms"));
    }
    for (place, old) in report.plan.old.iter().enumerate() {
        label(&mut svg, x(report, place), BOTTOM + 20.0, "middle", &format!("{} ended before", grouped(*old)));
    }
    for (number, system) in System::ALL.into_iter().enumerate() {
        legend(&mut svg, number, system);
        line(&mut svg, report, &scale, system, "", |latency| Some(latency.median));
        line(&mut svg, report, &scale, system, " stroke-dasharray=\"4 4\"", |latency| latency.p99);
    }
    let what = "An update of an active session while others end: median (line) and p99 (dashes)";
    label(&mut svg, LEFT, 18.0, "start", what);
    svg + "</svg>\n"
}

fn x(report: &Report, place: usize) -> f64 {
    let places = report.plan.old.len();
    LEFT + (RIGHT - LEFT) * (place as f64 + 0.5) / places as f64
}

fn line(
    svg: &mut String,
    report: &Report,
    scale: &Scale,
    system: System,
    style: &str,
    value: impl Fn(&Latency) -> Option<f64>,
) {
    let mut path = String::new();
    for (place, old) in report.plan.old.iter().enumerate() {
        let Some(millis) = report.beside(system, *old).and_then(|beside| value(beside.latency.as_ref()?)) else {
            continue;
        };
        let (x, y) = (x(report, place), scale.height(millis));
        let step = if path.is_empty() { 'M' } else { 'L' };
        write!(path, "{step}{x:.1} {y:.1}").expect("a text takes everything");
        put(svg, &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{}\"/>", colour(system)));
    }
    put(svg, &format!("<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{style}/>", colour(system)));
}

fn legend(svg: &mut String, number: usize, system: System) {
    let x = LEFT + (RIGHT - LEFT) / 3.0 * number as f64;
    put(svg, &format!("<rect x=\"{x:.1}\" y=\"30\" width=\"12\" height=\"12\" fill=\"{}\"/>", colour(system)));
    label(svg, x + 18.0, 40.0, "start", &system.name().replace('`', ""));
}

fn label(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    put(svg, &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"));
}

fn put(svg: &mut String, element: &str) {
    svg.push_str(element);
    svg.push('\n');
}
