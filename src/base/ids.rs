//! Names of things. A text id is cheap to clone and sorts by its bytes; a number id is given out in order.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the id as it is; it is compared by its bytes.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

macro_rules! number_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

text_id! {
    /// The root org that signed the contract; everything is kept apart by it.
    CustomerId;
    /// One configured roster feed of one customer.
    SourceId;
    /// An org's stable identifier in its source.
    OrgId;
    /// The stable identifier of one person in one customer (R4); never an e-mail.
    PersonKey;
    /// What is licensed.
    ProductId;
    /// Product + owning org + terms: the thing that has seats.
    PoolId;
    /// One dated entry that adds or removes purchased seats.
    GrantId;
    /// One entitlement rule of the settings.
    RuleId;
}

number_id! {
    /// One claim of one customer, numbered from 1 in the order of making.
    ClaimId;
    /// One overage episode of one customer, numbered from 1.
    EpisodeId;
    /// One run, numbered from 1 over the whole store.
    RunId;
    /// One request for a run, numbered from 1 over the whole store.
    RequestId;
    /// Counts the commits of one customer; 0 is the empty state (R113).
    Version;
}
