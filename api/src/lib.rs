//! The API machinery that every crate needs: field paths and errors, name formats, object identities, `Status`.
//!
//! Mirrors the parts of `k8s.io/apimachinery` that users see in messages. It owns no rule about any kind of object and
//! computes no amount.

pub mod aggregate;
pub mod duration;
pub mod field;
pub mod group;
pub mod names;
pub mod quote;
pub mod request;
pub mod resource_version;
pub mod status;
