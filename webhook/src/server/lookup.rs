//! Whether a namespace really has no LimitRanges: a cache that shows none may just not have seen one yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::LimitRange;
use kube::api::ListParams;
use kube::{Api, Client};
use parking_lot::Mutex;
use plimsoll_runtime::client::in_time;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::watch::{Caches, parse_limits};
use crate::limit_range::LimitRanges;

/// For how long an answer of the API server is believed.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`liveTTL`)
const BELIEVED_FOR: Duration = Duration::from_secs(30);

/// How many answers are kept at most.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`liveLookupCache`)
const CAPACITY: usize = 10_000;

type Answer = Arc<OnceCell<Arc<LimitRanges>>>;

/// Finds the LimitRanges of namespaces.
pub(super) struct LimitRangeLookup {
    client: Client,
    caches: Arc<Caches>,
    /// Callers that ask at the same time share an answer.
    asked: Mutex<HashMap<String, (Instant, Answer)>>,
}

impl LimitRangeLookup {
    pub(super) fn new(client: Client, caches: Arc<Caches>) -> Self {
        Self { client, caches, asked: Mutex::default() }
    }

    /// The LimitRanges of a namespace: those of the cache or, where it shows none, what the API server said at most 30 seconds ago.
    ///
    /// # Errors
    /// The API server does not answer.
    pub(super) async fn of(&self, namespace: &str) -> Result<Arc<LimitRanges>, kube::Error> {
        if let Some(limit_ranges) = self.caches.limit_ranges(namespace) {
            return Ok(limit_ranges);
        }
        let answer = self.answer(namespace);
        let list = || async {
            let api: Api<LimitRange> = Api::namespaced(self.client.clone(), namespace);
            let list = in_time(api.list(&ListParams::default())).await?;
            Ok(Arc::new(list.items.iter().filter_map(parse_limits).collect::<LimitRanges>()))
        };
        answer.get_or_try_init(list).await.cloned()
    }

    fn answer(&self, namespace: &str) -> Answer {
        let now = Instant::now();
        let mut asked = self.asked.lock();
        if asked.len() >= CAPACITY {
            asked.retain(|_, (since, _)| now.duration_since(*since) < BELIEVED_FOR);
        }
        let entry = asked.entry(namespace.to_owned()).or_insert_with(|| (now, Answer::default()));
        if now.duration_since(entry.0) >= BELIEVED_FOR {
            *entry = (now, Answer::default());
        }
        Arc::clone(&entry.1)
    }
}
