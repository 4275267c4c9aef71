//! GUIDs as most systems spell them: 36 characters that say 16 bytes.

/// The 16 bytes behind a text of 36 characters whose letters are all small or all capital.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guid {
    /// What the digits say.
    pub bytes: [u8; 16],
    /// Whether its letters are capitals; one without letters has small ones.
    pub is_capital: bool,
}

/// Where the hyphens of a GUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// By character: the value of a hexadecimal digit, with a mark for small letters and one for capitals; 0x80 for all others.
const HEX: [u8; 256] = {
    let mut table = [0x80; 256];
    let mut digit = 0;
    while digit < 16 {
        if digit < 10 {
            table[b'0' as usize + digit] = digit as u8;
        } else {
            table[b'a' as usize + digit - 10] = digit as u8 | 0x40;
            table[b'A' as usize + digit - 10] = digit as u8 | 0x20;
        }
        digit += 1;
    }
    table
};

impl Guid {
    /// The GUID of a text, if the text is exactly what [`Guid::text`] makes of it.
    #[inline]
    pub fn of(text: &[u8]) -> Option<Self> {
        let text: &[u8; 36] = text.try_into().ok()?;
        if HYPHENS.iter().any(|&at| text[at] != b'-') {
            return None;
        }
        let mut bytes = [0u8; 16];
        let (mut at, mut seen) = (0, 0u8);
        for (place, byte) in bytes.iter_mut().enumerate() {
            at += usize::from(matches!(place, 4 | 6 | 8 | 10));
            let (high, low) = (HEX[usize::from(text[at])], HEX[usize::from(text[at + 1])]);
            seen |= high | low;
            *byte = high << 4 | low & 15;
            at += 2;
        }
        match (seen & 0x80 != 0, seen & 0x40 != 0, seen & 0x20 != 0) {
            (true, ..) | (_, true, true) => None,
            (_, _, is_capital) => Some(Self { bytes, is_capital }),
        }
    }

    /// Its 36 characters.
    #[inline]
    pub fn text(&self) -> [u8; 36] {
        let digits: &[u8; 16] = if self.is_capital { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (place, byte) in self.bytes.into_iter().enumerate() {
            // A hyphen stands before the bytes 4, 6, 8 and 10.
            at += usize::from(matches!(place, 4 | 6 | 8 | 10));
            text[at] = digits[usize::from(byte >> 4)];
            text[at + 1] = digits[usize::from(byte & 15)];
            at += 2;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Guid;

    #[test]
    fn only_what_comes_back_as_it_was_is_a_guid() {
        for (good, is_capital) in [
            ("c33960ec-729a-b105-30c7-004a4399d3ed", false),
            ("C33960EC-729A-B105-30C7-004A4399D3ED", true),
            ("01234567-8901-2345-6789-012345678901", false),
        ] {
            let guid = Guid::of(good.as_bytes()).expect(good);
            assert_eq!((&guid.text(), guid.is_capital), (good.as_bytes().first_chunk().expect("36"), is_capital));
        }
        for bad in [
            "",
            "c33960ec-729a-b105-30c7-004a4399d3e",
            "c33960ec-729a-b105-30c7-004a4399d3ed0",
            "C33960ec-729a-b105-30c7-004a4399d3ed",
            "c33960ec0729a-b105-30c7-004a4399d3ed",
            "g33960ec-729a-b105-30c7-004a4399d3ed",
            "c33960ec-729a-b105-30c7-004a4399d3é",
        ] {
            assert_eq!(Guid::of(bad.as_bytes()), None, "{bad}");
        }
    }
}
