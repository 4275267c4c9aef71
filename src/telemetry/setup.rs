//! Where log lines go: to the standard error output, as text for people and as JSON for machines.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// JSON, a line per event.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How.
    pub format: LogFormat,
    /// What: a level, or a list of `part=level`.
    pub level: String,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not a filter.
    #[error("understand the log level {level:?}")]
    Level {
        /// As given.
        level: String,
        /// What is wrong with it.
        #[source]
        cause: tracing_subscriber::filter::ParseError,
    },
    /// Somebody else did it before.
    #[error("set up logging")]
    Taken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Sends events and log lines of libraries to the standard error output. Once per process.
///
/// # Errors
/// [`SetupError`] for a level that is none, and when called twice.
pub fn setup(settings: &LogSettings) -> Result<(), SetupError> {
    let filter = EnvFilter::try_new(quiet(&settings.level))
        .map_err(|cause| SetupError::Level { level: settings.level.clone(), cause })?;
    let on_terminal = stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    let done = if as_text(settings.format, on_terminal) {
        builder.with_ansi(on_terminal).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    done.map_err(SetupError::Taken)
}

fn as_text(format: LogFormat, on_terminal: bool) -> bool {
    match format {
        LogFormat::Auto => on_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    }
}

/// The libraries below talk about their own insides at `info`: they are heard from `warn` on, unless they are named.
fn quiet(level: &str) -> String {
    format!("tokio_cron_scheduler=warn,{level}")
}

#[cfg(test)]
mod tests {
    use crate::telemetry::setup::{LogFormat, LogSettings, SetupError, as_text, setup};

    #[test]
    fn auto_looks_at_the_terminal_and_the_others_do_not() {
        for (format, on_terminal, text) in [
            (LogFormat::Auto, true, true),
            (LogFormat::Auto, false, false),
            (LogFormat::Text, false, true),
            (LogFormat::Json, true, false),
        ] {
            assert_eq!(as_text(format, on_terminal), text, "{format:?} {on_terminal}");
        }
    }

    #[test]
    fn a_level_that_is_none_is_refused_before_anything_is_set_up() {
        let bad = LogSettings { format: LogFormat::Json, level: "rosterd=loud".into() };
        assert!(matches!(setup(&bad), Err(SetupError::Level { .. })));
    }

    #[test]
    fn logging_is_set_up_once() {
        let off = LogSettings { format: LogFormat::Json, level: "off".into() };
        assert!(setup(&off).is_ok());
        assert!(matches!(setup(&off), Err(SetupError::Taken(_))));
    }
}
