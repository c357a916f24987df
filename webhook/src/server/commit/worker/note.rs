//! Noting what has been drawn in advance, while requests are still answered.

use std::time::Duration;

use tokio::time::Instant;

use super::{PAUSE, Worker, back_off};
use crate::server::commit::store::{list, replace_status};

/// How often it is tried at once to note what was drawn, and after how long again.
const NOTE_ATTEMPTS: u32 = 4;
const NOTE_AGAIN: Duration = Duration::from_secs(1);
/// For how long the watch may take to tell of a write that came before one of ours, before the quotas are listed.
const AWAIT_NEWS: Duration = Duration::from_millis(50);

impl Worker {
    /// Notes in the ledgers what has been drawn, and gives back what is held in advance or holds as much as is needed now. Requests go
    /// on being answered [meanwhile](Self::meanwhile).
    pub(super) async fn note(&mut self) {
        let mut attempt = 0;
        // Whoever waits after an attempt that has failed is decided first; that notes what has been drawn, too.
        while attempt < NOTE_ATTEMPTS && (attempt == 0 || self.batch.is_empty()) {
            let mut is_noted = true;
            for place in self.quotas.unsettled() {
                let planned = self.quotas.seen()[place].clone();
                let writing = self.send(place, &planned, 0);
                let client = self.shared.client.clone();
                let result = self.meanwhile(replace_status(&client, &writing)).await;
                is_noted &= self.take_result(place, writing, result);
            }
            if is_noted {
                // The recount can't write while one note follows the other.
                self.note_again = self.written + PAUSE;
                return;
            }
            if !self.await_news(Instant::now() + AWAIT_NEWS).await {
                let (client, namespace) = (self.shared.client.clone(), self.namespace.clone());
                let listed = self.meanwhile(list(&client, &namespace)).await;
                self.has_heard |= self.take_list(listed);
            }
            attempt = self.meanwhile(back_off(attempt)).await;
        }
        if attempt == NOTE_ATTEMPTS {
            self.note_again = Instant::now() + NOTE_AGAIN;
        }
    }
}
