//! A made-up district that a OneRoster provider serves: pages of enrollments that are made up as they are asked for.

/// Users, of whom every enrollment names one.
pub const USERS: usize = 1_000;

const HEAD: &str = r#""status":"active","dateLastModified":"2026-01-31T08:15:00.000Z""#;

fn list(key: &str, rows: impl Iterator<Item = String>) -> String {
    format!("{{\"{key}\":[{}]}}", rows.collect::<Vec<_>>().join(","))
}

fn reference(id: &str, kind: &str) -> String {
    format!(r#"{{"href":"https://sis.example/ims/oneroster/v1p1/{kind}s/{id}","sourcedId":"{id}","type":"{kind}"}}"#)
}

/// The seconds of twelve months of 28 days.
const SECONDS: usize = 12 * 28 * 86_400;

/// Another time for each record, as real providers have it, in no order.
fn modified(at: usize) -> String {
    let second = at * 7_919 % SECONDS;
    let (minute, hour, day) = (second / 60, second / 3_600, second / 86_400);
    format!("2025-{:02}-{:02}T{:02}:{:02}:{:02}.000Z", day / 28 + 1, day % 28 + 1, hour % 24, minute % 60, second % 60)
}

fn enrollment(at: usize) -> String {
    let modified = modified(at);
    let (user, class) = (reference(&format!("user-{:06}", at % USERS), "user"), reference("class-1", "class"));
    let school = reference("school-1", "org");
    format!(
        r#"{{"sourcedId":"enrollment-{at:09}","status":"active","dateLastModified":"{modified}","user":{user},"class":{class},"school":{school},"role":"student","primary":"false","beginDate":"2025-08-19","endDate":"2026-06-14"}}"#
    )
}

fn user(at: usize) -> String {
    let org = reference("school-1", "org");
    format!(
        r#"{{"sourcedId":"user-{at:06}",{HEAD},"enabledUser":"true","username":"u{at}","givenName":"Ana","familyName":"Okoro","role":"student","orgs":[{org}]}}"#
    )
}

/// A page of a collection from an offset on, and how many records the collection has.
pub fn page(key: &str, offset: usize, rows: usize, enrollments: usize) -> (String, usize) {
    let one = |rest: String| (list(key, (offset == 0).then(|| format!("{{{HEAD},{rest}}}")).into_iter()), 1);
    let (org, course, term) = (reference("school-1", "org"), reference("co", "course"), reference("y", "term"));
    match key {
        "enrollments" => (list(key, (offset..enrollments.min(offset + rows)).map(enrollment)), enrollments),
        "users" => (list(key, (offset..USERS.min(offset + rows)).map(user)), USERS),
        "orgs" => one(r#""sourcedId":"school-1","name":"One","type":"school""#.to_owned()),
        "academicSessions" => {
            one(r#""sourcedId":"y","title":"Y","type":"schoolYear","startDate":"2025-08-01","endDate":"2026-08-01""#.to_owned())
        }
        "courses" => one(format!(r#""sourcedId":"co","title":"C","org":{org}"#)),
        _ => one(format!(r#""sourcedId":"class-1","title":"C","course":{course},"school":{org},"terms":[{term}]"#)),
    }
}
