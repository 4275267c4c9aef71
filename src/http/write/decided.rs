//! How a decision by hand is answered.

use axum::http::StatusCode;
use serde::Serialize;

use crate::http::answer::{Answer, Answered};
use crate::http::problem::Problem;
use crate::plan::Answer as Decided;
use crate::service::DecisionDone;
use crate::shape::{DecisionJson, answer_words};

/// The answer to a decision: 200 if it is so now, 409 with the same document if it was refused.
pub fn decided(done: &DecisionDone) -> Answered {
    told(&done.answer, &DecisionJson::from(done))
}

/// The same with another document.
pub fn told(answer: &Decided, document: &impl Serialize) -> Answered {
    match answer {
        Decided::Done | Decided::AlreadySo => Answer::json(document),
        Decided::UnknownPerson | Decided::UnknownPool => {
            Err(Problem::new(StatusCode::NOT_FOUND, "unknown", answer_words(answer).1))
        }
        Decided::PoolExhausted { .. }
        | Decided::OutOfTerm(_)
        | Decided::ReuseExceeded
        | Decided::TermOverlaps(_)
        | Decided::TermEndsFirst
        | Decided::NotServed
        | Decided::NeedsAccess
        | Decided::NoClaim
        | Decided::GrantTaken => Answer::json_with(StatusCode::CONFLICT, document),
    }
}
