//! Stored shapes: compact bytes with a leading format byte, read back strictly. A damaged record is an error, never a panic.

mod bytes;
mod change;
mod claim;
mod clock;
mod codes;
mod entry;
mod page;
mod plan;
mod run;

#[cfg(test)]
mod clock_testing;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(in crate::store) use bytes::{DecodeError, Decoder, FORMAT, Record, pack, unpack};
pub(in crate::store) use change::{ChangeReader, ChangeWriter};
pub(in crate::store) use claim::{pack_person, put_released, take_person, take_released};
pub(in crate::store) use clock::CONTINUES;
pub(in crate::store) use entry::NamesAdded;
pub(in crate::store) use page::{PageMaker, PageReader};
pub(in crate::store) use plan::{Form, put_plan, take_plan};
pub(in crate::store) use run::RunBody;
