//! The API server's own admission plugins that change or refuse what Plimsoll looks at, LimitRanger and ResourceQuota aside.
//!
//! Each is a function over the object and the cluster objects it needs; a refusal is a [`Status`](plimsoll_api::status::Status).

pub mod default_storage_class;
pub mod default_toleration_seconds;
pub mod namespace_lifecycle;
pub mod priority;
pub mod runtime_class;
pub mod service_account;
pub mod storage_object_in_use_protection;
