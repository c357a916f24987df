//! The standard output: as wide as the terminal, and no fault if its reader goes away.

use std::io::{self, Write};

/// The columns of the terminal, where the output goes to one.
pub(super) type Width = Option<u16>;

/// Prints to the standard output.
///
/// # Errors
/// The output can't be written, other than because its reader, `head` for one, has seen enough.
pub(super) fn to_standard_output(
    print: impl FnOnce(Width, &mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let terminal = console::Term::stdout();
    let width = terminal.is_term().then(|| terminal.size().1);
    let mut output = io::BufWriter::new(io::stdout().lock());
    match print(width, &mut output).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
