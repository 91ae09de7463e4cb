//! Whether there is an order of all steps of a history, in keeping with the order in which clients asked and were told, in which one
//! request at a time would have come to the same. The search of Wing and Gong, which remembers where it has been.

use super::model::State;
use super::op::Op;
use std::collections::HashSet;

/// How many steps of each operation have been taken, a few bits for each.
type Progress = u128;

const BITS: usize = 4;

struct Search<'a> {
    history: &'a [Op],
    steps: Vec<(u8, u8)>,
    been: HashSet<(Progress, State)>,
    farthest: (u32, Progress),
}

/// What the checker says of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    /// No order explains it. The operations that were never reached in the order that went farthest.
    Broken(Vec<u8>),
}

pub(crate) fn check(history: &[Op]) -> Verdict {
    assert!(history.len() * BITS <= 128, "a history of {} operations is too long", history.len());
    let steps = history.iter().map(State::steps).collect();
    let mut search = Search { history, steps, been: HashSet::new(), farthest: (0, 0) };
    if search.goes_on(0, State::of(history), 0) {
        return Verdict::Fine;
    }
    let (_, progress) = search.farthest;
    let missing = (0..history.len()).filter(|number| search.is_owed(progress, *number));
    Verdict::Broken(missing.filter_map(|number| u8::try_from(number).ok()).collect())
}

impl Search<'_> {
    fn taken(progress: Progress, number: usize) -> u8 {
        (progress >> (BITS * number) & ((1 << BITS) - 1)) as u8
    }

    fn is_owed(&self, progress: Progress, number: usize) -> bool {
        Self::taken(progress, number) < self.steps[number].0
    }

    fn goes_on(&mut self, progress: Progress, state: State, depth: u32) -> bool {
        let owed = (0..self.history.len()).filter(|number| self.is_owed(progress, *number));
        let Some(by) = owed.map(|number| self.history[number].answered).min() else { return true };
        if !self.been.insert((progress, state.clone())) {
            return false;
        }
        if depth >= self.farthest.0 {
            self.farthest = (depth, progress);
        }
        for number in 0..self.history.len() {
            let (op, step) = (&self.history[number], Self::taken(progress, number));
            // Whatever was told before this was asked must have been done before.
            if step >= self.steps[number].1 || op.asked > by {
                continue;
            }
            let progress = progress + (1 << (BITS * number));
            for next in state.after(number as u8, op, step) {
                if self.goes_on(progress, next, depth + 1) {
                    return true;
                }
            }
        }
        false
    }
}
