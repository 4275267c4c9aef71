//! Headers: exactly as the binding says, or, for a lenient source, mapped by name with every deviation told.

use crate::roster::Finding;
use crate::source::csv::fault::{of_file, shown, warning};
use crate::source::csv::files::{CsvVersion, FileKind};

/// Most columns that a parser knows of one file.
const KNOWN_MAX: usize = 32;
const NOWHERE: u16 = u16::MAX;

/// Where the columns of one file stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Cells of each row.
    pub(crate) width: usize,
    /// Kept metadata columns: where they stand and their full names.
    pub(crate) metadata: Vec<(usize, String)>,
    places: [u16; KNOWN_MAX],
}

impl Layout {
    /// Where a known column stands; past every row for one that is not there, so that its cells read as blank.
    #[inline]
    pub(crate) fn place(&self, column: usize) -> usize {
        usize::from(self.places[column])
    }
}

/// How a file's header is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderRule<'s> {
    /// The binding's version.
    pub(crate) version: CsvVersion,
    /// Map by name instead of refusing.
    pub(crate) lenient: bool,
    /// Full names of the metadata columns to keep.
    pub(crate) keep_metadata: &'s [String],
}

/// Reads the header of a file. A lenient reading adds to `warnings`.
pub(crate) fn layout(
    kind: FileKind,
    found: &[&str],
    rule: HeaderRule<'_>,
    warnings: &mut Vec<Finding>,
) -> Result<Layout, Box<Finding>> {
    for (place, name) in found.iter().enumerate() {
        if !name.is_empty() && found[..place].contains(name) {
            let mut fault = of_file("header_duplicate", kind.name(), 1, format!("column {} has a name used before", place + 1));
            fault.field = shown(name);
            return Err(fault.into());
        }
    }
    match exact(kind, found, rule) {
        Err(_) if rule.lenient => mapped(kind, found, rule, warnings),
        read => read,
    }
}

fn new_layout(kind: FileKind, found: &[&str], rule: HeaderRule<'_>) -> Layout {
    let is_kept = |name: &str| kind == FileKind::Users && rule.keep_metadata.iter().any(|kept| kept == name);
    let metadata = found.iter().enumerate().filter(|(_, name)| is_metadata(name) && is_kept(name));
    Layout {
        width: found.len(),
        metadata: metadata.map(|(place, name)| (place, (*name).to_owned())).collect(),
        places: [NOWHERE; KNOWN_MAX],
    }
}

fn is_metadata(name: &str) -> bool {
    name.strip_prefix("metadata.").is_some_and(|rest| !rest.is_empty())
}

/// The header as the binding has it: of several forms, the one that agrees for longest is the one meant.
fn exact(kind: FileKind, found: &[&str], rule: HeaderRule<'_>) -> Result<Layout, Box<Finding>> {
    let agreed = |form: &[&str]| form.iter().zip(found).take_while(|(a, b)| a == b).count();
    let forms = kind.headers(rule.version);
    let form = forms.iter().copied().reduce(|a, b| if agreed(b) > agreed(a) { b } else { a });
    let form = form.unwrap_or_default();
    let same = agreed(form);
    let differs = if same < form.len() {
        Some((same, format!("`{}`", form[same])))
    } else {
        let extra = found.iter().skip(same).position(|name| !is_metadata(name));
        extra.map(|more| (same + more, "the end of the header or a `metadata.` column".to_owned()))
    };
    if let Some((place, expected)) = differs {
        let seen = match found.get(place) {
            Some(name) => format!("`{}`", shown(name)),
            None => "the end of the header".to_owned(),
        };
        let mut fault =
            of_file("header_mismatch", kind.name(), 1, format!("column {}: expected {expected}, found {seen}", place + 1));
        fault.field = form.get(place).map_or_else(String::new, |name| (*name).to_owned());
        return Err(fault.into());
    }
    let mut layout = new_layout(kind, found, rule);
    for (place, name) in form.iter().enumerate() {
        set(&mut layout, kind, name, place);
    }
    Ok(layout)
}

fn set(layout: &mut Layout, kind: FileKind, name: &str, place: usize) {
    if let Some(known) = kind.columns().iter().position(|column| *column == name) {
        layout.places[known] = u16::try_from(place).unwrap_or(NOWHERE);
    }
}

/// Names seen in files of 1.0 and near 1.1 (oneroster-csv §9).
fn alias_of(kind: FileKind, name: &str) -> Option<&'static str> {
    Some(match (kind, name) {
        (FileKind::Users, "userId") => "userIds",
        (FileKind::Users, "agents") => "agentSourcedIds",
        (FileKind::Users | FileKind::Classes | FileKind::Courses, "grade") => "grades",
        (FileKind::Courses, "schoolYearId") => "schoolYearSourcedId",
        (FileKind::Classes, "termSourcedId") => "termSourcedIds",
        (FileKind::Demographics, "userSourcedId") => "sourcedId",
        (FileKind::Demographics, "birthdate") => "birthDate",
        _ => return None,
    })
}

fn mapped(kind: FileKind, found: &[&str], rule: HeaderRule<'_>, warnings: &mut Vec<Finding>) -> Result<Layout, Box<Finding>> {
    let file = kind.name();
    let is_known =
        |name: &str| kind.headers(rule.version).iter().any(|form| form.contains(&name)) || kind.columns().contains(&name);
    let mut layout = new_layout(kind, found, rule);
    let told_before = warnings.len();
    for (place, &name) in found.iter().enumerate() {
        let column = match alias_of(kind, name) {
            Some(column) if found.contains(&column) => None,
            Some(column) => {
                let detail = format!("`{}` is read as `{column}`", shown(name));
                warnings.push(warning("header_mismatch", file, 1, column, detail));
                Some(column)
            }
            None if is_known(name) => Some(name),
            None => None,
        };
        match column {
            Some(column) => set(&mut layout, kind, column, place),
            None if is_metadata(name) => {}
            None => warnings.push(warning("header_mismatch", file, 1, &shown(name), "an unknown column is ignored")),
        }
    }
    for needed in kind.columns_needed(rule.version) {
        let known = kind.columns().iter().position(|column| column == needed);
        if known.is_none_or(|known| layout.places[known] == NOWHERE) {
            let mut fault = of_file("header_mismatch", file, 1, "the column is missing under this and every other known name");
            fault.field = (*needed).to_owned();
            return Err(fault.into());
        }
    }
    if told_before == warnings.len() {
        warnings.push(warning(
            "header_mismatch",
            file,
            1,
            "",
            "columns are missing or in another order; they are read by name",
        ));
    }
    Ok(layout)
}

#[cfg(test)]
mod tests {
    use crate::source::csv::files::{CsvVersion, FileKind};
    use crate::source::csv::header::{HeaderRule, Layout, layout};

    const V1_1: HeaderRule<'static> = HeaderRule { version: CsvVersion::V1_1, lenient: false, keep_metadata: &[] };
    const V1_2: HeaderRule<'static> = HeaderRule { version: CsvVersion::V1_2, lenient: false, keep_metadata: &[] };

    fn read(kind: FileKind, header: &str, rule: HeaderRule<'_>) -> Result<(Layout, Vec<String>), String> {
        let cells: Vec<&str> = header.split(',').collect();
        let mut warnings = Vec::new();
        let layout = layout(kind, &cells, rule, &mut warnings).map_err(|fault| fault.to_string())?;
        Ok((layout, warnings.iter().map(ToString::to_string).collect()))
    }

    fn told(kind: FileKind, header: &str, rule: HeaderRule<'_>) -> String {
        read(kind, header, rule).expect_err(header)
    }

    const ORGS: &str = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId";
    const USERS_1_2_1: &str = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,\
        identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,\
        preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns";

    #[test]
    fn all_headers_of_the_binding_are_accepted() {
        for rule in [V1_1, V1_2] {
            for kind in FileKind::all().filter(|kind| kind.is_in(rule.version)) {
                for form in kind.headers(rule.version) {
                    let (layout, warnings) = read(kind, &form.join(","), rule).expect("layout");
                    assert_eq!((layout.width, warnings.len()), (form.len(), 0));
                }
            }
        }
        let (layout, _) = read(FileKind::Users, USERS_1_2_1, V1_2).expect("1.2.1");
        assert_eq!(layout.place(23), 20, "primaryOrgSourcedId");
        assert_eq!(layout.place(4), usize::from(u16::MAX), "orgSourcedIds");
    }

    #[test]
    fn the_first_differing_column_is_named() {
        let mismatch = |column: &str, detail: &str| {
            let space = if column.is_empty() { "" } else { " " };
            format!("orgs.csv:1 header_mismatch{space}{column}: {detail}")
        };
        for (header, told_as) in [
            (
                ORGS.replace("dateLastModified", "dataLastModified"),
                mismatch("dateLastModified", "column 3: expected `dateLastModified`, found `dataLastModified`"),
            ),
            (
                ORGS.replace(",parentSourcedId", ""),
                mismatch("parentSourcedId", "column 7: expected `parentSourcedId`, found the end of the header"),
            ),
            (ORGS.replace("name,type", "type,name"), mismatch("name", "column 4: expected `name`, found `type`")),
            (ORGS.to_uppercase(), mismatch("sourcedId", "column 1: expected `sourcedId`, found `SOURCEDID`")),
            (ORGS.replace("name", "metadata.x,name"), mismatch("name", "column 4: expected `name`, found `metadata.x`")),
            (
                format!("{ORGS},ext_vendor_id"),
                mismatch("", "column 8: expected the end of the header or a `metadata.` column, found `ext_vendor_id`"),
            ),
            (format!("{ORGS},"), mismatch("", "column 8: expected the end of the header or a `metadata.` column, found ``")),
            (
                format!("{ORGS},metadata."),
                mismatch("", "column 8: expected the end of the header or a `metadata.` column, found `metadata.`"),
            ),
        ] {
            assert_eq!(told(FileKind::Orgs, &header, V1_2), told_as);
        }
        assert_eq!(
            told(FileKind::Orgs, &format!("{ORGS},metadata.a,metadata.a"), V1_1),
            "orgs.csv:1 header_duplicate metadata.a: column 9 has a name used before"
        );
        assert_eq!(
            told(FileKind::Users, &USERS_1_2_1.replace("preferredGiven", "prefferedGiven"), V1_2),
            "users.csv:1 header_mismatch resourceSourcedIds: column 18: expected `resourceSourcedIds`, found `prefferedGivenName`"
        );
    }

    #[test]
    fn metadata_is_kept_where_asked_for() {
        let keep = ["metadata.program".to_owned()];
        let rule = HeaderRule { keep_metadata: &keep, ..V1_2 };
        let (layout, _) = read(FileKind::Users, &format!("{USERS_1_2_1},metadata.x,metadata.program"), rule).expect("layout");
        assert_eq!(layout.metadata, [(23, "metadata.program".to_owned())]);
    }

    #[test]
    fn a_lenient_source_maps_by_name_and_tells() {
        let rule = HeaderRule { lenient: true, ..V1_1 };
        let (layout, warnings) = read(
            FileKind::Classes,
            "sourcedId,title,classType,ext_x,schoolSourcedId,termSourcedId,metadata.y,courseSourcedId",
            rule,
        )
        .expect("layout");
        assert_eq!((layout.width, layout.place(3), layout.place(10), layout.place(5)), (8, 1, 5, 7));
        assert_eq!(
            warnings,
            [
                "classes.csv:1 header_mismatch ext_x: an unknown column is ignored",
                "classes.csv:1 header_mismatch termSourcedIds: `termSourcedId` is read as `termSourcedIds`",
            ]
        );
        let (_, warnings) = read(FileKind::Orgs, "name,type,sourcedId", rule).expect("layout");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(
            told(FileKind::Orgs, "sourcedId,name", rule),
            "orgs.csv:1 header_mismatch type: the column is missing under this and every other known name"
        );
    }
}
