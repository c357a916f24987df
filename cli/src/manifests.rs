//! Manifests as people keep them: files and folders of YAML and JSON, lists, dumps, static pods.

pub mod decode;
pub mod documents;
mod json;
pub mod problem;
pub mod source;
pub mod yaml;

pub use documents::{Manifest, Place, read_all};
pub use problem::Problem;
pub use source::Source;
