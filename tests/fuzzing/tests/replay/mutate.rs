//! Inputs made of seeds: cut, doubled, altered, joined. The same ones in every run.

use fastrand::Rng;

/// What is put into an input: what JSON, streams, numbers and URLs are made of.
const TOKENS: [&str; 40] = [
    "\"",
    "\\",
    "\\u2028",
    "\\ud800",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e999",
    "0.5",
    "4294967296",
    "18446744073709551616",
    "\"\"",
    "{}",
    "[]",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "data: ",
    "event: ",
    "[DONE]",
    "\u{feff}",
    "\u{1f600}",
    "\0",
    "/",
    "..",
    "%",
    "@",
    "\u{1e}",
    "//",
    " ",
];

/// Makes one input after the other.
pub(super) struct Mutator<'seeds> {
    seeds: &'seeds [Vec<u8>],
    longest: usize,
    random: Rng,
}

impl<'seeds> Mutator<'seeds> {
    /// The name decides which inputs are made.
    pub(super) fn new(name: &str, seeds: &'seeds [Vec<u8>], longest: usize) -> Self {
        let number = name
            .bytes()
            .fold(0, |number: u64, byte| number << 5 ^ u64::from(byte));
        Mutator {
            seeds,
            longest,
            random: Rng::with_seed(number),
        }
    }

    pub(super) fn next(&mut self) -> Vec<u8> {
        let mut input = self.seed().to_vec();
        for _ in 0..self.random.usize(1..6) {
            self.change(&mut input);
        }
        input.truncate(self.longest);
        input
    }

    fn seed(&mut self) -> &'seeds [u8] {
        let at = self.random.usize(..self.seeds.len());
        self.seeds.get(at).map_or(&[], Vec::as_slice)
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let from = self.random.usize(..=input.len());
        let to = self.random.usize(from..=input.len().min(from + 40));
        match self.random.u8(..9) {
            // Part of it is missing, or its end.
            0 => drop(input.drain(from..to)),
            1 => input.truncate(from),
            // Part of it comes again, there or elsewhere.
            2 | 3 => {
                let part = input.get(from..to).unwrap_or_default().to_vec();
                let at = self.random.usize(..=input.len());
                input.splice(at..at, part);
            }
            // A byte is another: any, or off by one bit.
            4 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte = self.random.u8(..);
                }
            }
            5 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte ^= 1 << self.random.u8(..8);
                }
            }
            // A token stands there, or in place of something.
            6 | 7 => {
                let token = TOKENS.get(self.random.usize(..TOKENS.len()));
                let end = if self.random.bool() { from } else { to };
                input.splice(from..end, token.copied().unwrap_or_default().bytes());
            }
            // It goes on as another does.
            _ => {
                let other = self.seed();
                let at = self.random.usize(..=other.len());
                input.truncate(from);
                input.extend_from_slice(other.get(at..).unwrap_or_default());
            }
        }
    }
}
