//! Lines that a profile draws: which score is given at which utilization.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/helper/shape_score.go`

use crate::config::UtilizationShapePoint;
use crate::framework::MAX_NODE_SCORE;

/// The best score of a point of a line.
const MAX_CUSTOM_PRIORITY_SCORE: i64 = 10;
/// All of a capacity is used.
const MAX_UTILIZATION: i64 = 100;

/// A line through points: utilization in per cent, and score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FunctionShape(Vec<(i64, i64)>);

impl FunctionShape {
    /// The line through these points, which come in order of utilization.
    pub(super) fn new(points: &[UtilizationShapePoint]) -> Self {
        let point = |given: &UtilizationShapePoint| {
            let score = i64::from(given.score) * (MAX_NODE_SCORE / MAX_CUSTOM_PRIORITY_SCORE);
            (given.utilization.into(), score)
        };
        Self(points.iter().map(point).collect())
    }

    /// The score if so much of a capacity is used; if more is used than there is, then as if all were.
    pub(super) fn score(&self, used: i64, capacity: i64) -> i64 {
        if capacity == 0 || used > capacity {
            return self.at(MAX_UTILIZATION);
        }
        self.at(used.wrapping_mul(MAX_UTILIZATION).wrapping_div(capacity))
    }

    /// The height of the line at a place; before its first and behind its last point it is level.
    ///
    /// # Source
    /// `pkg/scheduler/framework/plugins/helper/shape_score.go` (`BuildBrokenLinearFunction`)
    fn at(&self, place: i64) -> i64 {
        let line = &self.0;
        let Some(next) = line.iter().position(|(utilization, _)| place <= *utilization) else {
            return line.last().map_or(0, |(_, score)| *score);
        };
        let (to, score) = line[next];
        let Some((from, before)) = next.checked_sub(1).map(|last| line[last]) else { return score };
        before + (score - before) * (place - from) / (to - from)
    }
}

/// A mean, rounded half away from zero.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "upstream computes in float64"
)]
pub(super) fn rounded_mean(sum: i64, weights: i64) -> i64 {
    (sum as f64 / weights as f64).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_level_outside_its_points() {
        // Source: pkg/scheduler/framework/plugins/noderesources/requested_to_capacity_ratio_test.go (TestBrokenLinearFunction).
        let line = FunctionShape(vec![(10, 1), (90, 9)]);
        for (place, expected) in
            [(-10, 1), (0, 1), (9, 1), (10, 1), (15, 1), (19, 1), (20, 2), (89, 8), (90, 9), (99, 9)]
        {
            assert_eq!(line.at(place), expected, "{place}");
        }
        let falling = FunctionShape(vec![(0, 2), (40, 10), (100, 0)]);
        for (place, expected) in [(-10, 2), (0, 2), (20, 6), (30, 8), (40, 10), (70, 5), (100, 0), (110, 0)] {
            assert_eq!(falling.at(place), expected, "{place}");
        }
    }
}
