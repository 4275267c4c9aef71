use proptest::prelude::*;

use crate::roster::model::{Enrollment, Roster};
use crate::roster::name::digest_of;
use crate::roster::pack::pack;
use crate::roster::testing::{World, clean, district};
use crate::roster::unpack::unpack;
use crate::roster::wire::PackError;

fn bytes_of(roster: &Roster) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(roster, &mut |chunk| bytes.extend_from_slice(chunk));
    bytes
}

fn read(bytes: &[u8], cut: usize) -> Result<Roster, PackError> {
    let mut chunks = bytes.chunks(cut.max(1)).map(<[u8]>::to_vec);
    unpack(move || chunks.next())
}

fn assert_same(a: &Roster, b: &Roster) {
    assert_eq!(a.texts.len(), b.texts.len());
    assert_eq!((&a.role_words, &a.attribute_names), (&b.role_words, &b.attribute_names));
    assert_eq!((&a.orgs, &a.sessions, &a.courses, &a.classes), (&b.orgs, &b.sessions, &b.courses, &b.classes));
    assert_eq!((&a.people, &a.roles), (&b.people, &b.roles));
    let attended = |roster: &Roster| -> Vec<Enrollment> {
        roster.people.iter().flat_map(|person| roster.enrollments_of(person)).collect()
    };
    assert_eq!((&a.spans, attended(a), &a.attributes), (&b.spans, attended(b), &b.attributes));
    assert!(a.people.iter().zip(&b.people).all(|(p, q)| a.text(p.email) == b.text(q.email)));
}

fn rich() -> World {
    let mut world = district();
    for (at, id) in [
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
        "3F2504e0-4f89-41d3-9a0c-0305e82c3301",
        "00000000-0000-0000-0000-000000000000",
        "3f2504e0+4f89-41d3-9a0c-0305e82c3301",
        "ünïcode",
    ]
    .into_iter()
    .enumerate()
    {
        world.person(id, None);
        let person = world.people.last_mut().expect("row");
        person.inline = vec![("student".into(), "s2".into())];
        person.head.modified = Some(1_700_000_000_000 - at as i64 * 77_000);
        person.head.ended = at == 2;
        world.enroll(&format!("x{at}"), id, "c2");
    }
    world
}

#[test]
fn a_roster_comes_back_as_it_was() {
    let roster = clean(rich().full(None));
    let bytes = bytes_of(&roster);
    for cut in [1, 7, 4096, usize::MAX] {
        let back = read(&bytes, cut).expect("reads back");
        assert_same(&back, &roster);
        assert_eq!(bytes_of(&back), bytes);
        assert_eq!(digest_of(&back), digest_of(&roster));
    }
    assert_ne!(digest_of(&clean(district().full(None))), digest_of(&roster));
    let empty = bytes_of(&Roster::default());
    assert_eq!(bytes_of(&read(&empty, 3).expect("reads back")), empty);
}

#[test]
fn guids_are_short() {
    let mut one = World::default();
    one.person("3f2504e0-4f89-41d3-9a0c-0305e82c3301", None);
    let mut other = World::default();
    other.person("3f2504e0-4f89-41d3-9a0c-0305e82c330x", None);
    // The user name is the key once more.
    let (one, other) = (bytes_of(&one.full(None).roster), bytes_of(&other.full(None).roster));
    // Each plain text takes two bytes of head and 36 of text, each GUID one and 16.
    assert_eq!(other.len() - one.len(), 2 * (2 + 36 - 17));
}

#[test]
fn chunks_are_about_a_mebibyte() {
    let mut world = World::default();
    for at in 0..20_000 {
        world.person(&format!("person-{at}-{}", "x".repeat(100)), None);
    }
    let roster = clean(world.full(None));
    let mut sizes = Vec::new();
    pack(&roster, &mut |chunk| sizes.push(chunk.len()));
    let last = sizes.pop().expect("a chunk");
    assert!(sizes.len() > 2 && last > 0);
    assert!(sizes.iter().all(|&size| (1 << 20..1 << 21).contains(&size)), "{sizes:?}");
}

#[test]
fn every_cut_is_noticed() {
    let bytes = bytes_of(&clean(rich().full(None)));
    for len in 0..bytes.len() {
        assert_eq!(read(&bytes[..len], 64).err(), Some(PackError::Truncated), "cut at {len}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(read(&longer, 64).err(), Some(PackError::Corrupt("bytes are left over")));
    let mut newer = bytes;
    newer[0] = 2;
    assert_eq!(read(&newer, 64).err(), Some(PackError::Layout(2)));
}

#[test]
fn claims_of_size_allocate_nothing() {
    // A version, and counts that promise four billion of everything.
    let mut bytes = vec![1, 1, 1];
    for _ in 0..8 {
        bytes.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
    }
    assert_eq!(read(&bytes, 64).err(), Some(PackError::Truncated));
    // A text that claims to be 2^60 bytes long.
    bytes.extend([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
    assert_eq!(read(&bytes, 64).err(), Some(PackError::Truncated));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        thread_local!(static BYTES: Vec<u8> = bytes_of(&clean(rich().full(None))));
        let mut bytes = BYTES.with(Clone::clone);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(roster) = read(&bytes, 100) {
            // What is accepted keeps the invariants that others index by.
            let mut again = 0;
            pack(&roster, &mut |chunk| again += chunk.len());
            prop_assert!(again > 0);
            crate::roster::tree::OrgTree::new(&roster);
            let delta = crate::roster::delta::diff(&roster, &roster);
            prop_assert!(delta.is_empty());
        }
    }

    #[test]
    fn any_people_come_back(keys in proptest::collection::btree_set("[a-f0-9-]{1,40}|\\PC{1,12}", 0..12), stamp in any::<u32>()) {
        let mut world = district();
        for (at, key) in keys.iter().enumerate() {
            world.person(key, (at % 2 == 0).then_some("s2"));
            world.people.last_mut().expect("row").head.modified = Some(i64::from(stamp) * 1000 + at as i64);
            world.enroll(&format!("e-{key}"), key, if at % 3 == 0 { "c1" } else { "c2" });
        }
        let roster = world.full(None).roster;
        let bytes = bytes_of(&roster);
        let back = read(&bytes, 50).expect("reads back");
        assert_same(&back, &roster);
        prop_assert_eq!(bytes_of(&back), bytes);
    }
}
