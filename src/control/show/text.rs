//! Words, lines and columns.

use super::field::number;
use serde_json::Value;
use std::fmt::Display;

/// Columns of a line.
pub(super) const WIDTH: usize = 80;

/// Seconds in words, the two largest units: `45 s`, `1 h 29 min`, `3 d`.
pub(super) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let first = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    let mut rest = seconds;
    let words = UNITS.iter().skip(first).take(2).enumerate().filter_map(|(at, (unit, name))| {
        let count = rest / unit;
        rest %= unit;
        (at == 0 || count > 0).then(|| format!("{count} {name}"))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The seconds left in this field in words; null is `for ever`, and a missing field `?`.
pub(super) fn left(value: &Value, key: &str) -> String {
    match (number(value, key), value.get(key)) {
        (Some(seconds), _) => duration(seconds),
        (None, Some(Value::Null)) => "for ever".into(),
        _ => "?".into(),
    }
}

/// `1 LAN`, `2 LANs`.
pub(super) fn counted(count: impl Display, one: &str, many: &str) -> String {
    let count = count.to_string();
    let what = if count == "1" { one } else { many };
    format!("{count} {what}")
}

/// The text in lines of at most 80 columns, cut between words where there are some.
pub(super) fn wrapped(first: &str, rest: &str, text: &str) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !empty && width(&line) + 1 + width(word) > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out + &line + "\n"
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Rows of columns that line up, two spaces apart, and lines between them. The last column with something in it is cut
/// to what is left of the line, but not below [`Table::LEAST`].
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

enum Row {
    Cells(Vec<String>),
    /// Text of whole lines, their ends included.
    Text(String),
}

impl Table {
    /// An Ethernet address.
    const LEAST: usize = 17;

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(Row::Cells(cells.into()));
    }

    /// Lines across all columns.
    pub(super) fn text(&mut self, lines: impl Into<String>) {
        self.rows.push(Row::Text(lines.into()));
    }

    /// All lines, those of columns two spaces in.
    pub(super) fn show(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            let Row::Cells(cells) = row else { continue };
            widths.resize(widths.len().max(cells.len()), 0);
            for (wide, cell) in widths.iter_mut().zip(cells) {
                *wide = (*wide).max(width(cell));
            }
        }
        let mut out = String::new();
        for row in &self.rows {
            match row {
                Row::Text(lines) => out.push_str(lines),
                Row::Cells(cells) => out.push_str(&aligned(cells, &widths)),
            }
        }
        out
    }
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::from("  ");
    let last = cells.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
    for (at, (cell, wide)) in cells.iter().zip(widths).take(last + 1).enumerate() {
        if at < last {
            line.push_str(&format!("{cell:<wide$}  "));
        } else {
            line.push_str(&cut(cell, WIDTH.saturating_sub(width(&line)).max(Table::LEAST)));
        }
    }
    line + "\n"
}

fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
