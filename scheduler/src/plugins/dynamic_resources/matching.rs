//! Whether a device is what a request asks for, whoever has it.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/allocator_incubating.go` (`isSelectable`, `selectorsMatch`)

use std::cell::RefCell;
use std::ptr;

use k8s_openapi::api::resource::v1::{DeviceSelector, ResourceClaim};
use rustc_hash::FxHashMap;

use super::claims::display_name;
use super::pools::NodeView;
use super::requests::{Candidate, Request};
use super::selector::{CompiledSelectors, SelectorError};

/// What selectors said of devices, for one pod: they say the same for every node.
#[derive(Debug)]
pub(super) struct SelectorAnswers<'p> {
    compiled: &'p CompiledSelectors,
    /// By where the expression and the device lie. Both are in objects that are listed, and stay there as long as this does: a claim
    /// that is made up has no selectors.
    known: RefCell<FxHashMap<(usize, usize), bool>>,
}

impl<'p> SelectorAnswers<'p> {
    pub(super) fn new(compiled: &'p CompiledSelectors) -> Self {
        Self { compiled, known: RefCell::default() }
    }

    /// Whether an expression chooses a device.
    pub(super) fn matches(&self, expression: &str, candidate: Candidate<'_>) -> Result<bool, SelectorError> {
        let Candidate { slice, device, .. } = candidate;
        let key = (expression.as_ptr().addr(), ptr::from_ref(device).addr());
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(*known);
        }
        let matches = self.compiled.matches(expression, &slice.spec.driver, device)?;
        self.known.borrow_mut().insert(key, matches);
        Ok(matches)
    }
}

/// Says of a node's devices whether requests may get them.
pub(super) struct Matcher<'p> {
    pub(super) answers: &'p SelectorAnswers<'p>,
    pub(super) node: NodeView<'p>,
}

impl Matcher<'_> {
    /// Whether the selectors of a request and of its class choose a device, and the node can use it.
    ///
    /// # Errors
    /// A selector makes no sense, which ends the search on all nodes.
    pub(super) fn is_selectable(
        &self,
        claim: &ResourceClaim,
        request: &Request<'_>,
        candidate: Candidate<'_>,
    ) -> Result<bool, String> {
        let class = &request.class;
        let of_class = class.spec.as_ref().and_then(|spec| spec.selectors.as_deref()).unwrap_or_default();
        let class_name = class.metadata.name.as_deref().unwrap_or_default();
        let chosen = self.all_match(of_class, candidate, || format!("class {class_name}"))?
            && self.all_match(request.selectors, candidate, || format!("claim {}", display_name(claim)))?;
        match candidate.place.filter(|_| chosen) {
            None => Ok(chosen),
            Some(place) => place.includes(self.node.name, self.node.labels),
        }
    }

    fn all_match(
        &self,
        selectors: &[DeviceSelector],
        candidate: Candidate<'_>,
        whose: impl Fn() -> String,
    ) -> Result<bool, String> {
        for (index, selector) in selectors.iter().enumerate() {
            let Some(cel) = &selector.cel else { continue };
            let matches = self.answers.matches(&cel.expression, candidate).map_err(|error| {
                let whose = whose();
                match error {
                    SelectorError::Compile(problem) => {
                        format!("{whose}: selector #{index}: CEL compile error: {problem}")
                    }
                    SelectorError::Runtime(problem) => {
                        let spec = &candidate.slice.spec;
                        let (driver, pool, device) = (&spec.driver, &spec.pool.name, &candidate.device.name);
                        format!(
                            "{whose}: selector #{index} on device {driver}/{pool}/{device}: CEL runtime error: {problem}"
                        )
                    }
                }
            })?;
            if !matches {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
