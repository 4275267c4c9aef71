//! What goes into a statement and comes out of a row, whichever database it is for. Whole numbers are stored bit by bit as
//! signed ones of 64 bits.

/// A value of a column or of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'v> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(&'v str),
    /// Bytes.
    Blob(&'v [u8]),
}

/// What can be a parameter.
pub trait ToValue {
    /// As the databases know it.
    fn value(&self) -> Value<'_>;
}

macro_rules! integers {
    ($($kind:ty),*) => {$(
        impl ToValue for $kind {
            fn value(&self) -> Value<'_> {
                Value::Integer(i64::from(*self))
            }
        }
    )*};
}
integers!(i64, i32, u32, u16, u8, bool);

impl ToValue for isize {
    fn value(&self) -> Value<'_> {
        // No machine has more than 64 bits.
        Value::Integer(*self as i64)
    }
}

impl ToValue for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl ToValue for Vec<u8> {
    fn value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl ToValue for [u8; 32] {
    fn value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

/// All parameters of a statement, in their order.
pub trait Params {
    /// Hands them on.
    fn with<T>(&self, act: impl FnOnce(&[Value<'_>]) -> T) -> T;
}

impl Params for () {
    fn with<T>(&self, act: impl FnOnce(&[Value<'_>]) -> T) -> T {
        act(&[])
    }
}

impl<V: ToValue, const N: usize> Params for [V; N] {
    fn with<T>(&self, act: impl FnOnce(&[Value<'_>]) -> T) -> T {
        act(&self.each_ref().map(ToValue::value))
    }
}

impl<P: Params> Params for &P {
    fn with<T>(&self, act: impl FnOnce(&[Value<'_>]) -> T) -> T {
        (**self).with(act)
    }
}

macro_rules! tuples {
    ($(($($name:ident),+))*) => {$(
        impl<$($name: ToValue),+> Params for ($($name,)+) {
            #[expect(non_snake_case, reason = "the type's name is the value's")]
            fn with<Answer>(&self, act: impl FnOnce(&[Value<'_>]) -> Answer) -> Answer {
                let ($($name,)+) = self;
                act(&[$($name.value()),+])
            }
        }
    )*};
}
tuples! {
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
    (A, B, C, D, E, F, G, H, I)
    (A, B, C, D, E, F, G, H, I, J)
    (A, B, C, D, E, F, G, H, I, J, K)
    (A, B, C, D, E, F, G, H, I, J, K, L)
}

/// What a column can be read as.
pub trait FromValue<'v>: Sized {
    /// `None`: it is something else.
    fn of(value: Value<'v>) -> Option<Self>;
}

impl<'v> FromValue<'v> for Value<'v> {
    fn of(value: Value<'v>) -> Option<Self> {
        Some(value)
    }
}

impl FromValue<'_> for i64 {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Integer(number) = value { Some(number) } else { None }
    }
}

macro_rules! narrower {
    ($($kind:ty),*) => {$(
        impl FromValue<'_> for $kind {
            fn of(value: Value<'_>) -> Option<Self> {
                i64::of(value).and_then(|number| number.try_into().ok())
            }
        }
    )*};
}
narrower!(i32, u32, u16, u8);

impl FromValue<'_> for bool {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value).map(|number| number != 0)
    }
}

impl<'v> FromValue<'v> for &'v str {
    fn of(value: Value<'v>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}

impl FromValue<'_> for String {
    fn of(value: Value<'_>) -> Option<Self> {
        <&str>::of(value).map(str::to_owned)
    }
}

impl<'v> FromValue<'v> for &'v [u8] {
    fn of(value: Value<'v>) -> Option<Self> {
        if let Value::Blob(bytes) = value { Some(bytes) } else { None }
    }
}

impl FromValue<'_> for Vec<u8> {
    fn of(value: Value<'_>) -> Option<Self> {
        <&[u8]>::of(value).map(<[u8]>::to_vec)
    }
}

impl FromValue<'_> for [u8; 32] {
    fn of(value: Value<'_>) -> Option<Self> {
        <&[u8]>::of(value)?.try_into().ok()
    }
}

impl<'v, T: FromValue<'v>> FromValue<'v> for Option<T> {
    fn of(value: Value<'v>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::of(value).map(Some) }
    }
}
