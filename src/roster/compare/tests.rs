use proptest::prelude::*;

use crate::base::PersonKey;
use crate::roster::apply::apply;
use crate::roster::compare::{Compared, Comparing};
use crate::roster::delta::{RosterDelta, diff};
use crate::roster::model::{PersonIx, Role, Roster};
use crate::roster::pack::pack;
use crate::roster::patch::{Origins, patch};
use crate::roster::rows::Collection;
use crate::roster::testing::{change, clean, read, town};
use crate::roster::thin::thin;
use crate::roster::unpack::unpack;
use crate::roster::wire::PackError;

fn packed(roster: &Roster) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(roster, &mut |chunk| bytes.extend_from_slice(chunk));
    bytes
}

fn pieces(bytes: &[u8], cut: usize) -> impl FnMut() -> Option<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = bytes.chunks(cut.max(1)).map(<[u8]>::to_vec).rev().collect();
    move || pieces.pop()
}

fn compared(
    base: &[u8],
    news: Option<&[u8]>,
    cut: usize,
    after: &Roster,
    others: &[&PersonKey],
) -> Result<Compared, PackError> {
    let mut comparing = Comparing::begin(pieces(base, cut))?;
    if let Some(news) = news {
        comparing.patched(pieces(news, cut))?;
    }
    comparing.with(after, others, None)
}

/// All that a roster says of somebody.
fn said(roster: &Roster, key: &str) -> String {
    let Some(at) = roster.find_person(key) else { return "nobody".to_owned() };
    let person = roster.person(at);
    let text = |text| roster.text(text);
    let org = |org| text(roster.org(org).id);
    let texts = [person.given, person.family, person.email, person.username, person.identifier, person.grades].map(text);
    let flags = (person.enabled, person.ended, person.quarantined, person.modified, person.primary_org.map(org));
    let roles = roster.roles_of(person).iter();
    let roles: Vec<_> =
        roles.map(|r| (org(r.org), roster.role_word(r.role), r.primary, r.ended, r.first, r.last, r.modified, r.id)).collect();
    let attended = roster.enrollments_of(person).map(|e| {
        let class = roster.class(e.class);
        let (class, school) = (text(class.id), org(class.school));
        (class, school, roster.role_word(e.role), e.primary, e.ended, e.first, e.last, e.modified, e.id)
    });
    let attended: Vec<_> = attended.collect();
    let kept = roster.attributes_of(person).iter();
    let kept: Vec<_> = kept.map(|a| (text(roster.attribute_names[usize::from(a.name)]), text(a.value))).collect();
    format!("{texts:?} {flags:?} {roles:?} {attended:?} {kept:?}")
}

/// Somebody's roles.
fn held(roster: &Roster, key: &str) -> Vec<(String, String, bool)> {
    let person = roster.person(roster.find_person(key).expect("who changed is left"));
    let role =
        |role: &Role| (roster.role_word(role.role).to_owned(), roster.text(roster.org(role.org).id).to_owned(), role.ended);
    let mut roles: Vec<_> = roster.roles_of(person).iter().map(role).collect();
    roles.sort();
    roles
}

/// A difference by keys.
fn told(delta: &RosterDelta, before: &Roster, after: &Roster) -> String {
    let was = |at: &PersonIx| before.text(before.person(*at).key).to_owned();
    let is = |at: &PersonIx| after.text(after.person(*at).key).to_owned();
    let pairs = |list: &[(PersonIx, PersonIx)]| list.iter().map(|(a, b)| (was(a), is(b))).collect::<Vec<_>>();
    let RosterDelta { base, now, added, changed, ended, absent, conflicts, orgs, collections } = delta;
    let added: Vec<String> = added.iter().map(is).collect();
    let absent: Vec<String> = absent.iter().map(was).collect();
    let orgs = orgs.iter().map(|org| (org.org.clone(), org.base, org.removed_people.iter().map(was).collect::<Vec<_>>()));
    let orgs: Vec<_> = orgs.collect();
    let (changed, ended, conflicts) = (pairs(changed), pairs(ended), pairs(conflicts));
    format!("{base} {now} {added:?} {changed:?} {ended:?} {absent:?} {conflicts:?} {orgs:?} {collections:?}")
}

/// Nights of random changes: a base, and what each later one makes of it.
fn nights() -> impl Strategy<Value = Vec<Vec<(u8, usize)>>> {
    prop::collection::vec(prop::collection::vec((0..15u8, 0..80usize), 0..6), 1..4)
}

proptest! {
    #[test]
    fn it_finds_what_two_rosters_beside_each_other_show(nights in nights(), cut in 1..300usize, other in 0..80usize) {
        let mut world = town();
        let base = clean(world.full(None));
        let bytes = packed(&base);
        let (mut before, mut origins, mut news) = (base.clone(), Origins::of_whole(&base), None::<Vec<u8>>);
        for changes in nights {
            changes.into_iter().for_each(|(kind, at)| change(&mut world, kind, at));
            let after = read(&world);
            let asked = [PersonKey::from("ana"), PersonKey::from(format!("p{other}").as_str())];
            let others: Vec<&PersonKey> = asked.iter().collect();
            let found = compared(&bytes, news.as_deref(), cut, &after, &others).expect("it was packed");
            for what in Collection::ALL {
                prop_assert_eq!(found.has_own(what), before.has_own(what));
            }
            let mut delta = diff(&before, &after);
            prop_assert_eq!(told(&found.delta, &found.rest, &after), told(&delta, &before, &after));
            let rest = thin(before.clone(), &mut delta, &others).expect("it fits");
            let left = delta.absent.iter().chain(delta.ended.iter().map(|(was, _)| was));
            let left = left.map(|&at| rest.text(rest.person(at).key)).chain(asked.iter().map(|key| key.as_str()));
            for key in left {
                prop_assert_eq!(said(&found.rest, key), said(&rest, key));
            }
            for (was, _) in &delta.changed {
                let key = rest.text(rest.person(*was).key);
                prop_assert_eq!(held(&found.rest, key), held(&rest, key));
            }
            prop_assert!(found.rest.orgs.iter().map(|o| found.rest.text(o.id)).eq(before.orgs.iter().map(|o| before.text(o.id))));
            let made = patch(&before, &origins, &after);
            prop_assert_eq!(found.patch(&after).map(|chunks| chunks.concat()), made.clone().map(|chunks| chunks.concat()));
            let Some(chunks) = made else {
                // Too much is new by now.
                break;
            };
            let chunks = chunks.concat();
            let mut once = Some(bytes.clone());
            let whole = unpack(|| once.take()).expect("a packed roster");
            (before, origins) = apply(whole, pieces(&chunks, cut)).expect("it fits its base");
            news = Some(chunks);
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_harmless(at in 0..4000usize, bit in 0..8u8, keep in 0..4000usize) {
        let mut world = town();
        let mut bytes = packed(&clean(world.full(None)));
        [(0, 3), (1, 9), (2, 70), (11, 5), (14, 7)].into_iter().for_each(|(kind, at)| change(&mut world, kind, at));
        let after = read(&world);
        prop_assert!(compared(&bytes[..keep % bytes.len()], None, 64, &after, &[]).is_err());
        let place = at % bytes.len();
        bytes[place] ^= 1 << bit;
        if let Ok(found) = compared(&bytes, None, 64, &after, &[]) {
            prop_assert!(found.rest.people.len() <= town().people.len());
        }
    }
}
