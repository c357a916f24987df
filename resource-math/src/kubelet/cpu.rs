//! CPU amounts as the kernel takes them.

/// The period of CPU quotas unless the kubelet is told otherwise, in microseconds.
pub(super) const DEFAULT_PERIOD: i64 = 100_000;

const MIN_SHARES: i64 = 2;
const MAX_SHARES: i64 = 262_144;
const SHARES_PER_CPU: i128 = 1024;
const MILLIS_PER_CPU: i128 = 1000;
/// The kernel takes no smaller quota, in microseconds.
const MIN_QUOTA: i64 = 1000;
const MAX_WEIGHT: i64 = 10_000;

/// The shares of cgroup v1 for so many thousandths of a CPU.
///
/// # Source
/// kubernetes `pkg/kubelet/cm` (`MilliCPUToShares`)
pub fn cpu_shares(milli_cpu: i64) -> i64 {
    let shares = i128::from(milli_cpu) * SHARES_PER_CPU / MILLIS_PER_CPU;
    i64::try_from(shares.clamp(MIN_SHARES.into(), MAX_SHARES.into())).unwrap_or(MAX_SHARES)
}

/// The CPU time that so many thousandths of a CPU get in each period; both in microseconds. Zero, for no limit, stays zero.
///
/// # Source
/// kubernetes `pkg/kubelet/cm` (`MilliCPUToQuota`). DIFFERENCE: D-Kubelet-1: upstream wraps around.
pub fn cpu_quota(milli_cpu: i64, period: i64) -> i64 {
    if milli_cpu == 0 {
        return 0;
    }
    let quota = i128::from(milli_cpu) * i128::from(period) / MILLIS_PER_CPU;
    i64::try_from(quota.max(MIN_QUOTA.into())).unwrap_or(i64::MAX)
}

/// The `cpu.weight` of cgroup v2 for shares of cgroup v1, on a straight line through the ends of both ranges. The kubelet
/// sets it on pods; runtimes before runc 1.3.2 and crun 1.23 set it on containers.
///
/// # Source
/// kubernetes `pkg/kubelet/cm` (`getCPUWeight`)
pub fn linear_cpu_weight(shares: i64) -> i64 {
    let shares = shares.clamp(MIN_SHARES, MAX_SHARES);
    1 + (shares - MIN_SHARES) * (MAX_WEIGHT - 1) / (MAX_SHARES - MIN_SHARES)
}

/// The `cpu.weight` of cgroup v2 for shares of cgroup v1, on a curve that also meets both defaults (1024 shares, weight
/// 100). Today's runtimes set it on containers.
///
/// # Source
/// opencontainers/cgroups v0.0.7 `utils.go` (`ConvertCPUSharesToCgroupV2Value`)
pub fn container_cpu_weight(shares: i64) -> i64 {
    match i32::try_from(shares.clamp(0, MAX_SHARES)) {
        Ok(0) => 0,
        Ok(shares) if i64::from(shares) <= MIN_SHARES => 1,
        Ok(shares) if i64::from(shares) < MAX_SHARES => curve(shares),
        _ => MAX_WEIGHT,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the curve stays between 1 and 10000")]
fn curve(shares: i32) -> i64 {
    let log = f64::from(shares).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    10_f64.powf(exponent).ceil() as i64
}

/// The text of `cpu.max`: quota and period in microseconds; no quota above zero is no limit.
///
/// # Source
/// opencontainers/cgroups v0.0.7 `fs2/cpu.go` (`setCPU`)
pub(super) fn cpu_max(quota: i64, period: i64) -> String {
    if quota > 0 { format!("{quota} {period}") } else { format!("max {period}") }
}
