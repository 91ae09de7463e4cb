//! Medians, quantiles and ratios.

use serde::Serialize;
use std::time::Duration;

/// How long updates took.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// Of how many.
    pub updates: usize,
    /// Half of them took less, in milliseconds.
    pub median: f64,
    /// One in a hundred took longer, in milliseconds. None of fewer than a hundred.
    pub p99: Option<f64>,
}

impl Latency {
    /// None of none.
    pub(crate) fn of(millis: &[f64]) -> Option<Self> {
        let p99 = quantile(millis, 0.99).filter(|_| millis.len() >= 100);
        Some(Self { updates: millis.len(), median: median(millis)?, p99 })
    }
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub(crate) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Between the two values that are nearest. None of none.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = sorted.len().checked_sub(1)? as f64 * share;
    let (below, above) = (place.floor(), place.ceil());
    Some(sorted[below as usize] + (sorted[above as usize] - sorted[below as usize]) * (place - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_where_they_should() {
        let values: Vec<f64> = (0..=200).rev().map(f64::from).collect();
        assert_eq!(median(&values), Some(100.0));
        assert_eq!(quantile(&values, 0.99), Some(198.0));
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(&[]), None);
        let few = Latency::of(&values[..99]).expect("there are some");
        assert_eq!((few.updates, few.p99), (99, None));
        assert_eq!(Latency::of(&values).expect("there are some").p99, Some(198.0));
    }
}
