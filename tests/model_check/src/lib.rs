//! Tries every interleaving of a small model: breadth first, so that what leads to a violation is told by the shortest way.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::rc::Rc;

/// A protocol as a machine: states, and what leads from one to the next.
pub trait Model {
    /// All that counts, with all that the properties must remember.
    type State: Clone + Eq + Hash;

    /// Where it begins.
    fn begin(&self) -> Self::State;

    /// All that can happen next.
    fn steps(&self, state: &Self::State) -> Vec<Step<Self::State>>;

    /// Which property this state breaks, if any.
    fn broken(&self, state: &Self::State) -> Option<&'static str>;

    /// What can be reached from every state by what goes on by itself.
    fn goals(&self) -> Vec<Goal<Self::State>> {
        Vec::new()
    }
}

/// A name, and whether a state is there.
pub type Goal<S> = (&'static str, fn(&S) -> bool);

/// One atomic step: of a store, or of a process that has heard from it.
#[derive(Clone, Debug)]
pub struct Step<S> {
    /// Who takes it.
    pub who: &'static str,
    /// What it is.
    pub what: &'static str,
    /// How it goes, if not as it should.
    pub how: &'static str,
    /// Whether it can be relied on.
    pub by: By,
    /// What comes of it.
    pub to: S,
}

/// Why a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// It goes on by itself: nobody has to do anything.
    Itself,
    /// Somebody decides so.
    Somebody,
    /// Something fails.
    Fault,
}

/// What came of trying all.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Different states.
    pub states: usize,
    /// Steps from one to another.
    pub steps: usize,
    /// The longest of the shortest ways.
    pub depth: usize,
    /// How the first broken property was broken.
    pub violation: Option<Violation>,
}

/// A property that does not hold, and the shortest way to where it does not.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Its name.
    pub property: &'static str,
    /// Who did what, and how it went.
    pub trace: Vec<Told>,
}

type Told = [&'static str; 3];

/// Tries all that can happen.
///
/// # Panics
///
/// If there are more than `limit` states: the model has no bounds, or too large ones.
pub fn check<M: Model>(model: &M, limit: usize) -> Tried {
    let mut search = Search::begin(model.begin());
    while let Some(from) = search.open.pop_front() {
        let state = Rc::clone(&search.states[from as usize]);
        if let Some(property) = model.broken(&state) {
            return search.ends(Some((property, from)));
        }
        for step in model.steps(&state) {
            search.add(from, step);
        }
        assert!(search.states.len() <= limit, "more than {limit} states");
    }
    let stuck = model.goals().into_iter().find_map(|(name, is_there)| Some((name, search.misses(is_there)?)));
    search.ends(stuck)
}

struct Search<S> {
    numbers: HashMap<Rc<S>, u32>,
    states: Vec<Rc<S>>,
    /// How each was first come to.
    before: Vec<Option<(u32, Told)>>,
    depths: Vec<u32>,
    open: VecDeque<u32>,
    /// Steps that can be relied on.
    goes_on: Vec<(u32, u32)>,
    steps: usize,
}

impl<S: Clone + Eq + Hash> Search<S> {
    fn begin(first: S) -> Self {
        let first = Rc::new(first);
        Self {
            numbers: HashMap::from([(Rc::clone(&first), 0)]),
            states: vec![first],
            before: vec![None],
            depths: vec![0],
            open: VecDeque::from([0]),
            goes_on: Vec::new(),
            steps: 0,
        }
    }

    fn add(&mut self, from: u32, step: Step<S>) {
        let Step { who, what, how, by, to } = step;
        self.steps += 1;
        let number = match self.numbers.get(&to) {
            Some(number) => *number,
            None => {
                let (number, to) = (self.states.len() as u32, Rc::new(to));
                self.numbers.insert(Rc::clone(&to), number);
                self.states.push(to);
                self.before.push(Some((from, [who, what, how])));
                self.depths.push(self.depths[from as usize] + 1);
                self.open.push_back(number);
                number
            }
        };
        if by == By::Itself {
            self.goes_on.push((number, from));
        }
    }

    /// The first state from which none of these can be reached by what goes on by itself.
    fn misses(&mut self, is_there: fn(&S) -> bool) -> Option<u32> {
        self.goes_on.sort_unstable();
        let mut reaches: Vec<_> = self.states.iter().map(|state| is_there(state)).collect();
        let mut open: Vec<_> = (0..self.states.len() as u32).filter(|number| reaches[*number as usize]).collect();
        while let Some(number) = open.pop() {
            let first = self.goes_on.partition_point(|(to, _)| *to < number);
            for (_, from) in self.goes_on[first..].iter().take_while(|(to, _)| *to == number) {
                if !std::mem::replace(&mut reaches[*from as usize], true) {
                    open.push(*from);
                }
            }
        }
        reaches.iter().position(|reaches| !reaches).map(|number| number as u32)
    }

    fn ends(self, broken: Option<(&'static str, u32)>) -> Tried {
        let violation = broken.map(|(property, number)| Violation { property, trace: self.way_to(number) });
        let depth = self.depths.last().copied().unwrap_or_default() as usize;
        Tried { states: self.states.len(), steps: self.steps, depth, violation }
    }

    fn way_to(&self, mut number: u32) -> Vec<Told> {
        let mut trace = Vec::new();
        while let Some((before, told)) = self.before[number as usize] {
            trace.push(told);
            number = before;
        }
        trace.reverse();
        trace
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "not so: {}", self.property)?;
        for (i, [who, what, how]) in self.trace.iter().enumerate() {
            let comma = if how.is_empty() { "" } else { ", " };
            writeln!(f, "{:>4}. {who}: {what}{comma}{how}", i + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter that somebody sets to something, and that goes down by itself, but not from some number on.
    struct Counter {
        stuck_at: u8,
        forbidden: u8,
    }

    impl Model for Counter {
        type State = u8;

        fn begin(&self) -> u8 {
            0
        }

        fn steps(&self, state: &u8) -> Vec<Step<u8>> {
            let step = |by, what, to| Step { who: "counter", what, how: "", by, to };
            let up = (*state < 9).then(|| step(By::Somebody, "up", state + 1));
            let down = (*state > 0 && *state != self.stuck_at).then(|| step(By::Itself, "down", state - 1));
            up.into_iter().chain(down).collect()
        }

        fn broken(&self, state: &u8) -> Option<&'static str> {
            (*state == self.forbidden).then_some("it is small")
        }

        fn goals(&self) -> Vec<Goal<u8>> {
            vec![("it is nothing in the end", |state| *state == 0)]
        }
    }

    #[test]
    fn every_state_is_come_to_once() {
        let tried = check(&Counter { stuck_at: 10, forbidden: 10 }, 10);
        assert_eq!((tried.states, tried.steps, tried.depth), (10, 18, 9));
        assert!(tried.violation.is_none());
    }

    #[test]
    fn the_way_to_a_violation_is_the_shortest() {
        let violation = check(&Counter { stuck_at: 10, forbidden: 3 }, 10).violation.unwrap();
        assert_eq!((violation.property, violation.trace.len()), ("it is small", 3));
        assert_eq!(violation.to_string().lines().last(), Some("   3. counter: up"));
    }

    #[test]
    fn what_nobody_can_rely_on_leads_to_no_goal() {
        let violation = check(&Counter { stuck_at: 4, forbidden: 10 }, 10).violation.unwrap();
        assert_eq!((violation.property, violation.trace.len()), ("it is nothing in the end", 4));
    }

    #[test]
    #[should_panic(expected = "more than 5 states")]
    fn without_bounds_it_says_so() {
        check(&Counter { stuck_at: 10, forbidden: 10 }, 5);
    }
}
