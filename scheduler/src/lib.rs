//! The scheduling framework, its plugins and decisions.
