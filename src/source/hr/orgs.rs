//! Paths of orgs: an id that tells the way from the top, made of what columns say.

use std::collections::BTreeMap;

use crate::source::hr::mapping::OrgMapping;

/// Levels below the top at most: what is deeper is no path but a mistake.
const LEVELS_MAX: usize = 16;

/// A path has too many levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooDeep;

/// Writes the path that these cells tell into `path`: the top's id and the levels, joined by `/`. A `/` within a level is
/// written `%2F`.
pub(crate) fn write_path<'c>(
    mapping: &OrgMapping,
    cells: impl Iterator<Item = &'c str>,
    path: &mut String,
) -> Result<(), TooDeep> {
    path.clear();
    path.push_str(&mapping.root);
    let mut levels = 0;
    for cell in cells {
        let separator = mapping.separator.as_deref().unwrap_or("\u{0}");
        for level in cell.split(separator).map(str::trim).filter(|level| !level.is_empty()) {
            levels += 1;
            if levels > LEVELS_MAX {
                return Err(TooDeep);
            }
            path.push('/');
            let mut parts = level.split('/');
            path.push_str(parts.next().unwrap_or_default());
            for part in parts {
                path.push_str("%2F");
                path.push_str(part);
            }
        }
    }
    Ok(())
}

/// All paths of a feed, and their numbers.
#[derive(Debug)]
pub(crate) struct Orgs {
    root: String,
    paths: BTreeMap<String, u32>,
    last: String,
}

impl Orgs {
    /// The top alone.
    pub(crate) fn new(root: &str) -> Self {
        Self { root: root.to_owned(), paths: BTreeMap::from([(root.to_owned(), 0)]), last: String::new() }
    }

    /// Takes a path and all above it.
    pub(crate) fn add(&mut self, path: &str) {
        if self.last == path {
            return;
        }
        path.clone_into(&mut self.last);
        let mut path = path;
        while !self.paths.contains_key(path) {
            self.paths.insert(path.to_owned(), 0);
            // Ids of tops may have a `/` of their own: never above the top.
            match path[self.root.len()..].rfind('/') {
                Some(at) => path = &path[..self.root.len() + at],
                None => break,
            }
        }
    }

    /// Numbers the paths, by rising path; when all are in.
    pub(crate) fn number(&mut self) {
        (0..).zip(self.paths.values_mut()).for_each(|(number, path)| *path = number);
    }

    /// The number of a path.
    pub(crate) fn find(&self, path: &str) -> Option<u32> {
        self.paths.get(path).copied()
    }

    /// The paths by number; parents come before their children.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.paths.keys().map(String::as_str).collect()
    }
}

/// The parent and the name that a path below the top tells.
pub(crate) fn parent_and_name<'p>(root: &str, path: &'p str) -> Option<(&'p str, String)> {
    let at = root.len() + path.get(root.len()..)?.rfind('/')?;
    Some((&path[..at], path[at + 1..].replace("%2F", "/")))
}

#[cfg(test)]
mod tests {
    use crate::source::hr::mapping::OrgMapping;
    use crate::source::hr::orgs::{Orgs, TooDeep, parent_and_name, write_path};

    fn mapping(separator: Option<&str>) -> OrgMapping {
        let (root, root_name, levels) = ("nord".to_owned(), "Nord AG".to_owned(), Vec::new());
        OrgMapping { root, root_name, levels, separator: separator.map(str::to_owned) }
    }

    #[test]
    fn one_column_or_several_make_a_path() {
        for (separator, cells, path) in [
            (None, &[][..], "nord"),
            (None, &["", " "], "nord"),
            (None, &["Sales"], "nord/Sales"),
            (None, &["North", "", "Sales"], "nord/North/Sales"),
            (None, &["R/D"], "nord/R%2FD"),
            (Some("/"), &["North/Sales / East"], "nord/North/Sales/East"),
            (Some("/"), &["/North//"], "nord/North"),
            (Some(">"), &["North > A/B", "Team"], "nord/North/A%2FB/Team"),
        ] {
            let mut written = String::from("old");
            assert_eq!(write_path(&mapping(separator), cells.iter().copied(), &mut written), Ok(()));
            assert_eq!(written, path, "{cells:?}");
        }
        let deep = "a/".repeat(17);
        assert_eq!(write_path(&mapping(Some("/")), [deep.as_str()].into_iter(), &mut String::new()), Err(TooDeep));
    }

    #[test]
    fn paths_bring_what_is_above_them() {
        let mut orgs = Orgs::new("nord/ag");
        for path in ["nord/ag/North/Sales", "nord/ag/North/Sales", "nord/ag/A%2FB", "nord/ag"] {
            orgs.add(path);
        }
        orgs.number();
        assert_eq!(orgs.paths(), ["nord/ag", "nord/ag/A%2FB", "nord/ag/North", "nord/ag/North/Sales"]);
        assert_eq!((orgs.find("nord/ag/North"), orgs.find("nord")), (Some(2), None));
        assert_eq!(parent_and_name("nord/ag", "nord/ag"), None);
        assert_eq!(parent_and_name("nord/ag", "nord/ag/A%2FB"), Some(("nord/ag", "A/B".to_owned())));
        assert_eq!(parent_and_name("nord/ag", "nord/ag/North/Sales"), Some(("nord/ag/North", "Sales".to_owned())));
    }
}
