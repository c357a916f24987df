//! The pods and claims on which the usage of claims depends, asked of the API server: such claims are rare, and to follow all pods
//! would take far more.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::ResourceClaim;
use kube::api::ListParams;
use kube::{Api, Client};
use plimsoll_quota::{Quota, Stored, payer};
use plimsoll_runtime::client::in_time;

use crate::admission::Request;

/// How many pods are asked for at a time.
const AT_A_TIME: usize = 8;

/// The names of the pods on which it depends how much these requests use of these quotas.
pub(super) fn payers<'r, 'q>(
    requests: impl IntoIterator<Item = &'r Request>,
    quotas: impl IntoIterator<Item = &'q Quota>,
) -> BTreeSet<String> {
    let payers =
        requests.into_iter().flat_map(Request::payers).map(|payer| payer.pod).collect::<BTreeSet<_>>();
    if payers.is_empty() || !quotas.into_iter().any(payer::concerns) { BTreeSet::new() } else { payers }
}

/// These pods of a namespace and, if there are any, its claims. A claim that is stored before this is called is among them.
///
/// # Errors
/// The API server does not answer.
pub(super) async fn of(
    client: &Client,
    namespace: &str,
    pods: BTreeSet<String>,
) -> Result<Stored, kube::Error> {
    if pods.is_empty() {
        return Ok(Stored::default());
    }
    let pod_api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let claim_api: Api<ResourceClaim> = Api::namespaced(client.clone(), namespace);
    let everything = ListParams::default();
    let asked = stream::iter(pods).map(|pod| {
        let api = pod_api.clone();
        async move { in_time(api.get_opt(&pod)).await }
    });
    let asked = asked.buffer_unordered(AT_A_TIME);
    let (pods, claims) =
        tokio::try_join!(asked.try_collect::<Vec<_>>(), in_time(claim_api.list_metadata(&everything)))?;
    let claims = claims.items.into_iter();
    let claims = claims.map(|claim| ResourceClaim { metadata: claim.metadata, ..ResourceClaim::default() });
    Ok(Stored { pods: pods.into_iter().flatten().collect(), claims: claims.collect() })
}
