//! How many sessions ended on each of the last days, and how: of all customers, as a drawing and as a table. A real bank shows that to
//! its staff; here everybody may see it, as there are only numbers.

use crate::Office;
use crate::history::{choice, known_kind};
use crate::text::{date, short_date};
use crate::visit::Opened;
use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thin_session::archive::{Count, Steps};
use thin_session::{EndReason, SessionError, Sessions};

const DAY: Duration = Duration::from_secs(86_400);
/// How many days are shown, today among them.
const DAYS: usize = 28;

/// How sessions end: the class of each in the style sheet, and what people read. From the bottom of a bar up.
const ENDINGS: [(&str, &str); 4] =
    [("completed", "Completed"), ("abandoned", "Given up"), ("expired", "Ran out"), ("otherwise", "Otherwise")];

/// The drawing, in units of its own. It is as wide as the page; on a phone the style sheet makes its letters larger.
const WIDTH: usize = 400;
const LEFT: usize = 42;
const TOP: u64 = 12;
const HEIGHT: u64 = 160;

pub(crate) fn routes() -> Router<Arc<Office>> {
    Router::new().route("/days", get(show))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    kind: String,
}

/// Costs what a visit costs, and one call of the archive, which counts by an index.
async fn show(opened: Opened, sessions: Sessions, Query(asked): Query<Asked>) -> Result<Markup, SessionError> {
    let (kind, steps) = (known_kind(&asked.kind), last_days(SystemTime::now()));
    let days = Days::of(steps, &sessions.counts(kind, steps).await?);
    Ok(opened.page("By day", days.page(kind)))
}

/// Days as UTC has them.
pub(crate) fn last_days(now: SystemTime) -> Steps {
    let since_midnight = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() % DAY.as_millis();
    let midnight = now - Duration::from_millis(u64::try_from(since_midnight).unwrap_or_default());
    Steps::new(midnight - DAY * (DAYS as u32 - 1), DAY, DAYS)
}

/// Each day, and how many ended on it in each way.
pub(crate) struct Days(Vec<(SystemTime, [u64; ENDINGS.len()])>);

impl Days {
    /// Days without an end are in the drawing, though not among what was counted.
    pub(crate) fn of(steps: Steps, counts: &[Count]) -> Self {
        let mut days: Vec<_> = (0..DAYS as u64).map(|day| (steps.begin(day).into(), [0; ENDINGS.len()])).collect();
        for count in counts {
            let ending = match count.reason {
                EndReason::Completed => 0,
                EndReason::Abandoned => 1,
                EndReason::Expired => 2,
                _ => 3,
            };
            if let Some((_, ended)) = days.iter_mut().find(|(begin, _)| *begin == count.from_time()) {
                ended[ending] += count.sessions;
            }
        }
        Self(days)
    }

    pub(crate) fn page(&self, kind: Option<&str>) -> Markup {
        let most = self.0.iter().map(|(_, ended)| ended.iter().sum()).max().unwrap_or_default();
        html! {
            h1 { "By day" }
            (choice("/days", kind))
            p.soft { "What ended in the last " (DAYS) " days, of all customers." }
            figure {
                (self.drawing(round(most)))
                figcaption {
                    @for (class, name) in ENDINGS { span { span.swatch.(class) aria-hidden="true" {} (name) } }
                }
            }
            details {
                summary { "The same as a table" }
                (self.table())
            }
            div.actions.left { a.quiet href="/history" { "History" } }
        }
    }

    /// `top` is the number at its upper edge.
    fn drawing(&self, top: u64) -> Markup {
        let bottom = TOP + HEIGHT;
        html! {
            svg.days viewBox={ "0 0 " (WIDTH) " " (bottom + 26) } role="img" aria-labelledby="days-title" {
                title #days-title { "Sessions that ended on each day; the numbers are in the table below" }
                @for value in [0, top / 2, top] {
                    @let y = bottom - HEIGHT * value / top;
                    line.rule x1=(LEFT) x2=(WIDTH) y1=(y) y2=(y) {}
                    text.value x=(LEFT - 6) y=(y + 4) { (value) }
                }
                @for (number, (begin, ended)) in self.0.iter().enumerate() {
                    @let x = LEFT + 2 + number * (WIDTH - LEFT) / DAYS;
                    g {
                        title { (in_words(*begin, ended)) }
                        @for (ending, (class, _)) in ENDINGS.iter().enumerate() {
                            @let (below, value) = (ended[..ending].iter().sum::<u64>(), ended[ending]);
                            @let (y, upper) = (bottom - HEIGHT * below / top, bottom - HEIGHT * (below + value) / top);
                            @if value > 0 { rect class=(class) x=(x) y=(upper) width="9" height=((y - upper).max(1)) {} }
                        }
                    }
                    // Today, and every week before it.
                    @if (DAYS - 1 - number).is_multiple_of(7) {
                        text.date x=(x + 9) y=(bottom + 20) { (short_date(*begin)) }
                    }
                }
            }
        }
    }

    /// The latest day in front; days without an end are left out.
    fn table(&self) -> Markup {
        let days = self.0.iter().rev().filter(|(_, ended)| ended.iter().sum::<u64>() > 0);
        html! {
            table.days {
                caption { "Sessions that ended; days that are not listed had none" }
                thead { tr {
                    th scope="col" { "Day" }
                    @for (_, name) in ENDINGS { th scope="col" { (name) } }
                } }
                tbody { @for (begin, ended) in days {
                    tr {
                        th scope="row" { (short_date(*begin)) }
                        @for value in ended { td { (value) } }
                    }
                } }
            }
        }
    }
}

/// Such as "25 November 2026: 3 completed, 1 given up".
fn in_words(begin: SystemTime, ended: &[u64]) -> String {
    let of = |(value, (_, name)): (&u64, (_, &str))| format!("{value} {}", name.to_lowercase());
    let ended: Vec<_> = ended.iter().zip(ENDINGS).filter(|(value, _)| **value > 0).map(of).collect();
    let ended = if ended.is_empty() { "none".to_owned() } else { ended.join(", ") };
    format!("{}: {ended}", date(begin))
}

/// The next number from there up that is round, and has a half.
fn round(most: u64) -> u64 {
    let steps = (0..19).flat_map(|zeros| [2, 4, 10].map(|digit| digit * 10u64.pow(zeros)));
    steps.into_iter().find(|round| *round >= most).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(from: SystemTime, reason: EndReason, sessions: u64) -> Count {
        Count { from: from.into(), kind: "transfer".to_owned(), reason, sessions }
    }

    #[test]
    fn the_last_day_is_today_and_each_day_is_one_of_the_calendar() {
        for seconds in [1_798_761_600, 1_798_761_601, 1_798_847_999] {
            let steps = last_days(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            let begins = Days::of(steps, &[]).0.iter().map(|(begin, _)| date(*begin)).collect::<Vec<_>>();
            assert_eq!((begins.len(), &*begins[0], &*begins[27]), (28, "5 December 2026", "1 January 2027"));
        }
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_and_stands_on_those_below() {
        let steps = last_days(SystemTime::UNIX_EPOCH + Duration::from_secs(1_798_761_600));
        let today = SystemTime::UNIX_EPOCH + Duration::from_secs(1_798_761_600);
        let counts = [
            count(today, EndReason::Completed, 2),
            count(today, EndReason::Expired, 1),
            count(today, EndReason::Revoked, 1),
            // Not of these days.
            count(today + DAY, EndReason::Completed, 100),
        ];
        let page = Days::of(steps, &counts).page(None).into_string();
        let x = LEFT + 2 + 27 * (WIDTH - LEFT) / DAYS;
        for bar in [
            format!("<rect class=\"completed\" x=\"{x}\" y=\"92\" width=\"9\" height=\"80\">"),
            format!("<rect class=\"expired\" x=\"{x}\" y=\"52\" width=\"9\" height=\"40\">"),
            format!("<rect class=\"otherwise\" x=\"{x}\" y=\"12\" width=\"9\" height=\"40\">"),
            "<title>1 January 2027: 2 completed, 1 ran out, 1 otherwise</title>".to_owned(),
            "<th scope=\"row\">1 Jan</th><td>2</td><td>0</td><td>1</td><td>1</td>".to_owned(),
        ] {
            assert!(page.contains(&bar), "{bar} in {page}");
        }
        assert_eq!(page.matches("<rect").count(), 3);
    }

    #[test]
    fn the_upper_edge_is_round_and_above_all() {
        let rounded = [0, 1, 2, 3, 4, 5, 10, 11, 21, 41, 1000, 1001].map(round);
        assert_eq!(rounded, [2, 2, 2, 4, 4, 10, 10, 20, 40, 100, 1000, 2000]);
    }

    #[test]
    fn any_number_can_be_drawn() {
        let steps = last_days(SystemTime::now());
        let days = Days::of(steps, &[count(steps.begin(3).into(), EndReason::Completed, 1_000_000_007)]);
        assert!(days.page(None).into_string().contains("<td>1000000007</td>"));
    }
}
