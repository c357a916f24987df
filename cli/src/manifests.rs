//! Manifests as people keep them: files and folders of YAML and JSON, lists, dumps, static pods.

pub mod decode;
pub mod yaml;
