//! What a request asks for, and where the answer goes.

use std::fs::File;
use std::io::{Seek, Write};

use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Url, Version};

use crate::source::http::address::shown;
use crate::source::http::error::HttpError;

/// What is asked for besides an address.
pub(crate) struct Ask<'a> {
    /// The body of a form; `None`: nothing is sent.
    pub(crate) form: Option<&'a str>,
    /// What may come.
    pub(crate) accept: &'static str,
    /// Further headers, none of them secret.
    pub(crate) headers: &'a [(&'static str, &'a str)],
    /// Where the answer goes.
    pub(crate) into: Into<'a>,
}

/// Where the body of an answer of success goes.
pub(crate) enum Into<'a> {
    /// Into memory.
    Memory,
    /// Into a file, from its beginning at each try.
    File(FileTo<'a>),
    /// Its beginning alone is read.
    Head(&'a mut Vec<u8>),
}

/// So much of an answer is its beginning, in bytes.
const HEAD_BYTES: usize = 64 << 10;

/// A file that an answer is kept in.
pub(crate) struct FileTo<'a> {
    /// The file.
    pub(crate) file: &'a mut File,
    /// What comes, for messages.
    pub(crate) address: String,
}

const JSON: &str = "application/json";

impl<'a> Ask<'a> {
    /// For JSON.
    pub(crate) fn json() -> Self {
        Ask { form: None, accept: JSON, headers: &[], into: Into::Memory }
    }

    /// Whether nothing but JSON will do.
    pub(crate) fn wants_json(&self) -> bool {
        self.accept == JSON
    }

    /// A form is sent, and JSON comes back.
    pub(crate) fn form(form: &'a str) -> Self {
        Ask { form: Some(form), ..Self::json() }
    }
}

impl FileTo<'_> {
    fn write(&mut self, chunk: &[u8]) -> Result<(), HttpError> {
        self.file.write_all(chunk).map_err(|cause| HttpError::Unwritten { address: self.address.clone(), cause })
    }
}

impl Into<'_> {
    /// An answer of success begins. A file must say where it ends, for what is cut off must not look
    /// whole, and must not be a page for people.
    pub(crate) fn begin(&mut self, url: &Url, headers: &HeaderMap, version: Version) -> Result<(), HttpError> {
        if matches!(self, Into::Memory) {
            return Ok(());
        }
        let unfit = |why: &str| Err(HttpError::Unfit { address: shown(url), why: why.to_owned() });
        if headers.get(CONTENT_ENCODING).is_some_and(|packed| packed != "identity") {
            return unfit("it comes packed, though asked not to");
        }
        let says_its_end = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        if version < Version::HTTP_2 && !says_its_end {
            return unfit("the server does not say how long it is, so nobody can tell whether all of it came");
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        if ["text/html", "application/xhtml", "application/json", "application/problem"]
            .iter()
            .any(|page| kind.starts_with(page))
        {
            return unfit("it is a web page or a message of the server instead of the file");
        }
        match self {
            Into::Memory => Ok(()),
            Into::Head(head) => {
                head.clear();
                Ok(())
            }
            Into::File(to) => {
                let rewound = to.file.set_len(0).and_then(|()| to.file.rewind());
                rewound.map_err(|cause| HttpError::Unwritten { address: to.address.clone(), cause })
            }
        }
    }

    /// Takes what came; whether that is enough.
    pub(crate) fn take(&mut self, chunk: &[u8], memory: &mut Vec<u8>) -> Result<bool, HttpError> {
        match self {
            Into::Memory => memory.extend_from_slice(chunk),
            Into::File(to) => to.write(chunk)?,
            Into::Head(head) => head.extend_from_slice(&chunk[..chunk.len().min(HEAD_BYTES - head.len())]),
        }
        Ok(matches!(self, Into::Head(head) if head.len() == HEAD_BYTES))
    }
}
