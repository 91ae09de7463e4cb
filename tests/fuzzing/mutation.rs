//! Inputs that are nearly in order.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Makes inputs from those of a corpus.
pub(crate) struct Mutator<'a> {
    corpus: &'a [Vec<u8>],
    random: StdRng,
    input: Vec<u8>,
}

/// What parsers trip over.
const MORSELS: [&[u8]; 24] = [
    b"",
    b"=",
    b";",
    b"; ",
    b"\n",
    b"\t",
    b" ",
    b"\x0b",
    b"\"",
    b"\0",
    b"a",
    b"\xff",
    b"\x80",
    b"\x7f",
    b"\xff\xff\xff\xff",
    b"\x80\x80\x80\x80\x80",
    b"\xff\xff\xff\xff\x0f",
    b"\xc0\x80",
    b"%5F",
    b"__Host-Http-session",
    b"__Host-Http-session=",
    b"\xdf\xff\xff\xff\xff",
    b"\x91\x91\x91\x91",
    b"\x81\xa4next",
];

impl<'a> Mutator<'a> {
    pub(crate) fn new(corpus: &'a [Vec<u8>], seed: u64) -> Self {
        Self { corpus, random: StdRng::seed_from_u64(seed), input: Vec::new() }
    }

    /// The next input: one of the corpus, or the one before, changed a few times.
    pub(crate) fn next(&mut self) -> &[u8] {
        if self.input.len() > 4096 || self.random.random_ratio(1, 4) {
            self.input.clone_from(&self.corpus[self.random.random_range(0..self.corpus.len())]);
        }
        for _ in 0..self.random.random_range(1..6) {
            self.change();
        }
        &self.input
    }

    /// A place in the input, its end included.
    fn place(&mut self) -> usize {
        self.random.random_range(0..=self.input.len())
    }

    fn change(&mut self) {
        let (place, other) = (self.place(), self.place());
        let (from, to) = (place.min(other), place.max(other));
        match self.random.random_range(0..9) {
            0 => self.each(place, |byte, random| *byte ^= 1 << random.random_range(0..8)),
            1 => self.each(place, |byte, random| *byte = random.random()),
            2 => self.each(place, |byte, random| *byte = byte.wrapping_add_signed(random.random_range(-3..=3))),
            3 => drop(self.input.drain(from..to.min(from + 8))),
            4 => self.input.truncate(place),
            5 => {
                let morsel = MORSELS[self.random.random_range(0..MORSELS.len())];
                drop(self.input.splice(place..place, morsel.iter().copied()));
            }
            6 => {
                let morsel = MORSELS[self.random.random_range(0..MORSELS.len())];
                let end = self.input.len().min(place + morsel.len());
                drop(self.input.splice(place..end, morsel.iter().copied()));
            }
            7 => {
                // A part of it once more.
                let part = self.input[from..to.min(from + 64)].to_vec();
                drop(self.input.splice(place..place, part));
            }
            _ => {
                // The end of another one.
                let another = &self.corpus[self.random.random_range(0..self.corpus.len())];
                let start = another.len().min(place);
                self.input.truncate(place);
                self.input.extend_from_slice(&another[start..]);
            }
        }
    }

    fn each(&mut self, place: usize, change: impl FnOnce(&mut u8, &mut StdRng)) {
        if let Some(byte) = self.input.get_mut(place) {
            change(byte, &mut self.random);
        }
    }
}
