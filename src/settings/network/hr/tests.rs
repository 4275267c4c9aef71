use crate::base::Secret;
use crate::settings::trial::{EVERYONE, district, good, wrong};
use crate::source::{HrAuth, HrSettings, HrSystem, SourceSettings};

fn source(keys: &str) -> String {
    district(&format!("name = \"Nord AG\"\n[[customer.source]]\nid = \"hris\"\n{keys}"), "", "", EVERYONE)
}

fn hr(keys: &str) -> HrSettings {
    let settings = good(&source(keys));
    assert!(!format!("{settings:?}").contains("hunter2"));
    match &settings.customers[0].sources[0] {
        SourceSettings::Hr(hr) => (**hr).clone(),
        other => panic!("HR expected: {other:?}"),
    }
}

const SCIM: &str = "kind = \"scim\"\naddress = \"https://id.example/scim/v2\"\nauth = \"bearer\"\ntoken = \"hunter2\"\n";
const BAMBOO: &str = "kind = \"bamboohr\"\naddress = \"https://nord.bamboohr.com/api/v1\"\nauth = \"key\"\nkey = \"hunter2\"\n";
const WORKDAY: &str = "kind = \"workday\"\naddress = \"https://wd.example/ccx/service/customreport2/nord/o/Roster\"\n\
                       auth = \"basic\"\nuser = \"isu@nord\"\npassword = \"hunter2\"\n";

#[test]
fn systems_name_their_columns_and_the_settings_others() {
    let scim = hr(SCIM);
    assert_eq!((scim.pull.as_str(), scim.page_rows, &scim.auth), ("north/hris", 200, &HrAuth::Bearer(Secret::new("hunter2"))));
    assert_eq!(scim.system, HrSystem::Scim { filter: None, sort: false, attributes: true });
    let status = scim.mapping.status.as_ref().expect("a status");
    assert_eq!((status.column.as_str(), status.empty), ("active", Some(true)));
    let orgs = &scim.mapping.orgs;
    assert_eq!((orgs.root.as_str(), orgs.root_name.as_str(), orgs.levels.len()), ("north", "Nord AG", 2));

    let directory = hr(BAMBOO);
    assert_eq!((directory.system, directory.mapping.status), (HrSystem::BambooHr { report: None }, None));
    assert_eq!(directory.auth, HrAuth::Basic { user: Secret::new("hunter2"), password: Secret::new("x") });
    let report = hr(&format!("{BAMBOO}report = \"12\"\npage_rows = 500\n[customer.source.people]\nstatus = \"\"\norgs = []"));
    assert_eq!((report.page_rows, report.mapping.end.as_deref()), (500, Some("terminationDate")));
    assert!(report.mapping.status.is_none() && report.mapping.orgs.levels.is_empty(), "an empty name is no column");

    let workday = hr(&format!(
        "{WORKDAY}format = \"csv\"\nprompts = [\"As_Of = 2026-09-01\"]\nkeep_metadata = [\"metadata.Worker_Type\"]\n\
         [customer.source.people]\nperson_id = \"Employee_ID\"\nfull_name = \"Worker\"\nstatus = \"Active_Status\"\n\
         active = [\"aktiv\"]\nempty_status = \"inactive\"\nend_date = \"Left\"\nend_date_is = \"first_day_gone\"\n\
         date_format = \"DD.MM.YYYY\"\norgs = [\"Unit\"]\norg_separator = \" > \"\norg_root = \"nord\"\nrole = \"teacher\"\n\
         role_columns = [\"Job\"]\n[[customer.source.people.role_word]]\nword = \"Lead\"\nrole = \"ext:lead\""
    ));
    let prompts = vec![("As_Of".to_owned(), "2026-09-01".to_owned())];
    assert_eq!(workday.system, HrSystem::Workday { csv: true, prompts });
    assert_eq!((workday.http.read.as_secs(), workday.http.total.as_secs()), (600, 1_800));
    let mapping = workday.mapping;
    assert_eq!(
        (mapping.person_id.as_str(), mapping.given, mapping.full_name.as_deref()),
        ("Employee_ID", None, Some("Worker"))
    );
    let status = mapping.status.expect("a status");
    assert_eq!((status.active, status.empty, mapping.end_exclusive), (vec!["aktiv".to_owned()], Some(false), true));
    assert_eq!(mapping.roles.words, [("Lead".to_owned(), "ext:lead".to_owned())]);
    assert_eq!((mapping.orgs.root.as_str(), mapping.keep), ("nord", vec!["metadata.Worker_Type".to_owned()]));
}

#[test]
fn what_an_hr_source_lacks_or_cannot_have_is_told() {
    let at = "customer.north.source.hris";
    for (keys, told) in [
        ("kind = \"scim\"".to_owned(), vec![format!("{at}.address is missing"), format!("{at}.auth is missing")]),
        (
            format!("{SCIM}path = \"x\"\nreport = \"1\"\nversion = \"1.1\""),
            vec![
                format!("{at}.path = \"x\" means nothing with a source that is asked over the network"),
                format!("{at}.report = \"1\" means nothing with kind = \"scim\""),
                format!("{at}.version = \"1.1\" means nothing with kind = \"scim\""),
            ],
        ),
        (
            format!("{BAMBOO}report = \"all\"\nfilter = \"x\""),
            vec![
                format!("{at}.filter = \"x\" means nothing with kind = \"bamboohr\""),
                format!("{at}.report = \"all\" is not the number of a saved report, such as \"123\""),
            ],
        ),
        (
            format!("{BAMBOO}page_rows = 5\ntoken = \"t\""),
            vec![
                format!("{at}.page_rows = 5 means nothing with a directory, which comes in one answer; a report has pages"),
                format!("{at}.token means nothing with auth = \"key\""),
            ],
        ),
        (format!("{BAMBOO}report = \"1\"\npage_rows = 1001"), vec![format!("{at}.page_rows = 1001 is more than 1000")]),
        (WORKDAY.to_owned(), vec![format!("{at}.people has no person_id: which column of the report is the key?")]),
        (
            SCIM.replace("bearer", "oauth1"),
            vec![format!("{at}.auth = \"oauth1\" is none of basic, oauth2, bearer; did you mean `oauth2`?")],
        ),
        (
            format!("{SCIM}keep_metadata = [\"metadata.birthDate\"]\n[customer.source.people]\nusername = \"phoneNumbers\""),
            vec![
                format!("{at}.keep_metadata = \"metadata.birthDate\" names a column that is never read (birth)"),
                format!("{at}.people.username = \"phoneNumbers\" names a column that is never read (phone)"),
            ],
        ),
        (
            format!("{SCIM}[customer.source.people]\ndate_format = \"d/m/y\"\nempty_status = \"maybe\""),
            vec![
                format!("{at}.people.date_format = \"d/m/y\" is not a form of dates such as \"DD/MM/YYYY\" or \"MM/DD/YYYY\""),
                format!("{at}.people.empty_status = \"maybe\" is none of active, inactive, error"),
            ],
        ),
        (
            "kind = \"oneroster_csv\"\npath = \"x\"\nfilter = \"y\"".to_owned(),
            vec![format!("{at}.filter = \"y\" means nothing with kind = \"oneroster_csv\"")],
        ),
    ] {
        assert_eq!(wrong(&source(&keys)), told, "{keys}");
    }
}
