//! Writes that race with other replicas.

/// Takes a lost race for a success: whoever was faster has written the same, or is looked at in the next turn.
pub(super) fn settled<T>(result: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match result {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        other => other.map(drop),
    }
}
