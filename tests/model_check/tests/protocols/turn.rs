//! What is the same in every model: that somebody takes a step, and that the network delivers what is late.

use super::Scenario;
use model_check::{By, Step};

/// The turn of one of those who act side by side: a request, or a task.
pub(super) struct Turn<'a, S: Scenario> {
    pub(super) scenario: &'a S,
    pub(super) world: &'a S::State,
    /// Whose it is.
    pub(super) r: usize,
}

impl<S: Scenario> Turn<'_, S> {
    /// A step that can be taken.
    pub(super) fn step(
        &self,
        what: &'static str,
        how: &'static str,
        by: By,
        steps: &mut Vec<Step<S::State>>,
        act: impl FnOnce(&mut S::State, usize),
    ) {
        let mut to = self.world.clone();
        act(&mut to, self.r);
        steps.push(Step { who: self.scenario.name(self.r), what, how, by, to });
    }
}

/// From now on a call is on its way for longer than anybody waits. In what order such calls were sent makes no difference.
pub(super) fn hold_back<C: Ord>(late: &mut Vec<C>, call: C) {
    late.push(call);
    late.sort_unstable();
}

/// What the network may do at any time: each call that is late arrives. `deliver` says of which kind it was.
pub(super) fn deliver_late<W: Clone>(
    steps: &mut Vec<Step<W>>,
    world: &W,
    late: usize,
    deliver: impl Fn(&mut W, usize) -> &'static str,
) {
    for i in 0..late {
        let mut to = world.clone();
        let how = deliver(&mut to, i);
        steps.push(Step { who: "the network", what: "delivers what was late", how, by: By::Itself, to });
    }
}
