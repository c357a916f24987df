//! Admission: LimitRange defaulting and validation, ResourceQuota enforcement.

pub mod limit_range;
