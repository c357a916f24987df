//! Amounts by resource name, and arithmetic on them key by key.

use std::collections::BTreeMap;
use std::collections::btree_map;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use crate::quantity::{ParseQuantityError, Quantity};

/// Amounts by resource name, in order of name. A missing key is not the same as a zero amount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceList(BTreeMap<String, Quantity>);

/// An amount in a resource list that is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {value:?}: {error}")]
pub struct ParseResourceListError {
    /// The resource name.
    pub name: String,
    /// The text that stands there.
    pub value: String,
    /// What is wrong with it.
    pub error: ParseQuantityError,
}

impl ResourceList {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the list of an API object; an absent list is an empty one.
    ///
    /// # Errors
    /// The first amount, in order of name, that is no quantity.
    pub fn parse(list: Option<&BTreeMap<String, ApiQuantity>>) -> Result<Self, ParseResourceListError> {
        let mut amounts = BTreeMap::new();
        for (name, quantity) in list.into_iter().flatten() {
            let amount = Quantity::parse(quantity.0.trim()).map_err(|error| ParseResourceListError {
                name: name.clone(),
                value: quantity.0.clone(),
                error,
            })?;
            amounts.insert(name.clone(), amount);
        }
        Ok(Self(amounts))
    }

    /// The list as it stands in an API object.
    pub fn to_api(&self) -> BTreeMap<String, ApiQuantity> {
        self.0.iter().map(|(name, amount)| (name.clone(), ApiQuantity(amount.to_string()))).collect()
    }

    /// The amount of one resource, if the list names it.
    pub fn get(&self, name: &str) -> Option<&Quantity> {
        self.0.get(name)
    }

    /// The amount of one resource; zero if the list does not name it.
    pub fn amount(&self, name: &str) -> Quantity {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// Whether the list names a resource, be its amount zero.
    pub fn contains_key(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Sets the amount of one resource.
    pub fn insert(&mut self, name: impl Into<String>, amount: Quantity) {
        self.0.insert(name.into(), amount);
    }

    /// Takes a resource out of the list.
    pub fn remove(&mut self, name: &str) -> Option<Quantity> {
        self.0.remove(name)
    }

    /// How many resources the list names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the list names no resource.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and amounts in order of name.
    pub fn iter(&self) -> btree_map::Iter<'_, String, Quantity> {
        self.0.iter()
    }

    /// The names, in order.
    pub fn keys(&self) -> btree_map::Keys<'_, String, Quantity> {
        self.0.keys()
    }

    /// Keeps only the resources that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Quantity) -> bool) {
        self.0.retain(|name, amount| keep(name, amount));
    }

    /// Adds every amount of `other`; a resource that only `other` names comes in as it is.
    ///
    /// # Source
    /// component-helpers `resource` (`addResourceList`), apiserver `pkg/quota/v1` (`Add`)
    pub fn add(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            match self.0.get_mut(name) {
                Some(sum) => sum.add(amount),
                None => {
                    self.0.insert(name.clone(), amount.clone());
                }
            }
        }
    }

    /// Adds those amounts of `other` that `names` names: as if `other` were [masked](Self::mask) before, without a copy of it.
    pub fn add_masked(&mut self, other: &Self, names: &Self) {
        // Both are in order, so each is gone through once.
        let mut others = other.0.iter().peekable();
        for name in names.keys() {
            while others.next_if(|(other, _)| *other < name).is_some() {}
            let Some((_, amount)) = others.next_if(|(other, _)| *other == name) else { continue };
            match self.0.get_mut(name) {
                Some(sum) => sum.add(amount),
                None => {
                    self.0.insert(name.clone(), amount.clone());
                }
            }
        }
    }

    /// Adds amounts of `other` to those resources alone that this list names with an amount that is not zero.
    ///
    /// # Source
    /// component-helpers `resource` (`PodLimits`), for the overhead
    pub(crate) fn add_to_non_zero(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            if let Some(sum) = self.0.get_mut(name).filter(|sum| !sum.is_zero()) {
                sum.add(amount);
            }
        }
    }

    /// Takes away every amount of `other`; what only `other` names comes in negated.
    ///
    /// # Source
    /// apiserver `pkg/quota/v1` (`Subtract`)
    pub fn sub(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            if let Some(difference) = self.0.get_mut(name) {
                difference.sub(amount);
            } else {
                self.0.insert(name.clone(), -amount.clone());
            }
        }
    }

    /// Takes away every amount of `other`, down to zero at the least; what only `other` names becomes zero.
    ///
    /// # Source
    /// apiserver `pkg/quota/v1` (`SubtractWithNonNegativeResult`)
    pub fn sub_to_zero(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            if let Some(difference) = self.0.get_mut(name) {
                difference.sub(amount);
            } else {
                self.0.insert(name.clone(), Quantity::default());
            }
        }
        for amount in self.0.values_mut() {
            if amount.sign().is_le() {
                *amount = Quantity::default();
            }
        }
    }

    /// The names, in order, of which this list has more than `bounds`. A name that only one of them has is within bounds.
    ///
    /// # Source
    /// apiserver `pkg/quota/v1` (`LessThanOrEqual`)
    pub fn exceeded(&self, bounds: &Self) -> Vec<String> {
        let above =
            |(name, amount): &(&String, &Quantity)| bounds.get(name).is_some_and(|bound| *amount > bound);
        self.iter().filter(above).map(|(name, _)| name.clone()).collect()
    }

    /// The part of the list that `names` holds.
    ///
    /// # Source
    /// apiserver `pkg/quota/v1` (`Mask`)
    pub fn mask<S: AsRef<str>>(&self, names: impl IntoIterator<Item = S>) -> Self {
        let entry = |name: S| {
            self.0.get_key_value(name.as_ref()).map(|(name, amount)| (name.clone(), amount.clone()))
        };
        names.into_iter().filter_map(entry).collect()
    }

    /// Whether every amount is zero; so it is of an empty list.
    ///
    /// # Source
    /// apiserver `pkg/quota/v1` (`IsZero`)
    pub fn is_zero(&self) -> bool {
        self.0.values().all(Quantity::is_zero)
    }

    /// Drops the resources whose amount is zero.
    ///
    /// # Source
    /// apiserver `pkg/quota/v1` (`RemoveZeros`)
    pub fn remove_zeros(&mut self) {
        self.0.retain(|_, amount| !amount.is_zero());
    }

    /// The names, in order, whose amount is below zero.
    ///
    /// # Source
    /// apiserver `pkg/quota/v1` (`IsNegative`)
    pub fn negative(&self) -> Vec<String> {
        self.iter().filter(|(_, amount)| amount.sign().is_lt()).map(|(name, _)| name.clone()).collect()
    }

    /// Rounds every amount away from zero to whole thousandths, as the API server does when it reads an object.
    ///
    /// # Source
    /// kubernetes `pkg/apis/core/v1` (`SetDefaults_ResourceList`)
    pub fn round_up_to_milli(&mut self) {
        self.0.values_mut().for_each(Quantity::round_up_to_milli);
    }

    /// Raises every amount to that of `other` where `other` has more; a resource that only `other` names comes in as it is.
    ///
    /// # Source
    /// component-helpers `resource` (`maxResourceList`)
    pub fn max(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            match self.0.get_mut(name) {
                Some(present) if *present >= *amount => {}
                Some(present) => *present = amount.clone(),
                None => {
                    self.0.insert(name.clone(), amount.clone());
                }
            }
        }
    }

    /// Lowers every amount to that of `other` where `other` has less; a resource that `other` does not name is dropped. So what is left
    /// is in both.
    pub fn min(&mut self, other: &Self) {
        self.0.retain(|name, amount| {
            let Some(bound) = other.0.get(name) else { return false };
            if *bound < *amount {
                *amount = bound.clone();
            }
            true
        });
    }
}

impl FromIterator<(String, Quantity)> for ResourceList {
    fn from_iter<T: IntoIterator<Item = (String, Quantity)>>(amounts: T) -> Self {
        Self(amounts.into_iter().collect())
    }
}

impl IntoIterator for ResourceList {
    type Item = (String, Quantity);
    type IntoIter = btree_map::IntoIter<String, Quantity>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a ResourceList {
    type Item = (&'a String, &'a Quantity);
    type IntoIter = btree_map::Iter<'a, String, Quantity>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests;
