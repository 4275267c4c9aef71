use proptest::prelude::{Strategy, any, proptest};

use crate::base::{Day, EpisodeId, Instant, Seats};
use crate::license::band::band;
use crate::license::books::{Band, Cause, Episode, Outcome, Sample};
use crate::license::episode::{Observation, Step, advance, overlapping, reconsider};
use crate::license::pool::OverageLimits;

fn seen(at: i64, used: u32, effective: Option<u32>) -> Observation {
    let effective = effective.map(Seats);
    Observation {
        pool: "math".into(),
        at: Instant(at),
        day: Day(at as i32),
        used: Seats(used),
        effective,
        band: band(Seats(used), effective, &OverageLimits::CONTRACT),
        cause: Cause::SyncOverdraw,
    }
}

/// Walks through `(at, used, effective)` and returns all episodes with their ids from 1.
fn history(path: &[(i64, u32, Option<u32>)]) -> Vec<Episode> {
    let mut all: Vec<Episode> = Vec::new();
    for (at, used, effective) in path {
        let next_id = EpisodeId(all.len() as u64 + 1);
        let open = all.last().filter(|e| e.closed.is_none()).cloned();
        match advance(open.as_ref(), next_id, &seen(*at, *used, *effective)) {
            Step::None => {}
            Step::Opened(episode) => {
                assert!(open.is_none());
                all.push(episode);
            }
            Step::Moved(episode) | Step::Closed(episode) => {
                let held = all.last_mut().expect("an open episode");
                assert_eq!(held.id, episode.id);
                *held = episode;
            }
        }
    }
    all
}

fn sample(at: i64, used: u32, effective: u32, band: Band) -> Sample {
    Sample { at: Instant(at), used: Seats(used), effective: Seats(effective), band }
}

#[test]
fn r60_one_episode_through_all_bands() {
    let path = [(1, 100, 100), (2, 104, 100), (3, 104, 100), (4, 110, 100), (5, 105, 100), (6, 105, 102), (7, 101, 102)];
    let path: Vec<_> = path.map(|(at, used, effective)| (at, used, Some(effective))).into();
    let episode = Episode {
        id: EpisodeId(1),
        pool: "math".into(),
        opened: Instant(2),
        opened_day: Day(2),
        cause: Cause::SyncOverdraw,
        peak: Seats(110),
        samples: vec![
            sample(2, 104, 100, Band::Minor),
            sample(4, 110, 100, Band::Major),
            sample(5, 105, 100, Band::Minor),
            sample(6, 105, 102, Band::Minor),
        ],
        closed: Some(Instant(7)),
        outcome: Some(Outcome::Cured),
    };
    assert_eq!(history(&path), [episode]);
}

#[test]
fn r62_over_again_is_a_new_episode() {
    let path = [(1, 11, Some(10)), (2, 10, Some(10)), (3, 11, Some(10))];
    let all = history(&path);
    assert_eq!(
        all.iter().map(|e| (e.id.0, e.opened.0, e.closed)).collect::<Vec<_>>(),
        [(1, 1, Some(Instant(2))), (2, 3, None)]
    );
}

#[test]
fn r74_what_made_it_end() {
    for (end, outcome) in [
        ((9, 10, Some(10)), Outcome::Cured),
        ((9, 12, Some(12)), Outcome::AllowanceRaised),
        ((9, 12, None), Outcome::AllowanceRaised),
        // Both moved, but leaving alone would have done.
        ((9, 9, Some(20)), Outcome::Cured),
        // Both moved, and it took both.
        ((9, 11, Some(11)), Outcome::AllowanceRaised),
    ] {
        let all = history(&[(1, 12, Some(10)), end]);
        assert_eq!((all[0].outcome, all[0].closed), (Some(outcome), Some(Instant(9))), "{end:?}");
        assert_eq!(all[0].samples.len(), 1, "the end is not a part of it");
    }
}

#[test]
fn t8_full_before_and_after_opens_nothing() {
    assert_eq!(history(&[(1, 100, Some(100)), (2, 100, Some(100)), (3, 7, None)]), []);
}

#[test]
fn t13_a_late_purchase_makes_it_void_and_history_stays() {
    let open = history(&[(3, 104, Some(100))]).remove(0);
    let bought = |at: Instant| Some(Seats(if at >= Instant(1) { 110 } else { 100 }));
    let void = reconsider(&open, Instant(5), &[Instant(1)], bought).expect("void");
    let expected =
        Episode { cause: Cause::StaleAllowance, closed: Some(Instant(5)), outcome: Some(Outcome::Void), ..open.clone() };
    assert_eq!(void, expected);
    assert_eq!(reconsider(&void, Instant(6), &[], bought), None, "once");
    assert_eq!(reconsider(&open, Instant(5), &[], |_| Some(Seats(103))), None, "too few");
    assert_eq!(reconsider(&open, Instant(5), &[], |_| None), Some(expected), "unlimited after all");
}

#[test]
fn r53_a_closed_episode_can_become_void_and_keeps_its_instants() {
    let closed = history(&[(3, 104, Some(100)), (4, 99, Some(100))]).remove(0);
    let void = reconsider(&closed, Instant(9), &[Instant(8)], |at| Some(Seats(if at < Instant(8) { 110 } else { 0 })));
    assert_eq!(void.map(|e| (e.closed, e.outcome)), Some((Some(Instant(4)), Some(Outcome::Void))));
}

#[test]
fn r53_a_late_purchase_that_did_not_last_undoes_nothing() {
    let open = history(&[(3, 104, Some(100)), (6, 108, Some(100))]).remove(0);
    let from_to =
        |from: i64, to: i64| move |at: Instant| Some(Seats(if Instant(from) <= at && at < Instant(to) { 110 } else { 100 }));
    let reconsidered = |from, to| reconsider(&open, Instant(9), &[Instant(from), Instant(to)], from_to(from, to)).is_some();
    assert!(reconsidered(1, 10));
    assert!(reconsidered(3, 10));
    assert!(!reconsidered(4, 10), "it was over before the purchase was in force");
    assert!(!reconsidered(1, 5), "over again between two samples");
    assert!(!reconsidered(1, 8), "over again after the last sample");
    assert!(!reconsidered(1, 9), "over again right now");
}

#[test]
fn a_clock_set_back_does_not_turn_an_episode_around() {
    let all = history(&[(10, 11, Some(10)), (7, 12, Some(10)), (8, 10, Some(10))]);
    assert_eq!(all[0].samples.iter().map(|s| s.at.0).collect::<Vec<_>>(), [10, 10]);
    assert_eq!(all[0].closed, Some(Instant(10)));
}

#[test]
fn i7_overlaps_are_found() {
    let mut two = history(&[(1, 11, Some(10)), (5, 10, Some(10)), (5, 11, Some(10))]);
    assert_eq!(overlapping(&two), None, "one may open when the other closes");
    two[0].closed = Some(Instant(6));
    assert_eq!(overlapping(&two), Some((EpisodeId(1), EpisodeId(2))));
    two[0].closed = None;
    assert_eq!(overlapping(&two), Some((EpisodeId(1), EpisodeId(2))));
    two[0].closed = Some(Instant(6));
    two[0].outcome = Some(Outcome::Void);
    assert_eq!(overlapping(&two), None);
}

proptest! {
    #[test]
    fn i7_episodes_are_the_maximal_periods_over(
        path in proptest::collection::vec(
            (0i64..4, 0u32..30, proptest::option::weighted(0.9, 5u32..25)), 1..60,
        ).prop_map(|steps| {
            let mut now = 0;
            steps.into_iter().map(|(pause, used, effective)| { now += pause; (now, used, effective) }).collect::<Vec<_>>()
        }),
        cut in any::<proptest::sample::Index>(),
    ) {
        let all = history(&path);
        assert_eq!(overlapping(&all), None);
        assert!(all.iter().rev().skip(1).all(|e| e.closed.is_some()), "at most the last is open");
        let over = |(_, used, effective): &(i64, u32, Option<u32>)| effective.is_some_and(|e| *used > e);
        let openings = path.iter().enumerate().filter(|(i, now)| over(now) && (*i == 0 || !over(&path[i - 1]))).count();
        assert_eq!(all.len(), openings);
        assert_eq!(all.last().is_some_and(|e| e.closed.is_none()), path.last().is_some_and(over));
        for episode in &all {
            assert_eq!(episode.closed.is_some(), episode.outcome.is_some());
            assert_eq!(Some(episode.peak), episode.samples.iter().map(|s| s.used).max());
            assert_eq!(episode.samples.first().map(|s| s.at), Some(episode.opened));
            assert!(episode.samples.iter().all(|s| s.used > s.effective && s.band > Band::Within));
            let rows = |s: &Sample| (s.used, s.effective);
            assert!(episode.samples.windows(2).all(|w| w[0].at <= w[1].at && rows(&w[0]) != rows(&w[1])));
        }
        // What happens later never changes what was closed before.
        let earlier = history(&path[..cut.index(path.len())]);
        for episode in earlier.iter().filter(|e| e.closed.is_some()) {
            assert_eq!(Some(episode), all.iter().find(|e| e.id == episode.id));
        }
    }
}
