//! Explanations, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::Explanation;
use crate::service::Freshness;
use crate::shape::common::FreshnessJson;

/// Why a person has seats, or not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExplainJson<'a> {
    customer: &'a str,
    person: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    answers: Vec<AnswerJson<'a>>,
}

/// One answer (R161).
#[derive(Debug, Serialize, JsonSchema)]
pub struct AnswerJson<'a> {
    product: &'a str,
    pool: Option<&'a str>,
    /// A stable code.
    answer: &'static str,
    text: &'a str,
    facts: &'a [String],
}

impl<'a> ExplainJson<'a> {
    /// The answers about a person.
    pub fn new(customer: &'a str, person: &'a str, freshness: Freshness, answers: &'a [Explanation]) -> Self {
        Self { customer, person, freshness: freshness.into(), answers: answers.iter().map(AnswerJson::from).collect() }
    }
}

impl<'a> From<&'a Explanation> for AnswerJson<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let Explanation { product, pool, answer, text, facts } = explanation;
        Self { product: product.as_str(), pool: pool.as_ref().map(|pool| pool.as_str()), answer, text, facts }
    }
}
