//! A text that is shown to nobody.

use std::fmt;

/// A password, a token or a key. Neither `Debug` nor any error shows its text; whoever needs it says so by
/// [`Secret::expose`]. A secret that was asked for and cannot be had is a value, too: commands that do without it go on.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Result<String, SecretAbsent>);

/// Why a secret is not there. Says nothing of its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find the secret {key}: {why}")]
pub struct SecretAbsent {
    /// Its key, from the top.
    pub key: String,
    /// Why.
    pub why: String,
}

impl Secret {
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Ok(text.into()))
    }

    /// A secret that cannot be had.
    pub fn absent(key: impl Into<String>, why: impl Into<String>) -> Self {
        Self(Err(SecretAbsent { key: key.into(), why: why.into() }))
    }

    /// The text, for the one who has to send it or to reckon with it. It goes into no log, no error and no store.
    ///
    /// # Errors
    /// [`SecretAbsent`] when it could not be had.
    pub fn expose(&self) -> Result<&str, &SecretAbsent> {
        self.0.as_deref()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_ok() { "Secret(…)" } else { "Secret(absent)" })
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Secret;

    #[test]
    fn a_secret_shows_nothing() {
        let secret = Secret::new("hunter2");
        assert_eq!(secret.expose(), Ok("hunter2"));
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "Secret(…) Some(\n    Secret(…),\n)");
        let absent = Secret::absent("mail.password", "is empty");
        let error = absent.expose().expect_err("absent");
        assert_eq!(error.to_string(), "find the secret mail.password: is empty");
        assert_eq!(format!("{absent:?}"), "Secret(absent)");
    }
}
