use crate::base::Secret;
use crate::settings::trial::{EVERYONE, district, good, wrong};
use crate::source::{RestAuth, RestVersion, Signature, SourceSettings};

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
            &format!("{REST}auth = \"bearer\"\ntoken = \"t\"\ntoken_address = \"http://sis.example/t?x=1\""),
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
