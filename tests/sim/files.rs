//! Facts as the files that the program reads: settings in TOML, packages of OneRoster CSV.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::sim::auditor::books::Known;
use crate::sim::auditor::importing::File;
use crate::sim::facts::{Ask, Audience, Bad, FIRST_BOUGHT, Form, Full, Model, Package, Person, Setup};
use crate::world::manifest;

/// The settings of all customers; each one's packages lie in a folder named like it.
pub fn settings(setups: &[Setup]) -> String {
    let mut text = "[store]\npath = \"rosterd.db\"\n".to_owned();
    for setup in setups {
        customer(&mut text, setup).expect("a text grows");
    }
    text
}

fn customer(text: &mut String, setup: &Setup) -> std::fmt::Result {
    let Setup { id, zone, night: (hour, minute), .. } = setup;
    writeln!(text, "[[customer]]\nid = \"{id}\"\ntime_zone = \"{zone}\"\nnightly = \"{minute} {hour} * * *\"")?;
    let on_trip = if setup.trip_stops_all { "all" } else { "removals" };
    writeln!(text, "[customer.guard]\non_trip = \"{on_trip}\"\nbootstrap_approval = {}", setup.bootstrap_approval)?;
    writeln!(text, "[customer.absence]\nconfirmations = {}", setup.confirmations)?;
    writeln!(text, "[customer.claims]\npending_expire_days = {}", setup.pending_days)?;
    writeln!(text, "[customer.retention]\npurge_after_days = {}", setup.purge_days.map_or(-1, i64::from))?;
    writeln!(text, "[customer.sync]\ncatchup_window_hours = {}", setup.catchup_hours)?;
    writeln!(text, "[customer.same_day]\nmax_per_day = {}", setup.same_day_max)?;
    if let Some((from, to)) = setup.window {
        writeln!(text, "[[customer.guard_window]]\nfrom = \"{from}\"\nto = \"{to}\"\nprofile = \"rollover\"")?;
    }
    writeln!(text, "[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_csv\"\npath = \"{id}\"\nsettle_secs = 0")?;
    writeln!(text, "bulk_with_status = \"full\"\ncourses = \"optional\"")?;
    for product in &setup.products {
        let kind = match (product.requires, product.id) {
            (Some(_), _) => "content",
            (None, "access") => "access",
            (None, _) => "module",
        };
        let model = match product.model {
            Model::Role => "role",
            Model::Named => "named",
            Model::ActiveUser => "active_user",
        };
        writeln!(text, "[[customer.product]]\nid = \"{}\"\nkind = \"{kind}\"\nseat_model = \"{model}\"", product.id)?;
        writeln!(text, "auto_assign = {}\nneeds_acceptance = {}", product.auto_assign, product.invites)?;
    }
    for pool in &setup.pools {
        writeln!(text, "[[customer.pool]]\nid = \"{}\"\nproduct = \"{}\"\nowner = \"{}\"", pool.id, pool.product, pool.owner)?;
        match pool.full {
            Full::Wait => writeln!(text, "on_full = \"wait\"")?,
            Full::Overdraw => writeln!(text, "on_full = \"overdraw\"")?,
            Full::UpTo(percent) => writeln!(text, "on_full = \"overdraw_up_to\"\noverdraw_limit_percent = {percent}")?,
        }
        let audience = match pool.audience {
            Audience::Any => "any",
            Audience::Student => "student",
            Audience::Educator => "educator",
        };
        writeln!(text, "audience = \"{audience}\"")?;
        if let Some((org, seats)) = pool.reserved {
            writeln!(text, "reservations = [{{ org = \"{org}\", seats = {seats} }}]")?;
        }
        match pool.seats {
            None => writeln!(text, "unlimited = true")?,
            Some(seats) => {
                let id = format!("{}-first", pool.id);
                writeln!(text, "[[customer.pool.grant]]\nid = \"{id}\"\nseats = {seats}\nfrom = \"{FIRST_BOUGHT}\"")?;
            }
        }
    }
    for rule in &setup.rules {
        let when = match rule.ask {
            Ask::Role(role) => format!("role = [\"{role}\"]"),
            Ask::Class => "subject = [\"any\"]".to_owned(),
            Ask::Everyone => "everyone = true".to_owned(),
        };
        writeln!(
            text,
            "[[customer.rule]]\nid = \"{}\"\nproduct = \"{}\"\npriority = {}",
            rule.id, rule.product, rule.priority
        )?;
        writeln!(text, "when = {{ {when} }}")?;
    }
    Ok(())
}

const ENDED: &str = "tobedeleted,2026-01-01T00:00:00.000Z";

/// Files by name.
type Files = BTreeMap<&'static str, String>;

/// The files of a package; `reversed`: the same rows the other way round.
pub fn files(setup: &Setup, people: &BTreeMap<String, Person>, form: Form, reversed: bool) -> Files {
    let mut files = Files::new();
    files.insert("orgs", orgs(setup));
    files.insert(
        "academicSessions",
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n\
         y,,,Year,schoolYear,2020-08-01,2099-08-01,,2099\n"
            .to_owned(),
    );
    files.insert(
        "courses",
        "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\n\
         co,,,y,Course,C1,,d,,\n"
            .to_owned(),
    );
    files.insert("classes", classes(setup, people));
    if form != Form::OrgsOnly {
        for (name, text) in [("users", users(people)), ("roles", roles(people)), ("enrollments", enrollments(people))] {
            files.insert(name, text);
        }
    }
    let turned = if reversed { files.into_iter().map(|(name, text)| (name, turn(&text))).collect() } else { files };
    let mut files: Files = turned;
    match form {
        Form::Whole | Form::OrgsOnly => {}
        Form::HeaderOnly => {
            files.entry("users").and_modify(|text| text.truncate(text.find('\n').map_or(0, |end| end + 1)));
        }
        Form::Torn => {
            files.entry("users").and_modify(|text| text.truncate(text.len() - text.len() / 3));
            // Cut inside of a row, not between two.
            files.entry("users").and_modify(|text| {
                if let Some(comma) = text.trim_end().rfind(',') {
                    text.truncate(comma.min(text.rfind('\n').map_or(comma, |end| end.saturating_add(4))));
                }
            });
        }
    }
    let told: BTreeSet<&str> = files.keys().copied().collect();
    files.insert("manifest", manifest("bulk", |name| told.contains(name)));
    files
}

fn turn(text: &str) -> String {
    let mut rows: Vec<&str> = text.lines().collect();
    rows[1..].reverse();
    rows.join("\n") + "\n"
}

fn orgs(setup: &Setup) -> String {
    let mut text =
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\nd,,,District,district,,\n".to_owned();
    for school in &setup.schools {
        text += &format!("{school},,,School {school},school,,d\n");
    }
    text
}

/// Two classes of each school, and those that somebody is in.
fn classes(setup: &Setup, people: &BTreeMap<String, Person>) -> String {
    let mut ids: BTreeSet<String> = setup.schools.iter().flat_map(|s| [format!("{s}-1"), format!("{s}-2")]).collect();
    ids.extend(people.values().flat_map(|p| p.classes.values().map(|e| e.class.clone())));
    let mut text =
        "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,\
                    termSourcedIds,subjects,subjectCodes,periods\n"
            .to_owned();
    for id in ids {
        text += &format!("{id},,,Class {id},,co,,scheduled,,{},y,any,,\n", crate::sim::facts::school_of(&id));
    }
    text
}

fn users(people: &BTreeMap<String, Person>) -> String {
    let mut text = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,\
                    email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,\
                    preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\n"
        .to_owned();
    for (key, p) in people.iter().filter(|(_, p)| p.bad != Bad::Lost) {
        let enabled = match (p.bad, p.locked) {
            (Bad::Own, _) => "maybe",
            (_, locked) => ["true", "false"][usize::from(locked)],
        };
        let (status, primary) = (if p.ended { ENDED } else { "," }, p.primary.as_deref().unwrap_or(""));
        let (given, family, email) = (&p.given, &p.family, &p.email);
        text += &format!("{key},{status},{enabled},{key},,{given},{family},,,{email},,,,,,,,,,{primary},\n");
    }
    text
}

fn roles(people: &BTreeMap<String, Person>) -> String {
    let mut text =
        "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n"
            .to_owned();
    for (key, p) in people {
        for (row, (role, org)) in &p.roles {
            let begin = if p.bad == Bad::Role(*row) { "1/05/2023" } else { "" };
            text += &format!("r-{key}-{row},,,{key},secondary,{role},{begin},,{org},\n");
        }
    }
    text
}

fn enrollments(people: &BTreeMap<String, Person>) -> String {
    let mut text =
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
            .to_owned();
    for (key, p) in people {
        for (row, e) in &p.classes {
            let begin = e.first.map_or(String::new(), |day| day.to_string());
            let begin = if p.bad == Bad::Class(*row) { "1/05/2023" } else { &begin };
            // The file tells the first day that is no longer.
            let end = e.last.map_or(String::new(), |day| day.plus(1).to_string());
            let (status, class) = (if e.ended { ENDED } else { "," }, &e.class);
            let school = crate::sim::facts::school_of(class);
            text += &format!("e-{key}-{row},{status},{class},{school},{key},student,,{begin},{end}\n");
        }
    }
    text
}

/// A file of people as somebody uploads it: of all who were made by hand, or only of those who change.
pub fn people_file(made: &BTreeMap<String, Known>, file: &File) -> String {
    let mut text =
        "key,given_name,family_name,email,username,identifier,enabled,grades,primary_org,roles,status,source\n".to_owned();
    let mut row = |key: &str, known: &Known, status: &str| {
        let Known { given, family, email, roles, primary, .. } = known;
        let roles: Vec<String> = roles.values().map(|(role, org)| format!("{role}@{org}")).collect();
        let (primary, roles) = (primary.as_deref().unwrap_or(""), roles.join(";"));
        text += &format!("{key},{given},{family},{email},,,true,,{primary},{roles},{status},manual\n");
    };
    for (key, known) in made {
        match (file.updated.get(key), file.removed.contains(key)) {
            (Some(new), _) => row(key, new, "active"),
            (None, true) if !file.synchronize => row(key, known, "ended"),
            (None, false) if file.synchronize => row(key, known, "active"),
            (None, _) => {}
        }
    }
    file.created.iter().for_each(|(key, known)| row(key, known, "active"));
    text
}

/// Puts a package into a drop folder.
pub fn drop_package(
    folder: &Path,
    setup: &Setup,
    name: String,
    people: &BTreeMap<String, Person>,
    form: Form,
    reversed: bool,
) -> Package {
    let place = folder.join(&name);
    fs::create_dir_all(&place).expect("a folder");
    let mut bytes = DefaultHasher::new();
    for (file, text) in files(setup, people, form, reversed) {
        fs::write(place.join(format!("{file}.csv")), &text).expect("a file");
        (file, text).hash(&mut bytes);
    }
    Package { name, bytes: bytes.finish(), form, people: people.clone() }
}
