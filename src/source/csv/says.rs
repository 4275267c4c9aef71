//! What rows say of whom, as far as anybody reads it. Cells that nobody reads are in no hash: passwords, and columns of a
//! vendor's own in which anything may stand.

use crate::roster::{Collection, Grouping, Line};
use crate::source::csv::files::FileKind;
use crate::source::csv::header::Layout;
use crate::source::csv::parse::{Enrollments, Roles, RowParser, Users};
use crate::source::csv::scan::Row;

/// Hashes the rows of one file.
pub(crate) struct Says<'l> {
    what: Collection,
    grouping: Grouping,
    layout: &'l Layout,
    cell_bytes_max: usize,
    /// Where whom they tell of stands.
    person: usize,
    /// Where the cells stand that are read, unless all are.
    read: Option<Vec<usize>>,
    text: String,
}

impl<'l> Says<'l> {
    /// For a collection whose rows tell of people; `None` for others.
    pub(crate) fn new(what: Collection, grouping: Grouping, layout: &'l Layout, cell_bytes_max: usize) -> Option<Self> {
        let columns = FileKind::of_collection(what).columns().len();
        let (person, read): (Option<usize>, Vec<usize>) = match what {
            Collection::People => (Users::PERSON, Users::READ.to_vec()),
            Collection::Roles => (Roles::PERSON, (0..columns).collect()),
            Collection::Enrollments => (Enrollments::PERSON, (0..columns).collect()),
            _ => return None,
        };
        let kept = layout.metadata.iter().map(|(place, _)| *place);
        let places = read.iter().map(|&column| layout.place(column)).chain(kept).collect();
        let read = Some(places).filter(|_| what == Collection::People || layout.width > columns);
        let person = layout.place(person?);
        Some(Self { what, grouping, layout, cell_bytes_max, person, read, text: String::new() })
    }

    /// The same for another thread.
    pub(crate) fn again(&self) -> Self {
        let Self { what, grouping, layout, cell_bytes_max, person, ref read, .. } = *self;
        Self { what, grouping, layout, cell_bytes_max, person, read: read.clone(), text: String::new() }
    }

    /// What a row says, whatever is wrong with it.
    pub(crate) fn line(&mut self, row: &Row<'_>) -> Line {
        let key = row.get(self.person);
        let Some(read) = &self.read else { return self.grouping.line(self.what, key, row.whole()) };
        self.text.clear();
        // No cell holds a line feed.
        for &place in read {
            self.text.push_str(row.get(place));
            self.text.push('\n');
        }
        // Of cells that are not read it counts how many and how long they are, where a row may break a bound.
        if row.width() != self.layout.width || row.bytes > self.cell_bytes_max {
            row.iter().for_each(|cell| self.text.push_str(&format!("{}\n", cell.len())));
        }
        self.grouping.line(self.what, key, &self.text)
    }
}

#[cfg(test)]
mod tests {
    use crate::roster::{Collection, Prints};
    use crate::source::csv::files::{CsvVersion, FileKind};
    use crate::source::csv::header::{HeaderRule, layout};
    use crate::source::csv::says::Says;
    use crate::source::csv::scan::{QuoteFault, Scan};

    /// What a row of people says, with a kept column behind the others.
    fn said(change: &[(&str, &str)], bound: usize) -> Prints {
        let keep = ["metadata.unit".to_owned()];
        let rule = HeaderRule { version: CsvVersion::V1_2, lenient: false, keep_metadata: &keep };
        let mut header: Vec<&str> = FileKind::Users.headers(CsvVersion::V1_2)[0].to_vec();
        header.extend(["metadata.unit", "metadata.born"]);
        let layout = layout(FileKind::Users, &header, rule, &mut Vec::new()).expect("a header");
        let cells: Vec<String> = header.iter().map(|name| format!("{name} of ana")).collect();
        let cell =
            |(name, cell): (&&str, String)| change.iter().find(|(of, _)| of == name).map_or(cell, |(_, to)| (*to).to_owned());
        let row: Vec<String> = header.iter().zip(cells).map(cell).collect();
        let mut prints = Prints::of_file(0);
        let mut says = Says::new(Collection::People, prints.grouping(), &layout, bound).expect("they tell of people");
        let mut lines = Vec::new();
        Scan::behind(1)
            .rows(&(row.join(",") + "\n"), |row| {
                lines.push(says.line(&row));
                Ok::<(), QuoteFault>(())
            })
            .expect("a row");
        prints.add(&lines);
        prints
    }

    #[test]
    fn what_nobody_reads_is_in_no_hash() {
        let before = said(&[], 1 << 16);
        for name in ["password", "phone", "sms", "userIds", "middleName", "metadata.born", "agentSourcedIds"] {
            assert_eq!(said(&[(name, "something else")], 1 << 16), before, "{name}");
        }
        let read =
            ["sourcedId", "status", "dateLastModified", "enabledUser", "username", "givenName", "familyName", "identifier"];
        for name in read.into_iter().chain(["email", "grades", "primaryOrgSourcedId", "metadata.unit"]) {
            assert_ne!(said(&[(name, "something else")], 1 << 16), before, "{name}");
        }
        // A cell that is too long is told of, whoever reads it.
        assert_ne!(said(&[("password", &"x".repeat(2_000))], 1_000), said(&[], 1_000));
    }
}
