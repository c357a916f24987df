//! What every Plimsoll process needs: a client, events, logs, health and metrics, an orderly end, and the mode in which
//! it works. It decides about no object.

pub mod client;
pub mod events;
pub mod health;
pub mod leader;
pub mod logging;
pub mod mode;
pub mod probe;
pub mod process;
pub mod shutdown;

pub use mimalloc::MiMalloc;

pub use shutdown::Shutdown;
