//! `[customer.identity]`: when people of several sources are one.

use crate::roster::MatchBy;
use crate::settings::read::Section;
use crate::settings::words;

/// Reads it; empty where nothing is said.
pub fn identity(s: &Section<'_>) -> Vec<MatchBy> {
    let all = [MatchBy::Key, MatchBy::Identifier, MatchBy::Email, MatchBy::Username].map(|by| (by.word(), by));
    let read = |s: &Section<'_>| s.parsed_list("match", words::one_of(&all));
    s.section("identity", read).flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::roster::MatchBy;
    use crate::settings::trial::{EVERYONE, district, good, wrong};

    #[test]
    fn fields_by_which_people_are_one() {
        let text = |list: &str| district(&format!("[customer.identity]\nmatch = {list}"), "", "", EVERYONE);
        let settings = good(&text("[\"identifier\", \"email\"]"));
        assert_eq!(settings.customers[0].same_person, [MatchBy::Identifier, MatchBy::Email]);
        assert!(good(&district("", "", "", EVERYONE)).customers[0].same_person.is_empty());
        let told = "customer.north.identity.match = \"phone\" is none of key, identifier, email, username";
        assert_eq!(wrong(&text("[\"phone\"]")), [told]);
    }
}
