use crate::config::{Problem, Severity, harmless, uci};
use crate::net::FlatMap;

/// Most problems told of one file; a damaged one has no end of them.
pub const MAX_PROBLEMS: usize = 100;

/// A section, and where in the file its options stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The section's name, or `@host[1]`.
    pub(super) name: String,
    /// Line of its `config`.
    pub(super) line: usize,
    kind: String,
    options: FlatMap<&'static str, Written>,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    line: usize,
    good: bool,
}

impl Place {
    /// `index`: how many sections of its type stand before it.
    pub(super) fn new(section: &uci::Section, index: usize) -> Place {
        let uci::Section { line, kind, name, anonymous, .. } = section;
        let name = if *anonymous { format!("@{kind}[{index}]") } else { name.clone() };
        Place { name, line: *line, kind: kind.clone(), options: FlatMap::new() }
    }

    /// Notes that an option stands on `line`, and whether its value was taken.
    pub(super) fn add(&mut self, option: &'static str, line: usize, good: bool) {
        self.options.insert(option, Written { line, good });
    }

    /// Whether the section has this option.
    pub(super) fn has(&self, option: &str) -> bool {
        self.options.contains_key(option)
    }

    /// `lan 'home'`, `host @host[1]`; empty for the file as a whole.
    pub(super) fn label(&self) -> String {
        match (self.kind.is_empty(), self.name.starts_with('@')) {
            (true, _) => String::new(),
            (false, true) => format!("{} {}", self.kind, self.name),
            (false, false) => format!("{} '{}'", self.kind, self.name),
        }
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    problems: Vec<Problem>,
    errors: bool,
    more: usize,
}

impl Report {
    /// An error that these options make together, the first one that is written being named as its place.
    pub(super) fn error(
        &mut self,
        place: &Place,
        options: &[&str],
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.clash(Severity::Error, place, options, message, remedy);
    }

    /// A warning likewise.
    pub(super) fn warning(
        &mut self,
        place: &Place,
        options: &[&str],
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.clash(Severity::Warning, place, options, message, remedy);
    }

    fn clash(
        &mut self,
        severity: Severity,
        place: &Place,
        options: &[&str],
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let written = || options.iter().filter_map(|option| place.options.get_key_value(option));
        if written().any(|(_, written)| !written.good) {
            return;
        }
        let (option, line) = match written().next() {
            Some((option, written)) => (*option, written.line),
            None => (options.first().copied().unwrap_or_default(), place.line),
        };
        self.at(severity, place, line, option, message, remedy);
    }

    /// A problem of just this line and option.
    pub(super) fn at(
        &mut self,
        severity: Severity,
        place: &Place,
        line: usize,
        option: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.errors |= severity == Severity::Error;
        if self.is_full() {
            self.more += 1;
            return;
        }
        self.problems.push(Problem {
            severity,
            line,
            // what they quote of the file may be anything, and they are shown on terminals and logged
            section: harmless(&place.label()),
            option: harmless(option),
            message: harmless(&message.into()),
            remedy: harmless(&remedy.into()),
        });
    }

    /// Counts problems that were not even told to us.
    pub(super) fn skip(&mut self, count: usize) {
        self.more += count;
    }

    /// Whether further problems are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    pub(super) fn has_errors(&self) -> bool {
        self.errors
    }

    /// All of them, by line.
    pub(super) fn problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.line);
        if self.more > 0 {
            self.problems.push(Problem {
                severity: if self.errors { Severity::Error } else { Severity::Warning },
                line: self.problems.last().map_or(0, |last| last.line),
                section: String::new(),
                option: String::new(),
                message: format!("{} more problems are not shown", self.more),
                remedy: "mend these first".into(),
            });
        }
        self.problems
    }
}
