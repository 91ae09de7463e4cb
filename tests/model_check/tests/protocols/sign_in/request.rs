//! What a request does between two steps of the store: `src/exchange/sign_in.rs`, `admission.rs`, `change.rs` and `sign_out.rs`.

use super::store::{Call, Failure, Key, NOBODY, Record, Reply, State, Why};
use super::{Flaw, Kind, Scenario, World};
use crate::turn::{Turn, hold_back};
use model_check::{By, Step};

/// Where a request is: what it does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Pc {
    #[default]
    Waiting,
    /// `Exchange::find`: what this cookie leads to.
    Load(u8),
    /// `Move::take_over`, first step; then `give_way`, and copying again in it.
    Admit,
    End,
    CopyAgain,
    /// `Move::emptied`.
    Empty,
    /// `Move::follow`: to where somebody else moved it. From `take_over` the copy is dropped then.
    Follow(Key),
    /// `Exchange::discard`, and then to the answer if there is one.
    Discard(Option<Key>),
    /// `Move::begin`.
    Begin,
    /// `Move::succeed`, over a session of the same user.
    Again,
    /// `Exchange::end` of another user's, after `begin`; or in signing out, of this cookie's.
    EndTheirs(Key),
    SignOut(u8, Key),
    /// `Exchange::commit` of an update.
    Commit,
    EndAll,
    /// Only in a flawed protocol: the second half of an admission.
    List,
    /// Cookies go to the response: for a session, and whether a marker leads there.
    Answer(Option<Key>, bool),
    /// The response is on its way.
    Sent(Option<Key>),
    Done,
}

/// A record as it was seen, or made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) key: Key,
    pub(super) write: u8,
    pub(super) items: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) pc: Pc,
    /// The cookies it came with: the signed-in one first.
    claims: [Option<Key>; 2],
    /// Where the first of them led that had ended.
    moved: Option<Key>,
    old: Seen,
    new: Seen,
    /// Whether there is a copy, so that it can be dropped.
    has_copy: bool,
    /// The user's epoch that it carries, and what it was when it began.
    epoch: u8,
    began: u8,
    /// A transmission had no reply.
    silent: bool,
    /// How often it has sealed, and how often begun.
    sealed: u8,
    begun: u8,
    /// The first copy, for the flaw that empties that.
    first: u8,
}

impl Request {
    pub(super) fn is_under_way(&self) -> bool {
        !matches!(self.pc, Pc::Waiting | Pc::Done)
    }

    fn seal(&mut self, r: usize) -> u8 {
        self.sealed += 1;
        assert!(self.sealed <= 6, "ids for more writes");
        6 * r as u8 + self.sealed
    }

    fn next_key(&mut self, r: usize) -> Key {
        self.begun += 1;
        assert!(self.begun <= 2, "ids for more sessions");
        2 * r as u8 + self.begun
    }

    fn done(&mut self) {
        *self = Self { pc: Pc::Done, ..Self::default() };
    }

    fn go(&mut self, pc: Pc) {
        (self.pc, self.silent) = (pc, false);
    }
}

type Steps = Vec<Step<World>>;

impl Turn<'_, Scenario> {
    pub(super) fn steps(&self, steps: &mut Steps) {
        let (request, kind) = (&self.world.requests[self.r], self.scenario.requests[self.r]);
        match request.pc {
            Pc::Waiting => self.begin(steps),
            Pc::Load(claim) => self.load(claim, kind, steps),
            Pc::Admit => self.admit(kind, steps),
            Pc::End => self.end(steps),
            Pc::CopyAgain => self.copy_again(steps),
            Pc::Empty => self.empty(steps),
            Pc::Follow(key) => self.follow(key, kind, steps),
            Pc::Discard(answer) => self.discard(answer, steps),
            Pc::Begin => self.admit_empty(kind, steps),
            Pc::Again => self.again(kind, steps),
            Pc::EndTheirs(key) => self.end_theirs(key, steps),
            Pc::SignOut(claim, key) => self.sign_out(claim, key, steps),
            Pc::Commit => self.commit(kind, steps),
            Pc::EndAll => self.end_all(kind, steps),
            Pc::List => self.list(steps),
            Pc::Answer(session, is_reachable) => self.answer(session, is_reachable, steps),
            Pc::Sent(session) => self.sent(session, kind, steps),
            Pc::Done => {}
        }
        if request.is_under_way() && !matches!(request.pc, Pc::Sent(_)) && self.world.crashes > 0 {
            self.step("its process crashes", "", By::Fault, steps, |world, r| {
                world.crashes -= 1;
                world.requests[r].done();
            });
        }
    }

    /// Sends a call, with all that can befall it: `PatientStore`.
    fn call(
        &self,
        what: &'static str,
        call: Call,
        steps: &mut Steps,
        heard: impl Fn(&mut World, usize, Result<Reply, Failure>),
    ) {
        let (flaw, silent) = (self.scenario.flaw, self.world.requests[self.r].silent);
        self.step(what, "", By::Itself, steps, |world, r| {
            let reply = world.deliver(call, flaw);
            heard(world, r, Ok(reply));
        });
        if silent {
            let failed = |world: &mut World, r: usize| heard(world, r, Err(Failure::Unknown));
            self.step(what, "and gives up", By::Itself, steps, failed);
        }
        if self.world.faults == 0 {
            return;
        }
        let fails = |world: &mut World, r: usize| {
            world.faults -= 1;
            world.requests[r].silent = true;
        };
        if matches!(call, Call::EndAll { .. }) {
            // In one step only where nothing that is given up can still come: in memory, and in a transaction.
            self.step(what, "and the reply is lost", By::Fault, steps, |world, r| {
                fails(world, r);
                world.deliver(call, flaw);
            });
        } else {
            // It arrives at once, later, or never: its reply is lost, it is late, or it is lost.
            self.step(what, "and nothing is heard", By::Fault, steps, |world, r| {
                fails(world, r);
                hold_back(&mut world.late, call);
            });
        }
        if !silent {
            self.step(what, "and is refused", By::Fault, steps, |world, r| {
                fails(world, r);
                world.requests[r].silent = false;
                heard(world, r, Err(Failure::Unavailable));
            });
        }
    }

    fn begin(&self, steps: &mut Steps) {
        let (world, kind) = (self.world, self.scenario.requests[self.r]);
        let jar = world.jar;
        // Whoever has no cookie begins something else.
        if jar == [None; 2] && !matches!(kind, Kind::EndAll(_)) {
            return;
        }
        self.step("is sent", "", By::Somebody, steps, |world, r| {
            let began = kind.user().map_or(0, |user| world.epochs[usize::from(user)]);
            let pc = match kind {
                Kind::EndAll(_) => Pc::EndAll,
                Kind::SignOut => Pc::SignOut(0, 0),
                _ => Pc::Load(0),
            };
            world.requests[r] = Request { pc, claims: jar, began, epoch: 0, ..Request::default() };
            if kind == Kind::SignOut {
                sign_out_next(&mut world.requests[r], 0);
            }
        });
    }

    /// `Exchange::find`, and what is done with what it finds.
    fn load(&self, claim: u8, kind: Kind, steps: &mut Steps) {
        let request = &self.world.requests[self.r];
        let Some(key) = request.claims[usize::from(claim)] else {
            return self.step("has no more cookies", "", By::Itself, steps, |world, r| {
                let request = &mut world.requests[r];
                if claim == 0 { request.go(Pc::Load(1)) } else { found_none(request, r, kind) }
            });
        };
        self.step("loads its session", "", By::Itself, steps, |world, r| {
            let there = world.load(key);
            let request = &mut world.requests[r];
            match there.state {
                State::Live => {
                    request.old = Seen { key, write: there.write, items: there.items };
                    match kind {
                        Kind::Update(_) => request.go(Pc::Commit),
                        _ if there.user == NOBODY => take_over(request, r, self.scenario.flaw),
                        _ if Some(there.user) == kind.user() => again(request, r),
                        _ => begin(request, r),
                    }
                    return;
                }
                State::Moved(..) if self.scenario.flaw == Some(Flaw::BeginsAnewWhereItMoved) => {}
                State::Moved(to, _) => request.moved = request.moved.or(Some(to)),
                State::Ended(_) | State::Absent => {}
            }
            if claim == 0 { request.go(Pc::Load(1)) } else { found_none(request, r, kind) }
        });
    }

    fn admit(&self, kind: Kind, steps: &mut Steps) {
        let Request { new, epoch, .. } = self.world.requests[self.r];
        let (user, flaw) = (kind.user().unwrap_or_default(), self.scenario.flaw);
        let Seen { key, write, items } = new;
        let call = Call::Admit { key, user, write, items, epoch, is_copy: true, predecessor: None };
        self.call("admits a copy", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            match heard {
                Ok(Reply::Applied) => {
                    request.has_copy = true;
                    match flaw {
                        Some(Flaw::MarksBeforeItCopies) => request.go(Pc::Answer(Some(key), true)),
                        Some(Flaw::ListsInASecondStep) => request.go(Pc::List),
                        _ => request.go(Pc::End),
                    }
                }
                Ok(Reply::Found(there)) if there.lives() => {
                    request.has_copy = true;
                    request.go(Pc::End);
                }
                Ok(Reply::Outdated(theirs)) if theirs <= request.began => {
                    request.epoch = theirs;
                    request.new.write = request.seal(r);
                    request.go(Pc::Admit);
                }
                // Refused, or not known: nobody hears of it.
                _ => request.done(),
            }
        });
    }

    fn list(&self, steps: &mut Steps) {
        let key = self.world.requests[self.r].new.key;
        let go_on = |world: &mut World, r: usize, _: Result<Reply, Failure>| world.requests[r].go(Pc::End);
        self.call("enters it into the list", Call::List { key }, steps, go_on);
    }

    /// `Move::give_way`.
    fn end(&self, steps: &mut Steps) {
        let (Request { old, new, .. }, flaw, by) = (self.world.requests[self.r], self.scenario.flaw, self.r as u8);
        let expected = (flaw != Some(Flaw::EndsWhateverIsThere)).then_some(old.write);
        let call = Call::End { key: old.key, expected, to: Ok((new.key, by)) };
        self.call("puts a marker", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            match heard {
                Ok(Reply::Applied) if flaw == Some(Flaw::MarksBeforeItCopies) => request.go(Pc::Admit),
                Ok(Reply::Applied) => request.go(Pc::Answer(Some(new.key), true)),
                Ok(Reply::Found(Record { state: State::Moved(..), .. })) if flaw == Some(Flaw::KeepsBoth) => {
                    request.go(Pc::Answer(Some(new.key), true));
                }
                Ok(Reply::Found(Record { state: State::Moved(_, of), .. })) if of == by => {
                    if flaw == Some(Flaw::DoesNotKnowItself) {
                        request.go(Pc::Discard(None));
                    } else {
                        request.go(Pc::Answer(Some(new.key), true));
                    }
                }
                Ok(Reply::Found(Record { state: State::Moved(to, _), .. })) => request.go(Pc::Follow(to)),
                Ok(Reply::Found(there)) if there.lives() => {
                    request.old = Seen { write: there.write, items: there.items, ..request.old };
                    request.go(Pc::CopyAgain);
                }
                Ok(_) => ended(world, r, flaw),
                Err(Failure::Unknown) if flaw != Some(Flaw::DropsWhatItDoesNotKnow) => request.done(),
                Err(_) => request.go(Pc::Discard(None)),
            }
        });
        self.no_time(steps);
    }

    /// `Contended`: the deadline of a loop has come.
    fn no_time(&self, steps: &mut Steps) {
        let Request { sealed, silent, .. } = self.world.requests[self.r];
        if self.world.faults > 0 && sealed > 1 && !silent {
            self.step("has no time left", "", By::Fault, steps, |world, r| {
                world.faults -= 1;
                world.requests[r].go(Pc::Discard(None));
            });
        }
    }

    /// A commit, so that what was ended meanwhile stays ended.
    fn copy_again(&self, steps: &mut Steps) {
        let (Request { old, new, .. }, flaw) = (self.world.requests[self.r], self.scenario.flaw);
        let mut sealed = self.world.requests[self.r];
        let write = sealed.seal(self.r);
        let user = self.scenario.requests[self.r].user().unwrap_or_default();
        let call = match flaw {
            Some(Flaw::CopiesAgainWithoutComparing) => Call::Put { key: new.key, user, write, items: old.items },
            _ => Call::Commit { key: new.key, base: new.write, write, items: old.items },
        };
        self.call("copies again", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            match heard {
                Ok(Reply::Applied) => {}
                Ok(Reply::Found(there)) if there.lives() && there.knows(write) => {}
                Err(Failure::Unknown) => return request.done(),
                Ok(_) | Err(Failure::Unavailable) => return request.go(Pc::Discard(None)),
            }
            request.sealed = sealed.sealed;
            request.new = Seen { write, items: old.items, ..new };
            request.go(Pc::End);
        });
    }

    fn empty(&self, steps: &mut Steps) {
        let (Request { new, first, .. }, flaw) = (self.world.requests[self.r], self.scenario.flaw);
        let mut sealed = self.world.requests[self.r];
        let write = sealed.seal(self.r);
        let empties_the_first = flaw == Some(Flaw::EmptiesTheFirstCopy);
        let base = if empties_the_first { first } else { new.write };
        let call = Call::Commit { key: new.key, base, write, items: 0 };
        self.call("empties the copy", call, steps, |world, r, heard| {
            let is_empty = match heard {
                Ok(Reply::Applied) => true,
                Ok(Reply::Found(there)) => there.lives() && there.knows(write),
                _ => false,
            };
            if is_empty {
                world.records[usize::from(new.key)].is_copy = false;
                world.requests[r].go(Pc::Answer(Some(new.key), false));
            } else if empties_the_first {
                world.requests[r].done();
            } else {
                world.requests[r].go(Pc::Discard(None));
            }
        });
    }

    fn follow(&self, key: Key, kind: Kind, steps: &mut Steps) {
        let flaw = self.scenario.flaw;
        self.step("follows it", "", By::Itself, steps, |world, r| {
            let there = world.load(key);
            let request = &mut world.requests[r];
            // Whose it is stands in the marker that led here.
            let is_ours = Some(owner_of(key, self.scenario)) == kind.user() || flaw == Some(Flaw::FollowsAnybody);
            match there.state {
                State::Live if is_ours && request.has_copy => request.go(Pc::Discard(Some(key))),
                State::Live if is_ours => request.go(Pc::Answer(Some(key), true)),
                State::Moved(to, _) if is_ours => request.go(Pc::Follow(to)),
                _ if request.has_copy => ended(world, r, flaw),
                _ => begin(request, r),
            }
        });
        // The response with it was lost, and this is a proof of its own: `began_well_after`.
        let Request { has_copy, old, .. } = self.world.requests[self.r];
        let there = self.world.load(key);
        if there.lives() && Some(there.user) == kind.user() && !has_copy && old == Seen::default() {
            self.step("signs in over where it leads", "", By::Itself, steps, |world, r| {
                let request = &mut world.requests[r];
                request.old = Seen { key, write: there.write, items: there.items };
                again(request, r);
            });
        }
    }

    fn discard(&self, answer: Option<Key>, steps: &mut Steps) {
        let key = self.world.requests[self.r].new.key;
        let call = Call::End { key, expected: None, to: Err(Why::Unclaimed) };
        self.call("drops its own", call, steps, |world, r, _| match answer {
            Some(key) => world.requests[r].go(Pc::Answer(Some(key), true)),
            None => world.requests[r].done(),
        });
    }

    fn admit_empty(&self, kind: Kind, steps: &mut Steps) {
        let Request { new, epoch, .. } = self.world.requests[self.r];
        let (user, Seen { key, write, .. }) = (kind.user().unwrap_or_default(), new);
        let call = Call::Admit { key, user, write, items: 0, epoch, is_copy: false, predecessor: None };
        self.call("begins an empty one", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            let is_there = match heard {
                Ok(Reply::Applied) => true,
                Ok(Reply::Found(there)) => there.lives(),
                Ok(Reply::Outdated(theirs)) if theirs <= request.began => {
                    request.epoch = theirs;
                    request.new.write = request.seal(r);
                    return request.go(Pc::Begin);
                }
                _ => false,
            };
            let old = request.old.key;
            if !is_there {
                request.done();
            } else if old != 0 && owner_of(old, self.scenario) != user {
                request.go(Pc::EndTheirs(old));
            } else {
                request.go(Pc::Answer(Some(key), false));
            }
        });
    }

    /// `Exchange::succeed`: the store does it in one step.
    fn again(&self, kind: Kind, steps: &mut Steps) {
        let Request { new, old, epoch, .. } = self.world.requests[self.r];
        let user = kind.user().unwrap_or_default();
        let (Seen { key, write, .. }, predecessor) = (new, Some((old.key, old.write, self.r as u8)));
        let call = Call::Admit { key, user, write, items: old.items, epoch, is_copy: false, predecessor };
        self.call("puts one in its place", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            match heard {
                Ok(Reply::Applied) => request.go(Pc::Answer(Some(key), true)),
                Ok(Reply::Found(there)) => match there.state {
                    State::Live => request.go(Pc::Answer(Some(key), true)),
                    State::Moved(to, _) => request.go(Pc::Follow(to)),
                    _ => request.done(),
                },
                Ok(Reply::Predecessor(there)) => match there.state {
                    State::Live => {
                        request.old = Seen { write: there.write, items: there.items, ..old };
                        request.new.write = request.seal(r);
                        request.go(Pc::Again);
                    }
                    State::Moved(to, _) => request.go(Pc::Follow(to)),
                    _ => begin(request, r),
                },
                Ok(Reply::Outdated(theirs)) if theirs <= request.began => {
                    request.epoch = theirs;
                    request.new.write = request.seal(r);
                    request.go(Pc::Again);
                }
                _ => request.done(),
            }
        });
    }

    fn end_theirs(&self, key: Key, steps: &mut Steps) {
        let call = Call::End { key, expected: None, to: Err(Why::Replaced) };
        self.call("ends the other user's", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            match heard {
                Ok(Reply::Found(Record { state: State::Moved(to, _), .. })) => request.go(Pc::EndTheirs(to)),
                Ok(_) => request.go(Pc::Answer(Some(request.new.key), false)),
                Err(_) => request.go(Pc::Discard(None)),
            }
        });
    }

    fn sign_out(&self, claim: u8, key: Key, steps: &mut Steps) {
        let call = Call::End { key, expected: None, to: Err(Why::SignedOut) };
        self.call("ends it", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            match heard {
                Ok(Reply::Found(Record { state: State::Moved(to, _), .. })) => request.go(Pc::SignOut(claim, to)),
                Ok(_) => sign_out_next(request, claim + 1),
                Err(_) => request.done(),
            }
            if matches!(request.pc, Pc::Answer(..)) {
                let claims = request.claims;
                claims.into_iter().flatten().for_each(|key| world.signed_out |= 1 << key);
            }
        });
    }

    fn commit(&self, kind: Kind, steps: &mut Steps) {
        let Kind::Update(item) = kind else { return };
        let old = self.world.requests[self.r].old;
        let mut sealed = self.world.requests[self.r];
        let write = sealed.seal(self.r);
        let call = Call::Commit { key: old.key, base: old.write, write, items: old.items | 1 << item };
        self.call("commits an update", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            let is_applied = match heard {
                Ok(Reply::Applied) => true,
                Ok(Reply::Found(there)) if there.knows(write) => true,
                Ok(Reply::Found(there)) if there.lives() => {
                    request.old = Seen { write: there.write, items: there.items, ..old };
                    request.sealed = sealed.sealed;
                    return request.go(Pc::Commit);
                }
                _ => false,
            };
            request.done();
            if is_applied {
                world.acknowledged |= 1 << item;
            }
        });
    }

    fn end_all(&self, kind: Kind, steps: &mut Steps) {
        let Kind::EndAll(user) = kind else { return };
        self.call("ends all of the user's", Call::EndAll { user }, steps, |world, r, _| world.requests[r].done());
    }

    /// `Exchange::send` and `hand_over`.
    fn answer(&self, session: Option<Key>, is_reachable: bool, steps: &mut Steps) {
        self.step("answers", "", By::Itself, steps, |world, r| {
            let wrong =
                session.is_some_and(|key| Some(owner_of(key, self.scenario)) != self.scenario.requests[r].user());
            if wrong {
                world.wrong = Some("nobody is handed the session of another user");
            }
            world.handed |= session.map_or(0, |key| 1 << key);
            world.requests[r].done();
            world.requests[r].pc = Pc::Sent(session);
        });
        if self.world.faults > 0 {
            self.step("answers", "but the client has gone", By::Fault, steps, |world, r| {
                world.faults -= 1;
                let request = &mut world.requests[r];
                if session.is_some() && !is_reachable { request.go(Pc::Discard(None)) } else { request.done() }
            });
        }
    }

    fn sent(&self, session: Option<Key>, kind: Kind, steps: &mut Steps) {
        self.step("its response arrives", "", By::Itself, steps, |world, r| {
            world.jar = if kind == Kind::SignOut { [None; 2] } else { [session, None] };
            world.requests[r].done();
        });
        if self.world.faults > 0 {
            self.step("its response is lost", "", By::Fault, steps, |world, r| {
                world.faults -= 1;
                world.requests[r].done();
            });
        }
    }
}

/// Of whom the id is: it is drawn by a request that signs somebody in.
fn owner_of(key: Key, scenario: &Scenario) -> u8 {
    match key {
        0 => NOBODY,
        key => scenario.requests[usize::from((key - 1) / 2)].user().unwrap_or_default(),
    }
}

fn found_none(request: &mut Request, r: usize, kind: Kind) {
    match (kind, request.moved) {
        (Kind::Update(_), _) => request.done(),
        (_, Some(to)) => request.go(Pc::Follow(to)),
        (_, None) => begin(request, r),
    }
}

fn take_over(request: &mut Request, r: usize, flaw: Option<Flaw>) {
    let (key, write) = (request.next_key(r), request.seal(r));
    request.first = write;
    request.new = Seen { key, write, items: request.old.items };
    request.go(if flaw == Some(Flaw::MarksBeforeItCopies) { Pc::End } else { Pc::Admit });
}

fn again(request: &mut Request, r: usize) {
    let (key, write) = (request.next_key(r), request.seal(r));
    request.new = Seen { key, write, items: 0 };
    request.go(Pc::Again);
}

fn begin(request: &mut Request, r: usize) {
    let (key, write) = (request.next_key(r), request.seal(r));
    request.new = Seen { key, write, items: 0 };
    request.go(Pc::Begin);
}

/// What was copied has ended.
fn ended(world: &mut World, r: usize, flaw: Option<Flaw>) {
    let request = &mut world.requests[r];
    if request.new.items == 0 || flaw == Some(Flaw::KeepsWhatHasEnded) {
        world.records[usize::from(request.new.key)].is_copy = false;
        request.go(Pc::Answer(Some(request.new.key), false));
    } else {
        request.go(Pc::Empty);
    }
}

fn sign_out_next(request: &mut Request, from: u8) {
    let next = (from..2).find_map(|claim| Some((claim, request.claims[usize::from(claim)]?)));
    request.go(next.map_or(Pc::Answer(None, false), |(claim, key)| Pc::SignOut(claim, key)));
}
