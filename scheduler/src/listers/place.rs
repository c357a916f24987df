//! On which nodes devices can be used.

use k8s_openapi::api::core::v1::NodeSelector as NodeSelectorObject;
use k8s_openapi::api::resource::v1::{Device, ResourceSlice};
use plimsoll_api::field::aggregate;
use plimsoll_matching::label_selector::Labels;
use plimsoll_matching::node_selector::NodeSelector;

/// On which nodes devices can be used, read once.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// It isn't said, so on none.
    Unsaid,
    /// On that node.
    Node(String),
    /// On all.
    AllNodes,
    /// On those that the selector chooses; what is wrong with it if it is malformed.
    Selected(Result<NodeSelector, String>),
}

impl Place {
    pub(super) fn of_slice(slice: &ResourceSlice) -> Self {
        let spec = &slice.spec;
        Self::new(spec.node_name.as_deref(), spec.all_nodes, spec.node_selector.as_ref())
    }

    pub(super) fn of_device(device: &Device) -> Self {
        Self::new(device.node_name.as_deref(), device.all_nodes, device.node_selector.as_ref())
    }

    fn new(name: Option<&str>, all_nodes: Option<bool>, selector: Option<&NodeSelectorObject>) -> Self {
        match (name.filter(|name| !name.is_empty()), all_nodes, selector) {
            (Some(name), ..) => Self::Node(name.to_owned()),
            (_, Some(true), _) => Self::AllNodes,
            (_, _, Some(selector)) => {
                let (selector, errors) = NodeSelector::new(selector);
                Self::Selected(if errors.is_empty() { Ok(selector) } else { Err(aggregate(&errors)) })
            }
            _ => Self::Unsaid,
        }
    }

    /// Whether devices can be used on a node.
    ///
    /// # Errors
    /// The selector is malformed.
    ///
    /// # Source
    /// k8s.io/dynamic-resource-allocation `structured/internal/incubating/pools_incubating.go` (`NodeMatches`)
    pub(crate) fn includes(&self, node: &str, labels: &Labels) -> Result<bool, String> {
        match self {
            Self::Unsaid => Ok(false),
            Self::Node(name) => Ok(name == node),
            Self::AllNodes => Ok(true),
            Self::Selected(Ok(selector)) => Ok(selector.matches(labels, node)),
            Self::Selected(Err(problem)) => Err(format!("failed to parse node selector: {problem}")),
        }
    }
}
