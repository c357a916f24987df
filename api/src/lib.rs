//! The API machinery every crate needs: field paths and errors, name formats, Status.
