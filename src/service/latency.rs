//! From a wish to the commit that shows it (R107): a request that takes longer than `latency.target_secs` is told, once.

use crate::base::{Actor, Instant, RequestId};
use crate::plan::{Notice, NoticeKind};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::on_time::Ticked;
use crate::store::{RequestRow, SameDayRow};

/// A wish that somebody waits for.
struct Wish {
    request: RequestId,
    word: &'static str,
    at: Instant,
    ended: Option<Instant>,
}

impl Service {
    /// Tells of a same-day wish that was, or already is, slower than the customer's target. It may have joined a request
    /// that was made for another reason.
    pub(crate) fn tell_slow_wish(
        &self,
        customer: &Customer,
        wish: &SameDayRow,
        ticked: &mut Ticked,
    ) -> Result<(), ServiceError> {
        let SameDayRow { number: _, request, at, deadline: _, ended } = *wish;
        self.tell_delay(customer, &Wish { request, word: "same_day", at, ended }, ticked)?;
        Ok(())
    }

    /// The same for packages that were dropped. What is scheduled has no target: nobody waits for it.
    pub(crate) fn tell_slow_drops(&self, customer: &Customer, ticked: &mut Ticked) -> Result<(), ServiceError> {
        for RequestRow { request, trigger, at, ended, .. } in self.store.unsettled_drops(customer.id())? {
            let wish = Wish { request, word: trigger.word(), at, ended };
            if self.tell_delay(customer, &wish, ticked)? || ended.is_some() {
                self.store.settle_drop(request)?;
            }
        }
        Ok(())
    }

    /// Writes the notice of a slow request, if nobody did yet. Whether it is slow.
    fn tell_delay(&self, customer: &Customer, wish: &Wish, ticked: &mut Ticked) -> Result<bool, ServiceError> {
        let Wish { request, word, at, ended } = wish;
        let (secs, target) = ((ended.unwrap_or(self.now()).0 - at.0).div_euclid(1_000), customer.latency_target_secs);
        if secs <= i64::from(target) {
            return Ok(false);
        }
        let key = format!("assignment_delay:{request}");
        if !self.store.has_notice(customer.id(), &key)? {
            let took = match ended {
                Some(ended) => format!("was over after {secs} s, at {ended}"),
                None => format!("is not over after {secs} s"),
            };
            let text = format!("request {request} ({word}) of {at} {took}; the target is {target} s");
            let notice = Notice { key, kind: NoticeKind::AssignmentDelay, pool: None, source: None, text: text.clone() };
            self.note(customer, &Actor::system(), NoticeKind::AssignmentDelay.word(), &[notice])?;
            ticked.delayed.push((customer.id().clone(), text));
        }
        Ok(true)
    }
}
