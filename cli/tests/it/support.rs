//! Running the command.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the command answered.
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Runs the command in a folder, with a text as standard input.
pub(crate) fn plimsoll(folder: &Path, arguments: &[&str], input: &str) -> Answer {
    let mut process = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command may end before it has read everything; then the pipe is closed.
    drop(process.stdin.take().unwrap().write_all(input.as_bytes()));
    let answer = process.wait_with_output().unwrap();
    Answer {
        status: answer.status.code().unwrap(),
        output: String::from_utf8(answer.stdout).unwrap(),
        errors: String::from_utf8(answer.stderr).unwrap(),
    }
}
