//! Admission: LimitRange defaulting and validation, ResourceQuota enforcement.
