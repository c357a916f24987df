//! What an object uses of a ResourceQuota, which quotas it falls under, charge and recount.
//!
//! A ResourceQuota is parsed once ([`Quota::parse`]); [`decide`] then says whether a request fits the quotas of its
//! namespace and what it charges to each, or why it is refused; [`recount()`] measures anew what a set of objects uses; the
//! [`ledger`] holds what is admitted and not yet known to be stored.
//! Nothing here reads a clock or writes a status: the time is an argument, and charges are values.

pub mod charge;
pub mod device_classes;
pub mod evaluators;
pub mod ledger;
pub mod limited_resources;
pub mod object;
pub mod payer;
pub mod quota;
pub mod recount;
pub mod refusal;
pub mod request;
pub mod scopes;
pub mod surroundings;
pub mod typed_object;

pub use charge::{Charge, Decision, decide};
pub use device_classes::DeviceClasses;
pub use evaluators::{Evaluator, UsageError, is_always_covered, usage};
pub use ledger::{Admission, EntryKey, Holding, Ledger};
pub use limited_resources::LimitedResource;
pub use payer::Payer;
pub use quota::Quota;
pub use recount::{CountedObject, Seen, recount};
pub use refusal::{Cause, Refusal};
pub use request::{Object, Operation, Request};
pub use scopes::ScopeRequirement;
pub use surroundings::{Neighbours, NoNeighbours, Stored, Surroundings};
pub use typed_object::TypedObject;
