//! Where memory is throttled.

use super::Kubelet;

/// The `memory.high` for a request and a limit, in bytes: that part of the way from the one to the other, in whole pages. None
/// if that is no more than the request.
///
/// # Source
/// kubernetes `pkg/kubelet/cm` (`memoryHighForPod`), `pkg/kubelet/kuberuntime` (`generateLinuxContainerResources`)
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::suboptimal_flops,
    reason = "the kubelet computes so too"
)]
pub(super) fn memory_high(request: i64, limit: i64, kubelet: &Kubelet) -> Option<i64> {
    let factor = kubelet.memory_throttling_factor?;
    let (low, high) = (request as f64, limit as f64);
    let pages = ((low + (high - low) * factor).floor() / kubelet.page_size as f64) as i64;
    Some(pages.saturating_mul(kubelet.page_size)).filter(|high| *high > 0 && *high > request)
}
