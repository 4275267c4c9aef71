//! A sign of life on the standard error output, on a terminal only. The only file that names the progress crate.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::service::Phase;

/// Turns until dropped; nothing of it stays on the screen.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts with a message. Draws nothing where the standard error output is no terminal.
    pub fn start(message: String) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }

    /// Says something else.
    pub fn say(&self, message: String) {
        self.bar.set_message(message);
    }

    /// Says where a run is.
    pub fn phase(&self, customer: &str, phase: Phase) {
        let doing = match phase {
            Phase::Reading => "reading sources",
            Phase::Planning => "planning",
            Phase::Committing => "committing",
        };
        self.say(format!("{customer}: {doing}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
