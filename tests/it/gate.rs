//! A gate before a source: whoever comes waits until the test lets it through, so that a run is under way for as long as a test
//! wants, and not for as long as it sleeps.

use std::sync::{Condvar, Mutex};

/// See the module.
#[derive(Default)]
pub struct Gate {
    /// How many came, and how many may pass.
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    /// Waits to be let through.
    pub fn pass(&self) {
        let mut state = self.state.lock().expect("no panic");
        state.0 += 1;
        let turn = state.0;
        self.changed.notify_all();
        while state.1 < turn {
            state = self.changed.wait(state).expect("no panic");
        }
    }

    /// Lets so many through in all.
    pub fn let_pass(&self, all: usize) {
        self.state.lock().expect("no panic").1 = all;
        self.changed.notify_all();
    }

    /// Waits until so many came in all.
    pub fn until_come(&self, all: usize) {
        let mut state = self.state.lock().expect("no panic");
        while state.0 < all {
            state = self.changed.wait(state).expect("no panic");
        }
    }
}

/// Opens the gate for everybody when it is dropped, also where a test fails: nobody stands there for ever.
pub struct Opened<'g>(pub &'g Gate);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.let_pass(usize::MAX);
    }
}
