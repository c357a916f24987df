//! ImageLocality: a node is the better the more bytes of the pod's images it has already. Asked at Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/imagelocality/image_locality.go`

use std::borrow::Cow;

use super::Registration;
use crate::framework::{ExtensionPoint, MAX_NODE_SCORE, Normalization, Plugin, PreScore, Score, ScorePlugin};
use crate::pod_info::PodInfo;
use crate::snapshot::{ImageState, NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "ImageLocality";

const MEBIBYTE: i64 = 1024 * 1024;
/// Fewer bytes than this don't count.
const MIN_BYTES: i64 = 23 * MEBIBYTE;
/// More bytes for each image than this don't count.
const MAX_BYTES_PER_IMAGE: i64 = 1000 * MEBIBYTE;

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::Score],
    weight: 1,
    summary: "A node is the better the more bytes of the pod's images it has already; an image that many nodes have counts more.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin { score: Some(Box::new(ImageLocality)), ..Plugin::new(NAME) }
}

struct ImageLocality;

impl ScorePlugin for ImageLocality {
    fn node_local(&self, _pod: &PodInfo<'_>, _snapshot: &Snapshot) -> Option<Normalization> {
        Some(Normalization::Identity)
    }

    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        let mut score = ImageScore { images: Vec::new(), image_count: 0 };
        for name in pod.images() {
            score.image_count += 1;
            if let Some(image) = snapshot.image(&normalized(name)) {
                score.images.push((image, scaled_bytes(image, snapshot.node_count())));
            }
        }
        PreScore::run(score)
    }
}

/// The name with the tag that it has if it says none.
fn normalized(name: &str) -> Cow<'_, str> {
    let last_part = name.rsplit('/').next().unwrap_or(name);
    if last_part.contains(':') { name.into() } else { format!("{name}:latest").into() }
}

/// The size of an image, times the part of all nodes that have it: so a node that is alone in having an image doesn't get all
/// of its pods.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "upstream computes in float64"
)]
fn scaled_bytes(image: &ImageState, node_count: usize) -> i64 {
    let spread = image.node_count() as f64 / node_count as f64;
    (image.size_bytes as f64 * spread) as i64
}

/// The images of a pod that some node has, with what each counts.
struct ImageScore<'a> {
    images: Vec<(&'a ImageState, i64)>,
    image_count: i64,
}

impl Score for ImageScore<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        let there = self.images.iter().filter(|(image, _)| image.is_on(node));
        let bytes = there.fold(0_i64, |sum, (_, bytes)| sum.wrapping_add(*bytes));
        // With no image the upper bound lies below the lower one; then the lower one counts.
        let max = MAX_BYTES_PER_IMAGE * self.image_count;
        let counted = if bytes < MIN_BYTES { MIN_BYTES } else { bytes.min(max) };
        MAX_NODE_SCORE * (counted - MIN_BYTES) / (max - MIN_BYTES)
    }
}
