use super::{container_cpu_weight, cpu_quota, cpu_shares, linear_cpu_weight};

#[test]
fn weights_meet_the_ends_and_the_curve_meets_the_default() {
    assert_eq!([2, 1024, 262_144].map(linear_cpu_weight), [1, 39, 10_000]);
    assert_eq!([0, 1, 2, 1024, 262_144, i64::MAX].map(container_cpu_weight), [0, 1, 1, 100, 10_000, 10_000]);
}

#[test]
fn shares_and_quotas_stay_in_the_kernels_range() {
    assert_eq!([i64::MIN, 0, 1, 100, 1000, i64::MAX].map(cpu_shares), [2, 2, 2, 102, 1024, 262_144]);
    let quotas = [0, 1, 100, 1500, i64::MAX].map(|millis| cpu_quota(millis, 100_000));
    assert_eq!(quotas, [0, 1000, 10_000, 150_000, i64::MAX]);
}
