//! Bytes to text, piece by piece. The only file that names the crate for encodings.
//!
//! Nothing is ever replaced: bytes that mean nothing in the configured encoding end the reading, for a name that is read
//! wrongly is written wrongly everywhere after.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, DecoderResult};

/// How text is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// UTF-8, with or without a byte order mark.
    pub const UTF_8: Encoding = Encoding(encoding_rs::UTF_8);

    /// An encoding by one of its names, such as `windows-1252` or `utf-16le`. As on the web, `iso-8859-1` is
    /// `windows-1252`, of which it is a part.
    pub fn of(name: &str) -> Option<Self> {
        encoding_rs::Encoding::for_label_no_replacement(name.as_bytes()).map(Self)
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

/// How much is read at once, in bytes.
const STEP_BYTES: usize = 128 << 10;

/// Why the text ends early.
#[derive(Debug)]
pub(crate) enum TextFault {
    /// It could not be read.
    Io(io::Error),
    /// There are bytes that mean nothing in this encoding.
    Malformed {
        /// About how many bytes stand before them.
        at: u64,
        /// The encoding that the beginning of the file seems to have instead.
        seems: Option<&'static str>,
    },
}

/// The text of a file, in pieces.
pub(crate) struct Text<R> {
    bytes: R,
    encoding: Encoding,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What of `raw` is not decoded yet.
    left: std::ops::Range<usize>,
    /// Bytes read before `raw`.
    before: u64,
    seems: Option<&'static str>,
    text: String,
    ended: bool,
    /// What means nothing becomes U+FFFD instead of an end.
    lenient: bool,
}

impl<R: Read> Text<R> {
    /// For support, who wants to see the rest as well: what means nothing becomes U+FFFD.
    pub(crate) fn lenient(bytes: R, encoding: Encoding) -> Self {
        Self { lenient: true, ..Self::new(bytes, encoding) }
    }

    pub(crate) fn new(bytes: R, encoding: Encoding) -> Self {
        Self {
            lenient: false,
            bytes,
            encoding,
            decoder: encoding.0.new_decoder_with_bom_removal(),
            raw: vec![0; STEP_BYTES],
            left: 0..0,
            before: 0,
            seems: None,
            text: String::with_capacity(STEP_BYTES),
            ended: false,
        }
    }

    /// The next piece; empty at the end.
    pub(crate) fn next(&mut self) -> Result<&str, TextFault> {
        self.text.clear();
        while self.text.is_empty() && !self.ended {
            if self.left.is_empty() {
                self.before += self.left.end as u64;
                let count = read_some(&mut self.bytes, &mut self.raw).map_err(TextFault::Io)?;
                if self.before == 0 {
                    self.seems = seems(&self.raw[..count]).filter(|seems| *seems != self.encoding.name());
                }
                self.left = 0..count;
            }
            // An empty read is the end, and an unfinished character then is a fault.
            let last = self.left.is_empty();
            self.text.reserve(STEP_BYTES);
            let raw = &self.raw[self.left.clone()];
            let (result, read) = if self.lenient {
                let (result, read, _) = self.decoder.decode_to_string(raw, &mut self.text, last);
                let result = match result {
                    CoderResult::InputEmpty => DecoderResult::InputEmpty,
                    CoderResult::OutputFull => DecoderResult::OutputFull,
                };
                (result, read)
            } else {
                self.decoder.decode_to_string_without_replacement(raw, &mut self.text, last)
            };
            self.left.start += read;
            match result {
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let at = self.before + self.left.start as u64;
                    return Err(TextFault::Malformed { at, seems: self.seems });
                }
            }
        }
        Ok(&self.text)
    }
}

fn read_some(bytes: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match bytes.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// The encoding that a byte order mark, or every other byte being zero, tells.
fn seems(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xef, 0xbb, 0xbf, ..] => Some("UTF-8"),
        [0xff, 0xfe, ..] | [1..=255, 0, 1..=255, 0, ..] => Some("UTF-16LE"),
        [0xfe, 0xff, ..] | [0, 1..=255, 0, 1..=255, ..] => Some("UTF-16BE"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use crate::source::delimited::decode::{Encoding, Text, TextFault};

    /// Hands out `step` bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(bytes: &[u8], name: &str, step: usize) -> Result<String, (u64, Option<&'static str>)> {
        let mut text = Text::new(Drip(bytes, step), Encoding::of(name).expect(name));
        let mut all = String::new();
        loop {
            match text.next() {
                Ok("") => return Ok(all),
                Ok(piece) => all.push_str(piece),
                Err(TextFault::Malformed { at, seems }) => return Err((at, seems)),
                Err(TextFault::Io(error)) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn every_encoding_reads_its_own_bytes_however_they_come() {
        let wide = |text: &str, big: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let with_mark = |mark: &[u8], rest: Vec<u8>| [mark, &rest].concat();
        let cases: Vec<(&str, Vec<u8>, &str)> = vec![
            ("utf-8", "Zoë Müller 日本 😀".into(), "Zoë Müller 日本 😀"),
            ("utf-8", with_mark(&[0xef, 0xbb, 0xbf], "Zoë".into()), "Zoë"),
            ("utf-16le", wide("Zoë 😀", false), "Zoë 😀"),
            ("utf-16le", with_mark(&[0xff, 0xfe], wide("Zoë", false)), "Zoë"),
            ("utf-16be", with_mark(&[0xfe, 0xff], wide("Zoë 😀", true)), "Zoë 😀"),
            ("windows-1252", b"Zo\xeb \x80 \x9a".to_vec(), "Zoë € š"),
            ("iso-8859-1", b"Zo\xeb M\xfcller".to_vec(), "Zoë Müller"),
            ("latin1", b"\xdf".to_vec(), "ß"),
            ("iso-8859-15", b"\xa4 \xbc".to_vec(), "€ Œ"),
            ("iso-8859-2", b"\xb9\xe8".to_vec(), "šč"),
            ("windows-1250", b"\x9a\xe8".to_vec(), "šč"),
            ("windows-1251", b"\xcc\xe8\xf0".to_vec(), "Мир"),
            ("macintosh", b"Zo\x91".to_vec(), "Zoë"),
            ("shift_jis", b"\x93\xfa\x96\x7b".to_vec(), "日本"),
            ("gb18030", b"\xc8\xd5".to_vec(), "日"),
            ("big5", b"\xa4\xe9".to_vec(), "日"),
            ("euc-kr", b"\xb1\xe8".to_vec(), "김"),
        ];
        for (name, bytes, text) in &cases {
            for step in [1, 2, 3, 1_000] {
                assert_eq!(read(bytes, name, step).as_deref(), Ok(*text), "{name} by {step}");
            }
        }
        assert_eq!(Encoding::of("latin1").map(Encoding::name), Some("windows-1252"));
        for unknown in ["utf8-bom", "ebcdic", "", "iso-2022-cn"] {
            assert_eq!(Encoding::of(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn bytes_of_another_encoding_end_it_and_nothing_is_replaced() {
        let wide: Vec<u8> = "\u{feff}id,naïve".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (name, bytes, at, seems) in [
            ("utf-8", b"id\nZo\xeb M".to_vec(), 6, None),
            ("utf-8", b"Zo\xc3".to_vec(), 3, None),
            ("utf-8", wide, 1, Some("UTF-16LE")),
            ("utf-16le", vec![0x41, 0x00, 0x00, 0xd8, 0x41, 0x00], 6, None),
            ("utf-16le", vec![0x41, 0x00, 0x42], 3, None),
            ("shift_jis", b"a\x93".to_vec(), 2, None),
        ] {
            let (told, hint) = read(&bytes, name, 1_000).expect_err(name);
            assert_eq!((told.abs_diff(at) <= 2, hint), (true, seems), "{name}: {told}, not about {at}");
        }
    }
}
