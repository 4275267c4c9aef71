use crate::base::Secret;
use crate::settings::trial::{EVERYONE, district, good, wrong};
use crate::source::{
    ClassLinkAccess, CleverAuth, CleverSettings, CleverVersion, RestAuth, RestVersion, Signature, SourceSettings, StaffRole,
};

fn source(keys: &str) -> String {
    district(&format!("[[customer.source]]\nid = \"sis\"\n{keys}"), "", "", EVERYONE)
}

const REST: &str = "kind = \"oneroster_rest\"\naddress = \"https://sis.example/a%2Fb/v1p1\"\nversion = \"1.1\"\n";

#[test]
fn a_rest_source_is_what_its_keys_say() {
    let text = source(&format!(
        "{REST}auth = \"oauth1\"\nkey = \"k\"\nsecret = \"hunter2\"\nsignature = \"sha1\"\npage_rows = 5000\ndelta = true\n\
         max_per_second = 3\ntimeout_secs = 9\ncourses = \"optional\"\nlenient = true\nkeep_metadata = [\"metadata.x\"]"
    ));
    let settings = good(&text);
    let SourceSettings::OneRosterRest(rest) = &settings.customers[0].sources[0] else { panic!("REST") };
    assert_eq!((rest.pull.as_str(), rest.address.as_str()), ("north/sis", "https://sis.example/a%2Fb/v1p1"));
    assert_eq!((rest.version, rest.read.page_rows, rest.read.delta), (RestVersion::V1_1, 5_000, true));
    assert_eq!((rest.read.http.per_second_max, rest.read.http.read.as_secs(), rest.read.http.total.as_secs()), (3, 9, 300));
    assert!(rest.read.lenient && rest.read.courses_optional && rest.read.keep_metadata == ["metadata.x"]);
    let (key, secret) = (Secret::new("k"), Secret::new("hunter2"));
    assert_eq!(rest.auth, RestAuth::OAuth1 { key, secret, signature: Signature::Sha1, version: false });
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert!(!settings.customers[0].sources[0].is_watched());
}

#[test]
fn what_a_rest_source_lacks_or_cannot_have_is_told() {
    let at = "customer.north.source.sis";
    for (keys, told) in [
        (
            "kind = \"oneroster_rest\"",
            vec![format!("{at}.address is missing"), format!("{at}.auth is missing"), format!("{at}.version is missing")],
        ),
        (&format!("{REST}auth = \"oauth2\""), vec![format!("{at}.token_address is missing")]),
        (&format!("{REST}auth = \"basic\""), vec![format!("{at}.auth = \"basic\" is none of oauth1, oauth2, bearer")]),
        (
            &format!("{REST}auth = \"bearer\"\ntoken = \"t\"\npath = \"x\""),
            vec![format!("{at}.path = \"x\" means nothing with kind = \"oneroster_rest\"")],
        ),
        (
            "kind = \"oneroster_csv\"\npath = \"x\"\npage_rows = 7",
            vec![format!("{at}.page_rows = 7 means nothing with kind = \"oneroster_csv\"")],
        ),
        (
            &format!("{REST}auth = \"bearer\"\ntoken = \"t\"\nclient_id = \"i\"\nscopes = [\"s\"]\nsignature = \"sha1\""),
            vec![
                format!("{at}.client_id means nothing with auth = \"bearer\""),
                format!("{at}.scopes = [\"s\"] means nothing with auth = \"bearer\""),
                format!("{at}.signature = \"sha1\" means nothing with auth = \"bearer\""),
            ],
        ),
        (
            &format!("{REST}auth = \"oauth1\"\nkey = \"k\"\nsecret = \"s\"\ntoken_file = \"t\""),
            vec![format!("{at}.token_file = \"t\" means nothing with auth = \"oauth1\"")],
        ),
        (
            &format!("{REST}auth = \"oauth2\"\ntoken_address = \"http://sis.example/t?x=1\""),
            vec![format!("{at}.token_address = \"http://sis.example/t?x=1\" cannot be used: it does not begin with https://")],
        ),
    ] {
        assert_eq!(wrong(&source(keys)), told, "{keys}");
    }
    // A secret that is not there is no mistake in the settings: who needs it fails.
    let settings = good(&source(&format!("{REST}auth = \"bearer\"")));
    let absent: Vec<&str> = settings.secrets_absent.iter().map(|problem| problem.at.as_str()).collect();
    assert_eq!(absent, ["customer.north.source.sis.token"]);
}

#[test]
fn a_classlink_source_is_what_its_keys_say() {
    let of = |keys: &str| {
        let settings = good(&source(&format!("kind = \"classlink\"\n{keys}")));
        assert!(!format!("{settings:?}").contains("hunter2"));
        let SourceSettings::ClassLink(classlink) = settings.customers[0].sources[0].clone() else { panic!("ClassLink") };
        *classlink
    };
    let plain = of("tenant = 8841\napi_key = \"hunter2\"");
    assert_eq!((plain.pull.as_str(), plain.tenant.as_str(), plain.application.as_deref()), ("north/sis", "8841", None));
    let address = "https://oneroster-proxy.apis.classlink.com".to_owned();
    assert_eq!(plain.access, ClassLinkAccess::Proxy { address, key: Secret::new("hunter2") });
    assert_eq!((plain.read.page_rows, plain.read.pages_max, plain.read.fields), (1_000, 2_000, true));
    assert_eq!((plain.read.id_prefix.as_str(), plain.read.delta), ("", false));
    let served = of("access = \"server\"\ntenant = 1\napi_key = \"hunter2\"\naddress = \"https://proxy.example\"\n\
                     application = \"%2Fx\"\nqualify_ids = true\nsignature = \"sha1\"\nmax_pages = 9\nfields = false");
    let (address, key) = ("https://proxy.example".to_owned(), Secret::new("hunter2"));
    assert_eq!(served.access, ClassLinkAccess::Server { address, key, signature: Signature::Sha1, version: false });
    assert_eq!((served.application.as_deref(), served.read.id_prefix.as_str()), (Some("%2Fx"), "1:"));
    assert_eq!((served.read.pages_max, served.read.fields), (9, false));
    let direct = of("access = \"direct\"\naddress = \"https://nord.example\"\nkey = \"k\"\nsecret = \"hunter2\"");
    let (address, key, secret) = ("https://nord.example".to_owned(), Secret::new("k"), Secret::new("hunter2"));
    let signature = Signature::Sha256;
    assert_eq!(direct.access, ClassLinkAccess::Direct { address, key, secret, signature, version: false });
}

#[test]
fn a_clever_source_is_what_its_keys_say() {
    let of = |keys: &str| {
        let settings = good(&source(&format!("kind = \"clever\"\ndistrict = \"5a0c\"\n{keys}")));
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert!(settings.customers[0].sources[0].intake().courses_optional);
        let SourceSettings::Clever(clever) = settings.customers[0].sources[0].clone() else { panic!("Clever") };
        *clever
    };
    let plain = of("client_id = \"i\"\nclient_secret = \"hunter2\"");
    let (token_address, id) = (CleverSettings::TOKEN_ADDRESS.to_owned(), Secret::new("i"));
    assert_eq!(plain.auth, CleverAuth::Client { token_address, id, secret: Secret::new("hunter2") });
    assert_eq!((plain.address.as_str(), plain.version), (CleverSettings::ADDRESS, CleverVersion::V3_0));
    assert_eq!((plain.staff, plain.events, plain.page_rows), (StaffRole::Aide, false, 1_000));
    let own =
        of("token = \"hunter2\"\napi_version = \"3.1\"\nstaff_role = \"siteAdministrator\"\nevents = true\npage_rows = 9");
    assert_eq!((own.auth, own.version), (CleverAuth::Token(Secret::new("hunter2")), CleverVersion::V3_1));
    assert_eq!((own.staff, own.events, own.page_rows), (StaffRole::SiteAdministrator, true, 9));
}

#[test]
fn what_vendors_lack_or_cannot_have_is_told() {
    let at = "customer.north.source.sis";
    for (keys, told) in [
        ("kind = \"classlink\"", vec![format!("{at}.tenant is missing")]),
        ("kind = \"classlink\"\naccess = \"direct\"", vec![format!("{at}.address is missing")]),
        (
            "kind = \"classlink\"\ntenant = 1\napi_key = \"k\"\ndelta = true\ndistrict = \"d\"\nkey = \"x\"",
            vec![
                format!("{at}.delta = true means nothing with kind = \"classlink\""),
                format!("{at}.district = \"d\" means nothing with kind = \"classlink\""),
                format!("{at}.key means nothing with access = \"proxy\" or \"server\""),
            ],
        ),
        (
            "kind = \"classlink\"\naccess = \"direct\"\naddress = \"https://x.example\"\nkey = \"k\"\nsecret = \"s\"\nqualify_ids = true",
            vec![format!("{at}.tenant is missing")],
        ),
        ("kind = \"clever\"", vec![format!("{at}.district is missing")]),
        (
            "kind = \"clever\"\ndistrict = \"d\"\ntoken = \"t\"\nclient_id = \"i\"\nlenient = true\ntenant = 1",
            vec![
                format!("{at}.client_id is given beside token; one of them is enough"),
                format!("{at}.lenient = true means nothing with kind = \"clever\""),
                format!("{at}.tenant = 1 means nothing with kind = \"clever\""),
            ],
        ),
        (
            &format!("{REST}auth = \"bearer\"\ntoken = \"t\"\nevents = true"),
            vec![format!("{at}.events = true means nothing with kind = \"oneroster_rest\"")],
        ),
    ] {
        let mut found = wrong(&source(keys));
        found.sort();
        assert_eq!(found, told, "{keys}");
    }
    let one = |id: &str, more: &str| {
        format!("[[customer.source]]\nid = \"{id}\"\nkind = \"classlink\"\ntenant = 1\napi_key = \"k\"\n{more}\n")
    };
    let both = district(&format!("{}{}", one("a", ""), one("b", "qualify_ids = true")), "", "", EVERYONE);
    let why = "is needed: the customer has several sources of ClassLink, whose ids are unique within a tenant only";
    assert_eq!(wrong(&both), [format!("customer.north.source.a.qualify_ids {why}")]);
    // A secret that is not there is no mistake in the settings: who needs it fails.
    for (keys, absent) in [
        ("kind = \"classlink\"\ntenant = 1", vec![format!("{at}.api_key")]),
        ("kind = \"clever\"\ndistrict = \"d\"", vec![format!("{at}.client_id"), format!("{at}.client_secret")]),
    ] {
        let settings = good(&source(keys));
        let found: Vec<String> = settings.secrets_absent.iter().map(|problem| problem.at.clone()).collect();
        assert_eq!(found, absent);
    }
}
