//! Towers of Hanoi: state, the optimal strategy as a rule on the state, and the moves.

use serde::{Deserialize, Serialize};

/// The disks on each of three pegs, as bit sets; bit 0 is the smallest disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Towers {
    disks: u32,
    pegs: [u32; 3],
}

/// Takes the top disk of one peg to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Move {
    /// From this peg, 0 to 2.
    pub from: u8,
    /// To this peg.
    pub to: u8,
}

/// Every move from one peg to another, legal or not.
const MOVES: [Move; 6] = [
    Move { from: 0, to: 1 },
    Move { from: 0, to: 2 },
    Move { from: 1, to: 0 },
    Move { from: 1, to: 2 },
    Move { from: 2, to: 0 },
    Move { from: 2, to: 1 },
];

impl Towers {
    /// Most disks that fit the representation.
    pub const MAX_DISKS: u32 = 31;

    /// All disks on peg 0; more than [`Self::MAX_DISKS`] are taken as that many.
    pub fn new(disks: u32) -> Self {
        let disks = disks.min(Self::MAX_DISKS);
        Self { disks, pegs: [(1u32 << disks) - 1, 0, 0] }
    }

    /// Moves of the optimal solution.
    pub fn steps(disks: u32) -> u64 {
        (1u64 << disks.min(Self::MAX_DISKS)) - 1
    }

    /// The right move at `step` (counted from 0): the paper's strategy. Even steps move the
    /// smallest disk, always in the same direction; odd steps make the only other legal move.
    pub fn next_move(&self, step: u64) -> Move {
        let small = (0..3u8).find(|&p| self.pegs[p as usize] & 1 == 1).unwrap_or(0);
        if step.is_multiple_of(2) {
            let forward = if self.disks.is_multiple_of(2) { 1 } else { 2 };
            return Move { from: small, to: (small + forward) % 3 };
        }
        let (a, b) = ((small + 1) % 3, (small + 2) % 3);
        if self.legal(Move { from: a, to: b }) { Move { from: a, to: b } } else { Move { from: b, to: a } }
    }

    /// Whether the top disk of `from` is smaller than that of `to`.
    pub fn legal(&self, m: Move) -> bool {
        let top = |p: u8| self.pegs[p as usize].trailing_zeros();
        self.pegs[m.from as usize] != 0 && top(m.from) < top(m.to)
    }

    /// The pegs after a move; an illegal move from an empty peg changes nothing.
    pub fn after(&self, m: Move) -> [u32; 3] {
        let mut pegs = self.pegs;
        let source = pegs[m.from as usize];
        let disk = source & source.wrapping_neg();
        pegs[m.from as usize] &= !disk;
        pegs[m.to as usize] |= disk;
        pegs
    }

    /// Makes a move.
    pub fn apply(&mut self, m: Move) {
        self.pegs = self.after(m);
    }

    /// Whether all disks are on the last peg.
    pub fn is_solved(&self) -> bool {
        self.pegs == [0, 0, (1u32 << self.disks) - 1]
    }

    /// The five wrong answers, in a fixed order.
    pub fn wrong_moves(&self, right: Move) -> [Move; 5] {
        let mut out = [right; 5];
        for (slot, m) in out.iter_mut().zip(MOVES.into_iter().filter(|m| *m != right)) {
            *slot = m;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strategy_solves_every_size_with_legal_moves() {
        for disks in 1..=12 {
            let mut towers = Towers::new(disks);
            for step in 0..Towers::steps(disks) {
                let m = towers.next_move(step);
                assert!(towers.legal(m), "{disks} disks, step {step}: {m:?}");
                towers.apply(m);
            }
            assert!(towers.is_solved(), "{disks} disks");
        }
    }
}
