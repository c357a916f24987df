//! Values that many nodes share, each kept once.

/// Distinct values in the order in which they were first seen. There are few, so they are compared one by one.
#[derive(Clone, Debug)]
pub(super) struct Interned<T> {
    values: Vec<T>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { values: Vec::new() }
    }
}

impl<T: PartialEq> Interned<T> {
    /// The number that stands for a value.
    pub(super) fn intern(&mut self, value: T) -> u32 {
        let position = self.values.iter().position(|known| *known == value).unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }

    /// All values; each one's number is its place.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }
}
