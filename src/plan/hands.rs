//! What people do about major notices: they arrive, and upgrades are approved. A replay in which other notices are written
//! lets them be acted on as the real ones were.

use std::collections::BTreeMap;

use crate::base::{Actor, Instant, PoolId};
use crate::license::{ClockFact, ClockStep, Delivery, Entry, Stage};

/// When people acted on major notices of a pool, in the order of the notices: so many milliseconds after each was written;
/// `None`: never. What is beyond the end of the list is taken as done at once if it is a delivery, and as never done if it
/// is an approval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hands {
    /// When the notice arrived.
    pub delivered: Vec<Option<i64>>,
    /// When its upgrade was approved, and the approval.
    pub approved: Vec<Option<(i64, ClockFact)>>,
}

/// What people do about a major notice: it arrives, its upgrade is approved.
pub fn acted_on(fact: &ClockFact, hands: &Hands, nth: &mut usize) -> Vec<(Instant, Entry)> {
    let ClockStep::Stage(stage) = &fact.step else { return Vec::new() };
    let Some(key) = stage.notice.clone().filter(|_| stage.stage == Stage::Major) else { return Vec::new() };
    let delivered = hands.delivered.get(*nth).copied().unwrap_or(Some(0));
    let approved = hands.approved.get(*nth).cloned().flatten();
    *nth += 1;
    let after = |millis: i64| fact.recorded.plus_millis(millis.max(0));
    let delivery = |at: Instant| {
        let (episode, channel, by) = (fact.episode, "assumed".to_owned(), Actor::system());
        (at, Entry::NoticeDelivered(Delivery { key, episode, channel, at, recorded: at, by }))
    };
    let approval = |(millis, approval): (i64, ClockFact)| {
        let (at, round) = (after(millis), stage.round);
        let reason = if let ClockStep::Approved { reason, .. } = approval.step { reason } else { String::new() };
        let step = ClockStep::Approved { round, reason };
        (at, Entry::Clock(ClockFact { episode: fact.episode, at, recorded: at, step, ..approval }))
    };
    delivered.map(after).map(delivery).into_iter().chain(approved.map(approval)).collect()
}

/// What is to be done at the very instant of the commit in which it was done, as this entry of it: of commits of one instant
/// each sees what those before it did.
pub fn in_its_turn(pending: &mut Vec<(Instant, Entry)>, at: Instant, recorded: &Entry) -> Option<Entry> {
    let is_it = |(due, hand): &(Instant, Entry)| {
        *due == at
            && match (hand, recorded) {
                (Entry::NoticeDelivered(one), Entry::NoticeDelivered(other)) => one.key == other.key,
                (Entry::Clock(one), Entry::Clock(other)) => (one.episode, &one.step) == (other.episode, &other.step),
                _ => false,
            }
    };
    let place = pending.iter().position(is_it)?;
    Some(pending.remove(place).1)
}

/// When people acted on the major notices of each pool, as recorded.
pub fn hands_of(facts: &[ClockFact], deliveries: &[Delivery], from: Instant) -> BTreeMap<PoolId, Hands> {
    let mut hands: BTreeMap<PoolId, Hands> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.recorded > from) {
        let ClockStep::Stage(stage) = &fact.step else { continue };
        let Some(key) = stage.notice.as_ref().filter(|_| stage.stage == Stage::Major) else { continue };
        let arrived = deliveries.iter().filter(|delivery| delivery.key == *key).map(|delivery| delivery.at).min();
        let approves = |other: &&ClockFact| {
            other.episode == fact.episode && matches!(other.step, ClockStep::Approved { round, .. } if round == stage.round)
        };
        let approved = facts.iter().find(approves);
        let after = |at: Instant| at.0.saturating_sub(fact.recorded.0);
        let hands = hands.entry(fact.pool.clone()).or_default();
        hands.delivered.push(arrived.map(after));
        hands.approved.push(approved.map(|approval| (after(approval.at), approval.clone())));
    }
    hands
}
