//! Finds the connection that alone has bytes to read, turn after turn: it can be read without asking the
//! kernel first who is ready, which is a good part of what a lone request costs.

use std::cell::Cell;

use super::HandleId;

/// Who was read in the turns so far.
#[derive(Default)]
pub struct Lone {
    /// In the turn that is taken, or was the last.
    now: Cell<Readers>,
    /// The one that was read alone, and for how many turns.
    candidate: Cell<HandleId>,
    turns: Cell<u32>,
    /// Turns since the kernel was asked.
    unasked: Cell<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Readers {
    #[default]
    None,
    One(HandleId),
    Many,
}

impl Lone {
    /// A connection was read.
    pub fn saw(&self, id: HandleId) {
        self.now.set(match self.now.get() {
            Readers::None => Readers::One(id),
            Readers::One(other) if other == id => Readers::One(id),
            _ => Readers::Many,
        });
    }

    /// A turn begins for which the kernel has something: returns whose bytes that probably are. Every
    /// `UNASKED_MAX` turns the kernel is asked all the same, for the sake of everybody else.
    pub fn next(&self) -> Option<HandleId> {
        match self.now.take() {
            Readers::None => {}
            Readers::One(id) if id == self.candidate.get() => self.turns.set(self.turns.get() + 1),
            Readers::One(id) => {
                self.candidate.set(id);
                self.turns.set(1);
            }
            Readers::Many => self.turns.set(0),
        }
        let probable = self.turns.get() >= ENOUGH && self.unasked.get() < UNASKED_MAX;
        self.unasked.set(match probable {
            true => self.unasked.get() + 1,
            false => 0,
        });
        probable.then(|| self.candidate.get())
    }

    /// Who was read alone for some turns.
    pub fn probable(&self) -> Option<HandleId> {
        (self.turns.get() >= ENOUGH).then(|| self.candidate.get())
    }

    /// It was not the one that [`Self::next`] named.
    pub fn missed(&self) {
        self.turns.set(0);
        self.unasked.set(0);
    }
}

/// So many turns in a row make the next one probable.
const ENOUGH: u32 = 4;
const UNASKED_MAX: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(lone: &Lone, readers: &[HandleId]) -> Option<HandleId> {
        let named = lone.next();
        readers.iter().for_each(|id| lone.saw(*id));
        named
    }

    #[test]
    fn names_who_was_read_alone_for_some_turns() {
        let lone = Lone::default();
        assert!((0..ENOUGH).all(|_| turn(&lone, &[3]).is_none()));
        assert_eq!(turn(&lone, &[3, 3]), Some(3));
        assert_eq!(turn(&lone, &[3]), Some(3));
        assert_eq!(turn(&lone, &[3, 4]), Some(3));
        assert_eq!(turn(&lone, &[3]), None);
    }

    #[test]
    fn asks_the_kernel_now_and_then() {
        let lone = Lone::default();
        assert!((0..ENOUGH).all(|_| turn(&lone, &[3]).is_none()));
        let named = (0..UNASKED_MAX * 4).filter(|_| turn(&lone, &[3]).is_some());
        let asked = UNASKED_MAX * 4 - named.count() as u32;
        assert_eq!(asked, 3);
    }

    #[test]
    fn who_takes_turns_is_not_named() {
        let lone = Lone::default();
        assert!((0..40).all(|number| turn(&lone, &[number % 2]).is_none()));
    }

    #[test]
    fn begins_anew_after_a_miss() {
        let lone = Lone::default();
        assert!((0..ENOUGH).all(|_| turn(&lone, &[3]).is_none()));
        assert_eq!(turn(&lone, &[]), Some(3));
        lone.missed();
        assert!((0..ENOUGH).all(|_| turn(&lone, &[3]).is_none()));
    }
}
