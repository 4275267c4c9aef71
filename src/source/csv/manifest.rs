//! `manifest.csv`: which files there are and what they mean (oneroster-csv §3).

use crate::roster::Finding;
use crate::source::csv::fault::{of_file, of_package, shown};
use crate::source::csv::files::{CsvVersion, FileKind};
use crate::source::csv::scan::{QuoteFault, Scan};

/// What a file is declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileMode {
    /// It is not there.
    Absent,
    /// It is complete.
    Bulk,
    /// It holds changes.
    Delta,
}

impl FileMode {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "absent" => FileMode::Absent,
            "bulk" => FileMode::Bulk,
            "delta" => FileMode::Delta,
            _ => return None,
        })
    }

    /// The manifest's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            FileMode::Absent => "absent",
            FileMode::Bulk => "bulk",
            FileMode::Delta => "delta",
        }
    }
}

/// A package's table of contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The binding's version.
    pub(crate) version: CsvVersion,
    modes: [FileMode; FileKind::COUNT],
}

impl Manifest {
    /// What a package without a manifest is taken for by a lenient source: 1.1, complete files.
    pub(crate) fn assumed(present: impl Iterator<Item = FileKind>) -> Self {
        let mut modes = [FileMode::Absent; FileKind::COUNT];
        for kind in present {
            modes[kind as usize] = FileMode::Bulk;
        }
        Self { version: CsvVersion::V1_1, modes }
    }

    /// What a file is declared to be.
    pub(crate) fn mode(&self, kind: FileKind) -> FileMode {
        self.modes[kind as usize]
    }

    /// Reads the text of a manifest, which must end in a line feed; all faults at once.
    pub(crate) fn parse(text: &str, accepted: &[CsvVersion]) -> Result<Self, Vec<Finding>> {
        let mut reading = Reading::default();
        let scanned = Scan::default().rows(text, |row| {
            let cells: Vec<&str> = row.iter().map(|cell| cell.trim_matches(' ')).collect();
            reading.row(row.line, &cells);
            Ok(())
        });
        if let Err(QuoteFault { line, what }) = scanned {
            reading.faults.push(of_file("quote_error", FILE, line, what));
        }
        reading.finish(accepted)
    }
}

const FILE: &str = "manifest.csv";

#[derive(Default)]
struct Reading {
    has_header: bool,
    properties: Vec<(String, String)>,
    faults: Vec<Finding>,
}

impl Reading {
    fn row(&mut self, line: u64, cells: &[&str]) {
        if !self.has_header {
            self.has_header = true;
            if cells != ["propertyName", "value"] {
                let found = shown(&cells.join(","));
                let detail = format!("expected `propertyName,value`, found `{found}`");
                self.faults.push(of_file("header_mismatch", FILE, line, detail));
            }
            return;
        }
        let [name, value] = cells else {
            let detail = format!("line {line} has {} cells instead of a property and its value", cells.len());
            return self.faults.push(of_package("manifest_bad_value", FILE, detail));
        };
        if self.properties.iter().any(|(known, _)| known == name) {
            let mut fault = of_package("manifest_duplicate_property", FILE, format!("line {line} declares it again"));
            fault.field = shown(name);
            return self.faults.push(fault);
        }
        self.properties.push(((*name).to_owned(), (*value).to_owned()));
    }

    fn bad(&mut self, rule: &'static str, property: &str, detail: String) {
        self.faults.push(Finding { field: shown(property), ..of_package(rule, FILE, detail) });
    }

    fn take(&mut self, property: &str) -> Option<String> {
        let at = self.properties.iter().position(|(name, _)| name == property)?;
        Some(self.properties.swap_remove(at).1)
    }

    fn required(&mut self, property: &str) -> Option<String> {
        let value = self.take(property);
        if value.is_none() {
            self.bad("manifest_bad_value", property, "the property is missing".to_owned());
        }
        value
    }

    fn finish(mut self, accepted: &[CsvVersion]) -> Result<Manifest, Vec<Finding>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        if let Some(own) = self.required("manifest.version")
            && own != "1.0"
        {
            self.bad("manifest_unknown_version", "manifest.version", format!("expected `1.0`, found `{}`", shown(&own)));
        }
        let version = self.required("oneroster.version").and_then(|word| {
            let version = [CsvVersion::V1_1, CsvVersion::V1_2].into_iter().find(|version| version.to_string() == word);
            let detail = match version {
                Some(version) if accepted.contains(&version) => return Some(version),
                Some(version) => format!("{version} is not among the versions that this source accepts"),
                None => format!("expected `1.1` or `1.2`, found `{}`", shown(&word)),
            };
            self.bad("manifest_unknown_version", "oneroster.version", detail);
            None
        });
        let Some(version) = version else { return Err(self.faults) };
        let mut modes = [FileMode::Absent; FileKind::COUNT];
        for kind in FileKind::all().filter(|kind| kind.is_in(version)) {
            let property = format!("file.{}", kind.stem());
            let Some(word) = self.required(&property) else { continue };
            match FileMode::parse(&word) {
                Some(mode) => modes[kind as usize] = mode,
                None => {
                    let detail = format!("expected `absent`, `bulk` or `delta`, found `{}`", shown(&word));
                    self.bad("manifest_bad_value", &property, detail);
                }
            }
        }
        self.properties.sort();
        for (property, value) in std::mem::take(&mut self.properties) {
            let Some(stem) = property.strip_prefix("file.") else { continue };
            if value == "absent" {
                continue;
            }
            let detail = match FileKind::of_stem(stem) {
                Some(_) => format!("OneRoster {version} has no such file, it can only be `absent`"),
                None => "no version of OneRoster has such a file".to_owned(),
            };
            self.bad("manifest_bad_value", &property, detail);
        }
        if self.faults.is_empty() { Ok(Manifest { version, modes }) } else { Err(self.faults) }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::csv::files::{CsvVersion, FileKind};
    use crate::source::csv::manifest::{FileMode, Manifest};

    const BOTH: [CsvVersion; 2] = [CsvVersion::V1_1, CsvVersion::V1_2];

    fn text(version: CsvVersion) -> String {
        let mut text = format!("propertyName,value\nmanifest.version,1.0\noneroster.version,{version}\n");
        for kind in FileKind::all().filter(|kind| kind.is_in(version)) {
            text.push_str(&format!("file.{},absent\n", kind.stem()));
        }
        text
    }

    #[test]
    fn a_sound_manifest_is_read() {
        let text = text(CsvVersion::V1_2).replace("file.users,absent", "\"file.users\",  delta ") + "source.systemName,Nord\n";
        let manifest = Manifest::parse(&text, &BOTH).expect("manifest");
        assert_eq!(manifest.version, CsvVersion::V1_2);
        assert_eq!(manifest.mode(FileKind::Users), FileMode::Delta);
        assert_eq!(manifest.mode(FileKind::Orgs), FileMode::Absent);
    }

    #[test]
    fn each_fault_has_its_code() {
        let sound = text(CsvVersion::V1_1);
        for (from, to, told) in [
            (
                "propertyName",
                "property",
                "manifest.csv:1 header_mismatch: expected `propertyName,value`, found `property,value`",
            ),
            ("file.users,absent\n", "", "manifest.csv manifest_bad_value file.users: the property is missing"),
            ("manifest.version,1.0\n", "", "manifest.csv manifest_bad_value manifest.version: the property is missing"),
            (
                "file.users,absent",
                "file.users,full",
                "manifest.csv manifest_bad_value file.users: expected `absent`, `bulk` or `delta`, found `full`",
            ),
            (
                "file.users,absent",
                "file.users,absent\nfile.users,bulk",
                "manifest.csv manifest_duplicate_property file.users: line 17 declares it again",
            ),
            (
                "version,1.1",
                "version,1.3",
                "manifest.csv manifest_unknown_version oneroster.version: expected `1.1` or `1.2`, found `1.3`",
            ),
            (
                "version,1.0",
                "version,2.0",
                "manifest.csv manifest_unknown_version manifest.version: expected `1.0`, found `2.0`",
            ),
            (
                "file.users,absent",
                "file.users,absent\nfile.roles,bulk",
                "manifest.csv manifest_bad_value file.roles: OneRoster 1.1 has no such file, it can only be `absent`",
            ),
            (
                "file.users,absent",
                "file.users,absent\nfile.friends,bulk",
                "manifest.csv manifest_bad_value file.friends: no version of OneRoster has such a file",
            ),
            (
                "file.users,absent",
                "file.users",
                "manifest.csv manifest_bad_value: line 16 has 1 cells instead of a property and its value",
            ),
            (
                "file.users,absent",
                "file.users,\"absent",
                "manifest.csv:16 quote_error: a line break stands inside a cell, or a quote is never closed",
            ),
        ] {
            let faults = Manifest::parse(&sound.replacen(from, to, 1), &BOTH).expect_err(told);
            assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
        }
        let faults = Manifest::parse(&sound, &[CsvVersion::V1_2]).expect_err("not accepted");
        assert_eq!(faults[0].rule, "manifest_unknown_version");
    }
}
