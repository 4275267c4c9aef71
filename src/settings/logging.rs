//! The shape of `[log]`.

use crate::settings::read::Section;
use crate::settings::words;
use crate::telemetry::LogFormat;

/// `[log]`.
#[derive(Default)]
pub struct LogShape {
    /// `format`.
    pub format: Option<LogFormat>,
    /// `level`.
    pub level: Option<String>,
}

/// Reads it.
pub fn log(s: &Section<'_>) -> LogShape {
    let formats = [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
    LogShape { format: s.parsed("format", words::one_of(&formats)), level: s.parsed("level", words::log_filter) }
}
