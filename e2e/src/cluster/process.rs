//! One process with a log file of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

/// The unit of time in /proc on every Linux that we build for.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process can be told.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// Stand still.
    Stop,
    /// Go on.
    Continue,
}

/// A process that ends with this value.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program, with what it prints in `<folder>/<name>.log`.
    pub(crate) fn start(name: &str, folder: &Path, mut command: Command) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::options().append(true).create(true).open(&log);
        let file = file.with_context(|| format!("can't make {}", log.display()))?;
        let errors = file.try_clone().context("can't share the log file")?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let child = command.spawn().with_context(|| format!("can't start {name}: {command:?}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Makes sure that it still runs.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait().context("can't ask for the process")? {
            bail!("{} ended with {status}; its last words:\n{}", self.name, self.last_words());
        }
        Ok(())
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Has it stand still, or go on.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let word = match signal {
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        // The standard library can only kill.
        let status = Command::new("sh").arg("-c").arg(format!("kill -{word} {}", self.child.id())).status();
        let status = status.context("can't run sh")?;
        if !status.success() {
            bail!("can't send {} a signal: {status}", self.name);
        }
        Ok(())
    }

    /// The CPU time that it has taken so far, in seconds, with its name.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<(String, f64)> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.with_context(|| format!("{} has ended", self.name))?;
        // The name in parentheses may hold spaces; user and system time are the 12th and 13th words after it.
        let words: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks =
            |place: usize| words.get(place).and_then(|word| word.parse::<u32>().ok()).unwrap_or_default();
        Ok((self.name.clone(), f64::from(ticks(11) + ticks(12)) / TICKS_PER_SECOND))
    }

    /// The memory that it takes at this moment, in mebibytes, with its name.
    pub(crate) fn memory(&self) -> anyhow::Result<(String, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.with_context(|| format!("{} has ended", self.name))?;
        let kibibytes =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        let kibibytes: f64 = kibibytes.context("the system does not tell")?.trim().parse()?;
        Ok((self.name.clone(), kibibytes / 1024.0))
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
