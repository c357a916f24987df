//! What an object uses of a ResourceQuota, which quotas it falls under, charge and recount.
