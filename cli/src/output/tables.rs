//! A report as tables for people, one section a question: what was filled in, refused, placed, left waiting; how full
//! are quotas and nodes.

mod changed;
mod group;
mod nodes;
mod pending;
mod placed;
mod quotas;
mod refused;
mod rollouts;
mod warnings;

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

use crate::report::{Report, Summary};

/// The width of tables where there is no terminal to fit.
const DEFAULT_WIDTH: u16 = 160;

/// A line under the head and nothing else: the rows are for reading and for `grep`.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// One table with its heading.
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

/// All sections that have something to say, and the summary.
pub fn render(report: &Report, width: Option<u16>) -> String {
    let sections = [
        changed::section(report),
        refused::section(report),
        placed::section(report),
        pending::section(report),
        rollouts::summary(report),
        rollouts::steps(report),
        quotas::section(report),
        nodes::section(report),
        warnings::section(report),
    ];
    let mut text = String::new();
    for section in sections {
        render_section(section, width, &mut text);
    }
    for note in &report.summary.notes {
        text.push_str("note: ");
        text.push_str(note);
        text.push('\n');
    }
    text.push_str(&summary(&report.summary));
    text
}

/// Appends a section; one without rows leaves no trace.
pub(crate) fn render_section(section: Section, width: Option<u16>, text: &mut String) {
    if section.rows.is_empty() {
        return;
    }
    text.push_str(section.heading);
    text.push('\n');
    text.push_str(&table(section, width.unwrap_or(DEFAULT_WIDTH)));
    text.push_str("\n\n");
}

fn table(section: Section, width: u16) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width).set_header(section.columns);
    table.add_rows(section.rows);
    // Cells are padded to the width of their column; at the end of a line that is only noise.
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn summary(summary: &Summary) -> String {
    let counts = [
        (summary.admitted, "admitted"),
        (summary.placed, "placed"),
        (summary.pending, "pending"),
        (summary.denied, "denied"),
        (summary.invalid, "invalid"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let objects = if summary.objects == 1 { "object" } else { "objects" };
    if counts.is_empty() {
        return format!("{} {objects}\n", summary.objects);
    }
    format!("{} {objects}: {}\n", summary.objects, counts.join(", "))
}

#[cfg(test)]
mod tests;
