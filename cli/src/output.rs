//! A report as text: tables for people, JSON and YAML for programs.

pub mod tables;
pub mod why;

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::report::Report;

/// The form in which a report is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables for people.
    #[default]
    Table,
    /// One JSON object; the stable interface for programs.
    Json,
    /// The same as YAML.
    Yaml,
}

/// Prints a report. `width` is that of the terminal, if there is one.
///
/// # Errors
/// When the output can't be written.
pub fn print(
    report: &Report,
    format: OutputFormat,
    width: Option<u16>,
    output: &mut dyn Write,
) -> io::Result<()> {
    print_as(report, format, output, |report| tables::render(report, width))
}

/// Prints a value in a form; `render` makes the text for people.
///
/// # Errors
/// When the output can't be written.
pub fn print_as<T: Serialize>(
    value: &T,
    format: OutputFormat,
    output: &mut dyn Write,
    render: impl FnOnce(&T) -> String,
) -> io::Result<()> {
    match format {
        OutputFormat::Table => output.write_all(render(value).as_bytes()),
        OutputFormat::Json => {
            serde_json::to_writer_pretty(&mut *output, value)?;
            writeln!(output)
        }
        OutputFormat::Yaml => {
            let text = serde_saphyr::to_string(value).map_err(io::Error::other)?;
            output.write_all(text.as_bytes())
        }
    }
}
