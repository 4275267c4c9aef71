//! Pauses of sources, made and lifted, in JSON (R108).

use schemars::JsonSchema;
use serde::Serialize;

use crate::shape::common::PauseJson;
use crate::store::Pause;

/// Pauses of a customer's sources, past and to come.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PausesJson<'a> {
    customer: &'a str,
    pauses: Vec<PauseJson>,
}

/// A pause that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PausedJson<'a> {
    customer: &'a str,
    pause: PauseJson,
}

/// Pauses that were lifted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResumedJson<'a> {
    customer: &'a str,
    source: &'a str,
    /// How many pauses were lifted.
    lifted: u32,
    /// A pause of the settings that still holds.
    still: Option<PauseJson>,
}

impl<'a> PausesJson<'a> {
    /// Of a customer.
    pub fn new(customer: &'a str, pauses: &[Pause]) -> Self {
        Self { customer, pauses: pauses.iter().map(PauseJson::from).collect() }
    }
}

impl<'a> PausedJson<'a> {
    /// Of a customer.
    pub fn new(customer: &'a str, pause: &Pause) -> Self {
        Self { customer, pause: pause.into() }
    }
}

impl<'a> ResumedJson<'a> {
    /// Of a source.
    pub fn new(customer: &'a str, source: &'a str, lifted: u32, still: Option<&Pause>) -> Self {
        Self { customer, source, lifted, still: still.map(PauseJson::from) }
    }
}
