//! Noting what has been drawn in advance, while requests are still answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{PAUSE, Waiting, Worker, back_off, receive};
use crate::server::commit::store::{list, replace_status};

/// How often it is tried at once to note what was drawn, and after how long again.
const NOTE_ATTEMPTS: u32 = 4;
const NOTE_AGAIN: Duration = Duration::from_secs(1);
/// For how long the watch may take to tell of a write that came before one of ours, before the quotas are listed.
const AWAIT_NEWS: Duration = Duration::from_millis(50);

impl Worker {
    /// Notes in the ledgers what has been drawn, and gives back what is held in advance or holds as much as is needed now. Requests go
    /// on being answered [meanwhile](Self::meanwhile).
    pub(super) async fn note(
        &mut self,
        requests: &mut mpsc::UnboundedReceiver<Waiting>,
        batch: &mut Vec<Waiting>,
    ) {
        let mut attempt = 0;
        // Whoever waits after an attempt that has failed is decided first; that notes what has been drawn, too.
        while attempt < NOTE_ATTEMPTS && (attempt == 0 || batch.is_empty()) {
            let mut is_noted = true;
            for place in self.quotas.unsettled() {
                let planned = self.quotas.seen()[place].clone();
                let writing = self.send(place, &planned, 0);
                let client = self.shared.client.clone();
                let result = self.meanwhile(replace_status(&client, &writing), requests, batch).await;
                is_noted &= self.take_result(place, writing, result);
            }
            if is_noted {
                // The recount can't write while one note follows the other.
                self.note_again = self.written + PAUSE;
                return;
            }
            if !self.await_news(requests, batch).await {
                let (client, namespace) = (self.shared.client.clone(), self.namespace.clone());
                let listed = self.meanwhile(list(&client, &namespace), requests, batch).await;
                self.has_heard |= self.take_list(listed);
            }
            attempt = self.meanwhile(back_off(attempt), requests, batch).await;
        }
        if attempt == NOTE_ATTEMPTS {
            self.note_again = Instant::now() + NOTE_AGAIN;
        }
    }

    /// Waits a little for the watch to tell of what someone else has written; false if it does not.
    async fn await_news(
        &mut self,
        requests: &mut mpsc::UnboundedReceiver<Waiting>,
        batch: &mut Vec<Waiting>,
    ) -> bool {
        let until = Instant::now() + AWAIT_NEWS;
        let caches = Arc::clone(&self.shared.caches);
        loop {
            let changed = caches.quota_changed();
            if self.take_in_watched() {
                return true;
            }
            if self.meanwhile(tokio::time::timeout_at(until, changed), requests, batch).await.is_err() {
                return false;
            }
        }
    }

    /// Waits for something. Requests that come in until then are answered if what is held in advance covers them; others join the batch.
    async fn meanwhile<T>(
        &mut self,
        awaited: impl Future<Output = T>,
        requests: &mut mpsc::UnboundedReceiver<Waiting>,
        batch: &mut Vec<Waiting>,
    ) -> T {
        let mut awaited = std::pin::pin!(awaited);
        loop {
            tokio::select! {
                biased;
                result = &mut awaited => return result,
                Some(waiting) = requests.recv() => {
                    let mut received = vec![waiting];
                    receive(requests, &mut received);
                    // What is news can't be taken in while something is under way, nor may it be passed over.
                    let watched = self.shared.caches.quotas(&self.namespace);
                    if !watched.iter().any(|read| self.quotas.is_news(read)) {
                        self.draw(&mut received);
                    }
                    batch.append(&mut received);
                }
            }
        }
    }
}
