//! How files are fetched; filled by the settings folder.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::base::Secret;
use crate::source::fetch::pattern::Pattern;
use crate::source::http::{HttpSettings, check_address};

/// Files that are fetched before they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchSettings {
    /// Under which name it is remembered what was seen: customer and source.
    pub pull: String,
    /// Where they are.
    pub place: Place,
    /// Which files of the folder; `None`: the place is one file that is replaced in place.
    pub pattern: Option<Pattern>,
    /// Each file says everything, so that of several new ones only the newest is of use.
    pub newest_only: bool,
    /// A folder on this machine for files on their way.
    pub work: PathBuf,
    /// A file that changed less long ago than this may still be on its way.
    pub settle: Duration,
    /// Take a file only when a file of its name and `.done` lies beside it.
    pub marker: bool,
    /// Endings of what is fetched along with a file, if it lies beside it.
    pub companions: Vec<String>,
    /// A file that is older than this is refused: whoever writes it has stopped.
    pub age_hours_max: Option<u32>,
    /// Bytes of one file at most.
    pub file_bytes_max: u64,
    /// Bounds and manners of requests.
    pub http: HttpSettings,
}

/// Where files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// One file at an address.
    Https {
        /// The address.
        address: String,
        /// How to sign in.
        auth: FileAuth,
    },
    /// A file or a folder on an SFTP server.
    Sftp(SftpSettings),
}

/// How to sign in at a server that has a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAuth {
    /// Not at all.
    None,
    /// With a user and a password.
    Basic {
        /// The user.
        user: Secret,
        /// The password.
        password: Secret,
    },
    /// With a fixed token.
    Bearer(Secret),
}

/// An SFTP server, and how to sign in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SftpSettings {
    /// Where.
    pub at: SftpAddress,
    /// As whom.
    pub user: Secret,
    /// Fingerprints of the host keys that are trusted, such as `SHA256:…`; at least one.
    pub host_keys: Vec<String>,
    /// How to sign in.
    pub auth: SftpAuth,
}

/// How to sign in at an SFTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SftpAuth {
    /// With a private key.
    Key {
        /// The key, in OpenSSH's or another common form.
        key: Secret,
        /// What it is locked with.
        passphrase: Option<Secret>,
    },
    /// With a password.
    Password(Secret),
}

/// Host, port and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SftpAddress {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path; relative to the user's folder if it does not begin with `/`.
    pub path: String,
}

/// What an address of a file leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAddress {
    /// A web server.
    Https(String),
    /// An SFTP server.
    Sftp(SftpAddress),
}

impl FileAddress {
    /// Reads an address: `https://…`, or `sftp://host:port/path`, where `/~/` is the user's folder.
    ///
    /// # Errors
    /// What is wrong with it; fits after the address.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with("sftp://") {
            check_address(text)?;
            return Ok(FileAddress::Https(text.to_owned()));
        }
        let wrong = |why: &str| format!("cannot be used: {why}");
        let url = Url::parse(text).map_err(|_| wrong("it is no address, such as sftp://sftp.example/outgoing"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("a user or password has no place in it"));
        }
        if url.query().is_some() || url.fragment().is_some() || url.path().contains('%') {
            return Err(wrong("it has a query, a fragment, or characters that are not written as they are"));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = match url.path() {
            "" | "/" | "/~" | "/~/" => ".".to_owned(),
            path => path.strip_prefix("/~/").unwrap_or(path).trim_end_matches('/').to_owned(),
        };
        Ok(FileAddress::Sftp(SftpAddress { host, port: url.port().unwrap_or(22), path }))
    }
}

impl SftpAddress {
    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("sftp://{}:{}", self.host, self.port)
    }

    /// It as an address, for messages.
    pub fn shown(&self) -> String {
        let path = if self.path.starts_with('/') { self.path.clone() } else { format!("/~/{}", self.path) };
        format!("{}{path}", self.origin())
    }
}

#[cfg(test)]
mod tests {
    use crate::source::fetch::settings::{FileAddress, SftpAddress};

    #[test]
    fn addresses_of_files() {
        let sftp =
            |host: &str, port, path: &str| Ok(FileAddress::Sftp(SftpAddress { host: host.into(), port, path: path.into() }));
        assert_eq!(FileAddress::parse("sftp://sftp.example/out/a.csv"), sftp("sftp.example", 22, "/out/a.csv"));
        assert_eq!(FileAddress::parse("sftp://sftp.example:2222/~/out/"), sftp("sftp.example", 2222, "out"));
        assert_eq!(FileAddress::parse("sftp://[::1]:2222"), sftp("::1", 2222, "."));
        assert_eq!(FileAddress::parse("https://x.example/a.csv"), Ok(FileAddress::Https("https://x.example/a.csv".into())));
        for bad in
            ["sftp://ana@x.example/a", "sftp://ana:hunter2@x.example/a", "sftp:///a", "sftp://x/a?b", "http://x.example/a"]
        {
            let error = FileAddress::parse(bad).expect_err(bad);
            assert!(!error.contains("hunter2"), "{error}");
        }
        let shown = |text| match FileAddress::parse(text) {
            Ok(FileAddress::Sftp(at)) => at.shown(),
            other => panic!("{other:?}"),
        };
        assert_eq!(shown("sftp://x.example/~/out"), "sftp://x.example:22/~/out");
        assert_eq!(shown("sftp://x.example/out"), "sftp://x.example:22/out");
    }
}
