//! What a question is: its method and path, the deed it takes, what may be said with it and what comes back. One table of
//! them makes the router, the test of the roles and the description; a question cannot be in one and not in the others.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::http::access::Deed;
use crate::http::answer::Answered;
use crate::http::ask::Asking;
use crate::http::question::Question;
use crate::http::says::{Ask, Input, SchemaOf};
use crate::service::Service;
use crate::shape::Column;

/// What answers.
#[derive(Clone, Copy)]
pub enum Work {
    /// Anybody may ask, and no book is looked at.
    Now(fn() -> Answered),
    /// Anybody may ask.
    Open(fn(&Service) -> Answered),
    /// Who may do the deed may ask.
    Asked(Deed, fn(&Asking<'_>, &Question) -> Answered),
}

/// What comes back.
#[derive(Clone, Copy)]
pub enum Output {
    /// One JSON value.
    Json(SchemaOf),
    /// A JSON value with a list that goes on at `next`.
    List(SchemaOf),
    /// Rows of these columns: JSON, or where `Accept` says so, CSV.
    Rows(&'static [Column]),
    /// Text of a type.
    Text(&'static str),
    /// A JSON value a line.
    Lines(SchemaOf),
    /// A JSON value a line, or where `Accept` says so, CSV.
    LinesOrCsv(SchemaOf),
    /// Server-sent events.
    Events(SchemaOf),
}

/// A question.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// Its method.
    pub method: &'static str,
    /// Its path, with names in braces.
    pub path: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// What answers.
    pub work: Work,
    /// What its query may say.
    pub asks: &'static [Ask],
    /// What is sent along.
    pub input: Input,
    /// What comes back.
    pub output: Output,
    /// The status if all goes well.
    pub status: u16,
    /// With 409, the document of a refusal; `None`: problems only.
    pub refusal: Option<SchemaOf>,
    /// It reads sources, which may be down.
    pub reads_sources: bool,
    /// What is asked may be written down and done later: then the status is 202.
    pub may_wait: bool,
}

/// The schema of a type.
pub fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The schema of a JSON object whose fields docs/CLI.md tells.
pub fn object(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "object"})
}

impl Endpoint {
    const fn new(method: &'static str, path: &'static str, work: Work, about: &'static str, output: Output) -> Self {
        Self {
            method,
            path,
            about,
            work,
            asks: &[],
            input: Input::Nothing,
            output,
            status: 200,
            refusal: None,
            reads_sources: false,
            may_wait: false,
        }
    }

    /// A question that changes nothing.
    pub const fn get(path: &'static str, work: Work, about: &'static str, output: Output) -> Self {
        Self::new("GET", path, work, about, output)
    }

    /// One that makes or does something.
    pub const fn post(path: &'static str, work: Work, about: &'static str, output: Output) -> Self {
        Self::new("POST", path, work, about, output)
    }

    /// One that takes something away.
    pub const fn delete(path: &'static str, work: Work, about: &'static str, output: Output) -> Self {
        Self::new("DELETE", path, work, about, output)
    }

    /// The same with what its query may say.
    pub const fn asks(mut self, asks: &'static [Ask]) -> Self {
        self.asks = asks;
        self
    }

    /// The same with what is sent along.
    pub const fn takes(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// The same with the document of a refusal.
    pub const fn refuses(mut self, refusal: SchemaOf) -> Self {
        self.refusal = Some(refusal);
        self
    }

    /// The same with another status.
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same that reads sources.
    pub const fn reads_sources(mut self) -> Self {
        self.reads_sources = true;
        self
    }

    /// The same that may be done later.
    pub const fn may_wait(mut self) -> Self {
        self.may_wait = true;
        self
    }

    /// The deed it takes; `None`: anybody may ask.
    pub fn deed(&self) -> Option<Deed> {
        match self.work {
            Work::Now(_) | Work::Open(_) => None,
            Work::Asked(deed, _) => Some(deed),
        }
    }
}
