//! How far a run is, on the standard error, where that is a terminal.

use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};

use crate::engine::{Progress, Step};

/// Steps with fewer objects are over before a bar can be read.
const WORTH_A_BAR: usize = 2000;

/// A bar that appears when a step turns out to be long.
pub(super) struct ProgressBar {
    bar: Bar,
    step: Option<Step>,
}

impl ProgressBar {
    /// A bar that shows nothing yet.
    pub(super) fn new() -> Self {
        let bar = Bar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg:10} {bar:40} {pos}/{len}");
        Self { bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())), step: None }
    }

    /// Shows how far the run is.
    pub(super) fn show(&mut self, progress: Progress) {
        if progress.total < WORTH_A_BAR {
            return;
        }
        if self.step.is_none() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if self.step != Some(progress.step) {
            self.step = Some(progress.step);
            self.bar.set_message(match progress.step {
                Step::Applying => "applying",
                Step::Creating => "creating",
                Step::Scheduling => "scheduling",
            });
        }
        self.bar.set_length(progress.total as u64);
        self.bar.set_position(progress.done as u64);
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
