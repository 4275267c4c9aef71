//! The door's certificate, while it is open.

use std::error::Error;
use std::path::Path;

use tracing::{info, warn};

use crate::base::ErrorChain;

/// Another certificate lay in the file, and is shown from now on.
pub struct CertificateRead<'a> {
    /// Its file.
    pub file: &'a Path,
}

impl CertificateRead<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let file = self.file.display();
        info!(event = "certificate_read", %file, "The HTTP door shows the new certificate of {file}.");
    }
}

/// What lies in the files cannot be used; the certificate that was read before goes on being shown.
pub struct CertificateRefused<'a> {
    /// Its file.
    pub file: &'a Path,
    /// Why.
    pub error: &'a dyn Error,
}

impl CertificateRefused<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let (file, error) = (self.file.display(), ErrorChain(self.error));
        warn!(event = "certificate_refused", %file, %error, "Could not {error}; the HTTP door shows the one before.");
    }
}
