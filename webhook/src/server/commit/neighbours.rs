//! The pods and claims on which the usage of claims depends, asked of the API server: such claims are rare, and to follow all pods
//! would take far more.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::ResourceClaim;
use kube::api::ListParams;
use kube::{Api, Client};
use plimsoll_quota::{Quota, Stored, payer};
use plimsoll_runtime::client::in_time;

use crate::admission::Request;

/// What is stored of that on which it depends how much these requests use of these quotas, all of one namespace. A claim that is stored
/// before this is called is among it.
///
/// # Errors
/// The API server does not answer.
pub(super) async fn of<'r, 'q>(
    client: &Client,
    namespace: &str,
    requests: impl IntoIterator<Item = &'r Request>,
    quotas: impl IntoIterator<Item = &'q Quota>,
) -> Result<Stored, kube::Error> {
    let pods: BTreeSet<String> =
        requests.into_iter().flat_map(Request::payers).map(|payer| payer.pod).collect();
    if pods.is_empty() || !quotas.into_iter().any(payer::concerns) {
        return Ok(Stored::default());
    }
    let pod_api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let claim_api: Api<ResourceClaim> = Api::namespaced(client.clone(), namespace);
    let everything = ListParams::default();
    let (pods, claims) = tokio::try_join!(
        try_join_all(pods.iter().map(|pod| in_time(pod_api.get_opt(pod)))),
        in_time(claim_api.list_metadata(&everything)),
    )?;
    let claims = claims.items.into_iter();
    let claims = claims.map(|claim| ResourceClaim { metadata: claim.metadata, ..ResourceClaim::default() });
    Ok(Stored { pods: pods.into_iter().flatten().collect(), claims: claims.collect() })
}
