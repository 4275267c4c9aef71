//! The shape of `[store]`.

use std::path::PathBuf;

use crate::base::Secret;
use crate::settings::problem::Problem;
use crate::settings::read::Section;
use crate::settings::values::{StoreKind, StoreSettings};
use crate::settings::words;
use crate::store::PostgresChoice;

const KINDS: [(&str, StoreKind); 2] = [("sqlite", StoreKind::Sqlite), ("postgres", StoreKind::Postgres)];

/// `[store]`.
#[derive(Default)]
pub struct StoreShape {
    /// `kind`.
    pub kind: Option<StoreKind>,
    /// `path`.
    pub path: Option<PathBuf>,
    /// `url`.
    pub url: Option<Secret>,
    /// `ca_file`.
    pub ca_file: Option<PathBuf>,
    /// `connections_max`.
    pub connections_max: Option<u32>,
    /// `connect_secs_max`.
    pub connect_secs_max: Option<u32>,
    /// `statement_secs_max`.
    pub statement_secs_max: Option<u32>,
    /// `lease_secs`.
    pub lease_secs: Option<u32>,
}

/// Reads the section.
pub fn store(s: &Section<'_>) -> StoreShape {
    let kind = s.parsed("kind", words::one_of(&KINDS));
    let url = if kind == Some(StoreKind::Postgres) { s.required_secret("url") } else { s.secret("url") };
    if let Some(wrong) = url.as_ref().and_then(|url| PostgresChoice::at(url.clone()).check().err()) {
        // The value is a secret: it is not shown.
        s.report(Problem::new(s.at("url"), wrong));
    }
    StoreShape {
        kind,
        path: s.path("path"),
        url,
        ca_file: s.path("ca_file"),
        connections_max: s.count("connections_max", 2..=1_000),
        connect_secs_max: s.count("connect_secs_max", 1..=300),
        statement_secs_max: s.count("statement_secs_max", 1..=86_400),
        lease_secs: s.count("lease_secs", 3..=3_600),
    }
}

/// Where the books are kept.
pub fn build(shape: &StoreShape) -> Option<StoreSettings> {
    let kind = shape.kind?;
    let postgres = match kind {
        StoreKind::Sqlite => None,
        StoreKind::Postgres => Some(PostgresChoice {
            url: shape.url.clone()?,
            ca_file: shape.ca_file.clone(),
            connections_max: shape.connections_max?,
            connect_secs_max: shape.connect_secs_max?,
            statement_secs_max: shape.statement_secs_max?,
            lease_secs: shape.lease_secs?,
        }),
    };
    Some(StoreSettings { kind, path: shape.path.clone()?, postgres })
}
