//! Varints, texts and lists as bytes, and a reader that never trusts them.

use std::collections::BTreeMap;

use crate::base::{
    Balance, ClaimId, CustomerId, Day, Digest, EpisodeId, GrantId, Instant, OrgId, PersonKey, PoolId, ProductId, RunId, Seats,
    SourceId, Version,
};

/// The format this program writes; the first byte of every stored record.
pub(in crate::store) const FORMAT: u8 = 1;

/// Why a stored record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::store) enum DecodeError {
    #[error("it ends in the middle")]
    Short,
    #[error("it has {0} bytes too many")]
    Long(usize),
    #[error("a number in it is out of range")]
    Number,
    #[error("a text in it is not UTF-8")]
    Text,
    #[error("a list in it is out of order")]
    Order,
    #[error("it holds more text than fits into memory handles")]
    Full,
    #[error("{code} is no code of {what}")]
    Code { what: &'static str, code: u8 },
    #[error("its format is {found}, this program reads {FORMAT}")]
    Format { found: u8 },
}

/// Something that can lie in a stored record.
pub(in crate::store) trait Record: Sized {
    /// Appends its bytes. The same value always gives the same bytes: the trail's hash rests on it.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads it back.
    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError>;
}

/// A whole record: format byte and value.
pub(in crate::store) fn pack<T: Record>(value: &T) -> Vec<u8> {
    let mut out = vec![FORMAT];
    value.put(&mut out);
    out
}

/// Reads a whole record; nothing may be left over.
pub(in crate::store) fn unpack<T: Record>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut from = Decoder::open(bytes)?;
    let value = T::take(&mut from)?;
    from.end()?;
    Ok(value)
}

/// Reads a record from front to back.
pub(in crate::store) struct Decoder<'a> {
    left: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Starts after the format byte.
    pub(in crate::store) fn open(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            None => Err(DecodeError::Short),
            Some((&FORMAT, left)) => Ok(Self { left }),
            Some((&found, _)) => Err(DecodeError::Format { found }),
        }
    }

    pub(in crate::store) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (&byte, left) = self.left.split_first().ok_or(DecodeError::Short)?;
        self.left = left;
        Ok(byte)
    }

    pub(in crate::store) fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (bytes, left) = self.left.split_at_checked(len).ok_or(DecodeError::Short)?;
        self.left = left;
        Ok(bytes)
    }

    pub(in crate::store) fn number(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(DecodeError::Number);
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DecodeError::Number)
    }

    pub(in crate::store) fn signed(&mut self) -> Result<i64, DecodeError> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A count of items that take at least one byte each; hence never more than bytes are left.
    pub(in crate::store) fn count(&mut self) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.number()?).map_err(|_| DecodeError::Number)?;
        if count > self.left.len() { Err(DecodeError::Short) } else { Ok(count) }
    }

    pub(in crate::store) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let len = self.count()?;
        std::str::from_utf8(self.bytes(len)?).map_err(|_| DecodeError::Text)
    }

    pub(in crate::store) fn end(&self) -> Result<(), DecodeError> {
        if self.left.is_empty() { Ok(()) } else { Err(DecodeError::Long(self.left.len())) }
    }
}

pub(in crate::store) fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(in crate::store) fn put_signed(number: i64, out: &mut Vec<u8>) {
    put_number(((number << 1) ^ (number >> 63)).cast_unsigned(), out);
}

pub(in crate::store) fn put_text(text: &str, out: &mut Vec<u8>) {
    put_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

macro_rules! unsigned {
    ($($name:ty),*) => {$(
        impl Record for $name {
            fn put(&self, out: &mut Vec<u8>) {
                put_number(u64::from(*self), out);
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                <$name>::try_from(from.number()?).map_err(|_| DecodeError::Number)
            }
        }
    )*};
}

macro_rules! signed {
    ($($name:ty),*) => {$(
        impl Record for $name {
            fn put(&self, out: &mut Vec<u8>) {
                put_signed(i64::from(*self), out);
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                <$name>::try_from(from.signed()?).map_err(|_| DecodeError::Number)
            }
        }
    )*};
}

macro_rules! wrapped {
    ($($name:ident),*) => {$(
        impl Record for $name {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok($name(Record::take(from)?))
            }
        }
    )*};
}

macro_rules! texts {
    ($($name:ident),*) => {$(
        impl Record for $name {
            fn put(&self, out: &mut Vec<u8>) {
                put_text(self.as_str(), out);
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok($name::from(from.text()?))
            }
        }
    )*};
}

unsigned!(u16, u32, u64);
signed!(i32, i64);
wrapped!(ClaimId, EpisodeId, RunId, Version, Seats, Balance, Day, Instant);
texts!(CustomerId, SourceId, OrgId, PersonKey, ProductId, PoolId, GrantId, String);

impl Record for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            code => Err(DecodeError::Code { what: "yes or no", code }),
        }
    }
}

impl Record for Digest {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.bytes(32)?.try_into().map(Digest).map_err(|_| DecodeError::Short)
    }
}

impl<T: Record> Record for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(if bool::take(from)? { Some(T::take(from)?) } else { None })
    }
}

impl<T: Record> Record for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(self.len() as u64, out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = from.count()?;
        (0..count).map(|_| T::take(from)).collect()
    }
}

impl<K: Record + Ord, V: Record> Record for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(self.len() as u64, out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut map = BTreeMap::new();
        for _ in 0..from.count()? {
            let key = K::take(from)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(DecodeError::Order);
            }
            map.insert(key, V::take(from)?);
        }
        Ok(map)
    }
}

impl<A: Record, B: Record> Record for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

/// A struct whose record is its fields in the order named; a field left out breaks the build.
macro_rules! fields {
    ($($name:ident { $($field:ident),* $(,)? })*) => {$(
        impl $crate::store::record::bytes::Record for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let $name { $($field),* } = self;
                $($crate::store::record::bytes::Record::put($field, out);)*
            }

            fn take(
                from: &mut $crate::store::record::bytes::Decoder<'_>,
            ) -> Result<Self, $crate::store::record::bytes::DecodeError> {
                Ok($name { $($field: $crate::store::record::bytes::Record::take(from)?),* })
            }
        }
    )*};
}

/// An enum without fields whose record is one byte; a variant left out breaks the build. Codes never change.
macro_rules! codes {
    ($($name:ident, $what:literal { $($variant:ident = $code:literal),* $(,)? })*) => {$(
        impl $crate::store::record::bytes::Record for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(match self { $($name::$variant => $code),* });
            }

            fn take(
                from: &mut $crate::store::record::bytes::Decoder<'_>,
            ) -> Result<Self, $crate::store::record::bytes::DecodeError> {
                match from.byte()? {
                    $($code => Ok($name::$variant),)*
                    code => Err($crate::store::record::bytes::DecodeError::Code { what: $what, code }),
                }
            }
        }
    )*};
}

pub(in crate::store::record) use {codes, fields};
