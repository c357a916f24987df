//! Quantities, requests and limits: the one place where resource amounts are parsed, printed, added and compared.
//!
//! Nothing here reads a clock, a file or the network, and no amount passes through a floating-point number, save
//! where the kubelet itself computes in them ([`kubelet`]).

pub mod defaulting;
pub mod kubelet;
pub mod pod_resources;
pub mod qos;
pub mod quantity;
pub mod resource_list;
pub mod resource_name;

pub use pod_resources::{PodResources, PodResourcesOptions};
pub use qos::QosClass;
pub use quantity::{Format, ParseQuantityError, Quantity};
pub use resource_list::ResourceList;
