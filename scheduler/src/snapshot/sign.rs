//! Sums that amounts come to and go from.

/// Whether an amount comes or goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    Add,
    Subtract,
}

impl Sign {
    /// Sums wrap, as upstream's do: so taking an amount away again always restores what was there.
    pub(super) fn apply(self, total: &mut i64, amount: i64) {
        *total = match self {
            Self::Add => total.wrapping_add(amount),
            Self::Subtract => total.wrapping_sub(amount),
        };
    }
}
