//! Logs on standard error.

use tracing_subscriber::EnvFilter;

/// How logs look.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Flags {
    /// What is logged: a level, or levels by module, as in `info,kube=warn`.
    #[arg(long, default_value = "info", value_name = "FILTER")]
    log: String,
    /// Logs as one JSON object a line.
    #[arg(long)]
    log_json: bool,
}

impl Flags {
    /// Sends what is logged from now on to standard error.
    pub fn start(&self) {
        let filter = EnvFilter::try_new(&self.log).unwrap_or_else(|_| EnvFilter::new("info"));
        let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        if self.log_json {
            logs.json().init();
        } else {
            logs.with_ansi(false).init();
        }
    }
}
