//! Which extended resource stands for which device class.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::resource::v1::DeviceClass;

/// The device classes of a cluster, with the extended resources by which pods may ask for their devices.
///
/// # Source
/// dynamic-resource-allocation `deviceclass/extendedresourcecache` (`ExtendedResourceCache`)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceClasses {
    extended_resource_by_class: BTreeMap<String, String>,
    extended_resources: BTreeSet<String>,
}

impl DeviceClasses {
    /// Collects the classes.
    pub fn new<'a>(classes: impl IntoIterator<Item = &'a DeviceClass>) -> Self {
        let mut collected = Self::default();
        for class in classes {
            let name = class.metadata.name.clone().unwrap_or_default();
            let extended_resource =
                class.spec.as_ref().and_then(|spec| spec.extended_resource_name.clone()).unwrap_or_default();
            if !extended_resource.is_empty() {
                collected.extended_resources.insert(extended_resource.clone());
            }
            collected.extended_resource_by_class.insert(name, extended_resource);
        }
        collected
    }

    /// The extended resource that a class declares.
    pub fn extended_resource(&self, class: &str) -> Option<&str> {
        self.extended_resource_by_class.get(class).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Whether a class of this name exists.
    pub fn has_class(&self, class: &str) -> bool {
        self.extended_resource_by_class.contains_key(class)
    }

    /// Whether some class declares this extended resource.
    pub fn has_extended_resource(&self, name: &str) -> bool {
        self.extended_resources.contains(name)
    }
}
