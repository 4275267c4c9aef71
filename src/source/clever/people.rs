//! Who a user is: the roles that Clever tells by kind and school, as roles of a roster (clever §4, §11).

use crate::source::clever::settings::StaffRole;
use crate::source::clever::wire::{RoleWire, UserWire};

/// A role in an org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held<'w> {
    pub(crate) org: &'w str,
    pub(crate) role: &'static str,
    /// The org is the main one of this role, and no other role is the main one there.
    pub(crate) primary: bool,
}

/// A user.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Who<'w> {
    /// A parent or another relative: nobody of the roster.
    Contact,
    /// Nothing tells what they are.
    Unknown,
    /// With these roles, sorted, and how many schools among them nobody knows.
    Person(Vec<Held<'w>>, u64),
}

/// What a user is. Whoever is at no school that is known is at the district; so nobody loses a role by what is not shared.
pub(crate) fn who<'w>(user: &'w UserWire<'_>, district: &'w str, staff: StaffRole, knows: &dyn Fn(&str) -> bool) -> Who<'w> {
    let Some(roles) = &user.roles.0 else { return Who::Unknown };
    let kinds = [
        ("student", &roles.student),
        ("teacher", &roles.teacher),
        (staff.word(), &roles.staff),
        ("districtAdministrator", &roles.district_admin),
    ];
    let (mut held, mut strange) = (Vec::new(), 0);
    for (role, wire) in kinds {
        let Some(wire) = &wire.0 else { continue };
        let mut orgs: Vec<&str> = schools(wire).collect();
        orgs.sort_unstable();
        orgs.dedup();
        let told = orgs.len();
        orgs.retain(|org| knows(org));
        strange += (told - orgs.len()) as u64;
        let main = wire.school.text().filter(|main| orgs.contains(main));
        if orgs.is_empty() {
            orgs.push(district);
        }
        let main = main.or_else(|| if let [only] = *orgs { Some(only) } else { None });
        for org in orgs {
            let is_taken = held.iter().any(|other: &Held<'_>| other.org == org && other.primary);
            held.push(Held { org, role, primary: main == Some(org) && !is_taken });
        }
    }
    held.sort_unstable();
    match (held.is_empty(), roles.contact.0.is_some()) {
        (false, _) => Who::Person(held, strange),
        (true, true) => Who::Contact,
        (true, false) => Who::Unknown,
    }
}

/// The schools of a role.
pub(crate) fn schools<'w>(role: &'w RoleWire<'_>) -> impl Iterator<Item = &'w str> {
    role.schools.0.iter().chain([&role.school]).filter_map(|school| school.text())
}

/// The roles of a user, whatever they are.
pub(crate) fn roles_of<'w, 'a>(user: &'w UserWire<'a>) -> impl Iterator<Item = &'w RoleWire<'a>> {
    let roles = user.roles.0.as_ref();
    roles.into_iter().flat_map(|roles| {
        [&roles.student, &roles.teacher, &roles.staff, &roles.district_admin].into_iter().filter_map(|role| role.0.as_ref())
    })
}

/// A grade as OneRoster writes it; others stand as they are.
pub(crate) fn grade(word: &str) -> &str {
    match word {
        "InfantToddler" => "IT",
        "Preschool" => "PR",
        "PreKindergarten" => "PK",
        "TransitionalKindergarten" => "TK",
        "Kindergarten" => "KG",
        "1" => "01",
        "2" => "02",
        "3" => "03",
        "4" => "04",
        "5" => "05",
        "6" => "06",
        "7" => "07",
        "8" => "08",
        "9" => "09",
        "PostGraduate" => "PS",
        "Ungraded" => "UG",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::source::clever::people::{Who, who};
    use crate::source::clever::settings::StaffRole;
    use crate::source::clever::wire::UserWire;

    fn told(roles: &str) -> String {
        let text = format!(r#"{{"id":"u","roles":{roles}}}"#);
        let user: UserWire<'_> = serde_json::from_str(&text).expect("JSON");
        match who(&user, "d", StaffRole::Aide, &|org| ["s1", "s2"].contains(&org)) {
            Who::Contact => "contact".to_owned(),
            Who::Unknown => "unknown".to_owned(),
            Who::Person(held, strange) => {
                let one = |held: &super::Held<'_>| format!("{}{}@{}", if held.primary { "*" } else { "" }, held.role, held.org);
                format!("{} {strange}", held.iter().map(one).collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn roles_by_kind_become_roles_in_orgs() {
        for (roles, is) in [
            (r#"{"student":{"school":"s1","schools":["s2","s1"]}}"#, "*student@s1 student@s2 0"),
            (r#"{"student":{"school":"s1"}}"#, "*student@s1 0"),
            (r#"{"student":{}}"#, "*student@d 0"),
            (r#"{"student":{"school":"s9","schools":["s9","s2"]}}"#, "*student@s2 1"),
            (r#"{"student":{"school":"s9"}}"#, "*student@d 1"),
            (
                r#"{"teacher":{"school":"s1","schools":["s1","s2"]},"staff":{"schools":["s1"]},"student":null}"#,
                "aide@s1 *teacher@s1 teacher@s2 0",
            ),
            (
                r#"{"staff":{"schools":["s1","s2"]},"district_admin":{"title":"x"}}"#,
                "*districtAdministrator@d aide@s1 aide@s2 0",
            ),
            (r#"{"contact":{"phone":"5"}}"#, "contact"),
            (r#"{"contact":{},"teacher":{"school":"s1"}}"#, "*teacher@s1 0"),
            ("{}", "unknown"),
            ("null", "unknown"),
            (r#"{"observer":{}}"#, "unknown"),
        ] {
            assert_eq!(told(roles), is, "{roles}");
        }
    }
}
