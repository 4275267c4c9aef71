//! Pulls that break off more than once, or that are gone on with where the list is another one now.

use std::sync::Arc;

use rosterd::source::RestVersion;
use rosterd::store::RunState;

use crate::fake_hr::{Kind, Office};
use crate::fake_http::Reply;
use crate::fake_oneroster::{Provider, segment};
use crate::net_hr::{Kept, company, staffed};
use crate::net_oneroster::district;
use crate::world::World;

fn provider(world: &World) -> Provider {
    let mut provider = Provider::start();
    provider.pages = Arc::new(Kept::default());
    provider.has(world, RestVersion::V1_1);
    provider
}

/// Runs with a network of its own, and says what was asked for, in the words `users 14`.
fn asked_by_run(provider: &Provider, world: &mut World) -> (RunState, Vec<String>) {
    let before = provider.server.asked().len();
    provider.feeds(world, RestVersion::V1_1, |_| ());
    let state = world.run().state;
    let asked = provider.server.asked();
    let told = asked[before..].iter().map(|asked| {
        let offset = asked.number("offset").expect("an offset");
        format!("{} {offset}", segment(asked))
    });
    (state, told.collect())
}

/// The same of an HR system: where pages begin.
fn starts_of_run(office: &Office, world: &mut World) -> (RunState, Vec<usize>) {
    let before = office.server.asked().len();
    office.feeds(world, |settings| settings.page_rows = 3);
    let state = world.run().state;
    let name = if office.kind == Kind::Scim { "startIndex" } else { "page" };
    (state, office.server.asked()[before..].iter().map(|asked| asked.number(name).expect("a number")).collect())
}

fn office(kind: Kind) -> Office {
    let mut office = Office::start(kind);
    office.pages = Arc::new(Kept::default());
    staffed(&office);
    office
}

#[test]
fn whoever_breaks_off_again_and_again_loses_no_page() {
    let mut world = district("north");
    let provider = provider(&world);
    // Two requests each for four collections, then three pages of users.
    provider.lies(|_, before, reply| if before < 11 { reply } else { Reply::html(500) });
    assert_eq!(asked_by_run(&provider, &mut world).1[10..], ["users 14", "users 21", "users 21", "users 21"]);
    provider.lies(|_, _, _| Reply::html(500));
    for _ in 0..3 {
        let (state, asked) = asked_by_run(&provider, &mut world);
        assert_eq!((state, asked), (RunState::Failed, vec!["users 14".to_owned(); 3]));
    }
    provider.is_honest();
    let (state, asked) = asked_by_run(&provider, &mut world);
    assert_eq!((state, &asked[..2]), (RunState::Succeeded, &["users 14".to_owned(), "users 21".to_owned()][..]));
    assert_eq!(world.seated("p").len(), 30);

    for (kind, again) in [(Kind::Scim, 10), (Kind::Report, 4)] {
        let (office, mut world) = (office(kind), company());
        office.lies(|_, before, reply| if before < 4 { reply } else { Reply::html(500) });
        assert_eq!(starts_of_run(&office, &mut world).0, RunState::Failed);
        office.lies(|_, _, _| Reply::html(500));
        for _ in 0..3 {
            assert_eq!(starts_of_run(&office, &mut world), (RunState::Failed, vec![again; 3]), "{kind:?}");
        }
        office.is_honest();
        let (state, starts) = starts_of_run(&office, &mut world);
        assert_eq!((state, starts[0]), (RunState::Succeeded, again), "{kind:?}");
        assert_eq!(world.seated("p").len(), 20);
    }
}

#[test]
fn a_list_that_no_longer_reaches_so_far_is_read_from_its_beginning_at_once() {
    let mut world = district("north");
    let provider = provider(&world);
    provider.lies(|_, before, reply| if before < 11 { reply } else { Reply::html(500) });
    assert_eq!(asked_by_run(&provider, &mut world).0, RunState::Failed);
    provider.lists.lock().expect("no panic").get_mut("users").expect("users").truncate(10);
    provider.lies(|_, _, reply| if reply.body.ends_with(b"[]}") { Reply::new(404, "") } else { reply });
    let (state, asked) = asked_by_run(&provider, &mut world);
    assert_ne!(state, RunState::Failed);
    assert_eq!(asked[..4], ["users 14", "users 0", "users 7", "users 10"], "{asked:?}");

    let (office, mut world) = (office(Kind::Scim), company());
    office.lies(|_, before, reply| if before < 4 { reply } else { Reply::html(500) });
    assert_eq!(starts_of_run(&office, &mut world).0, RunState::Failed);
    (5..20).for_each(|at| office.remove(&format!("w{at:02}")));
    office.lies(|asked, _, reply| if asked.number("startIndex") > Some(5) { Reply::new(404, "") } else { reply });
    let (state, starts) = starts_of_run(&office, &mut world);
    assert_eq!((state, starts), (RunState::Succeeded, vec![10, 1, 4, 6]));
}

#[test]
fn what_was_looked_at_again_is_forgotten_with_its_try() {
    let (office, mut world) = (office(Kind::Report), company());
    office.lies(|_, before, reply| if before < 4 { reply } else { Reply::html(500) });
    assert_eq!(starts_of_run(&office, &mut world).0, RunState::Failed);
    // At first another page comes than was asked for: the next try begins anew, and is compared with nothing.
    office.lies(|_, before, reply| match before {
        0 => {
            let body = String::from_utf8(reply.body).expect("text").replace("\"current_page\":4", "\"current_page\":9");
            Reply::json(body)
        }
        _ => reply,
    });
    let (state, starts) = starts_of_run(&office, &mut world);
    assert_eq!((state, starts), (RunState::Succeeded, vec![4, 1, 2, 3, 4, 5, 6, 7]));
}
