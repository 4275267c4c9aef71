//! What a read of complete files leaves to know for the next one. People are put into groups by their keys, and of each group
//! it is known what all rows say that tell of its people. Whoever reads the next package need not look at anybody in a group
//! whose rows say what they said.
//!
//! A trace names nobody: it holds sums of hashes. It belongs to one roster; where it does not fit, or is not there, everything
//! is read.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::base::Digest;
use crate::roster::name::{Name, PersonName};
use crate::roster::rows::Collection;
use crate::roster::wire::{PackError, Reader, Writer};

/// The collections whose rows tell of people, in order.
pub const TRACED: [Collection; 3] = [Collection::People, Collection::Roles, Collection::Enrollments];

/// How people are put into groups.
#[derive(Clone, Copy, Debug)]
pub struct Grouping {
    mask: u64,
}

impl Grouping {
    /// The group of somebody.
    #[inline]
    pub fn group(self, key: &[u8]) -> u32 {
        (xxh3_64(key) & self.mask) as u32
    }

    /// A row that tells of somebody, by its text.
    #[inline]
    pub fn line(self, what: Collection, key: &str, text: &str) -> Line {
        Line { group: self.group(key.as_bytes()), hash: xxh3_64_with_seed(text.as_bytes(), what as u64) }
    }
}

/// What a row says, and the group it says it of.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The group.
    pub group: u32,
    hash: u64,
}

/// For each group of people the sum of the hashes of all rows that tell of them, in whatever order they stand. That rows
/// change and their sum does not happens once in 2⁶⁴ changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prints(Vec<u64>);

impl Prints {
    /// So many bytes of a file of people to a group, which are about two of them: of fewer, sums would be too many to stay
    /// where a processor has them at hand.
    const BYTES_EACH: u64 = 256;
    /// The fewest and the most.
    const GROUPS: (u64, u64) = (1 << 12, 1 << 20);

    /// With no row yet, for a file of people of so many bytes. Reads beside a trace keep its groups, however many people come.
    pub fn of_file(bytes: u64) -> Self {
        let groups = (bytes / Self::BYTES_EACH).clamp(Self::GROUPS.0, Self::GROUPS.1);
        Self(vec![0; 1 << groups.ilog2()])
    }

    /// With no row yet, and the same groups.
    #[must_use]
    pub fn like(&self) -> Self {
        Self(vec![0; self.groups()])
    }

    /// How people are put into these groups.
    pub fn grouping(&self) -> Grouping {
        Grouping { mask: (self.groups() as u64).saturating_sub(1) }
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.0.len()
    }

    /// Adds rows.
    pub fn add(&mut self, lines: &[Line]) {
        for line in lines {
            if let Some(sum) = self.0.get_mut(line.group as usize) {
                *sum = sum.wrapping_add(line.hash);
            }
        }
    }

    /// For each group whether its rows say something else than those of `now` do, which has the same groups.
    pub fn changed(&self, now: &Self) -> Vec<bool> {
        now.0.iter().zip(&self.0).map(|(now, before)| now != before).collect()
    }
}

/// What a read left to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The name of the roster it belongs to.
    pub name: Name,
    /// What all was read beside these rows, and under which settings.
    pub ground: Digest,
    /// The rows of [`TRACED`].
    pub prints: Prints,
    /// What its people were found to need, as whoever asked keeps it; empty if nobody asked.
    pub needs: Vec<u8>,
}

/// What an intake was told for a trace so far.
#[derive(Debug, Default)]
pub(crate) struct Tracing {
    pub(crate) ground: Option<Digest>,
    pub(crate) prints: Prints,
}

/// The version of the layout; the first byte.
const LAYOUT: u8 = 1;

impl Trace {
    /// Writes it in chunks of about 1 MiB.
    pub fn pack(&self, sink: &mut dyn FnMut(&[u8])) {
        let mut out = Writer::new(sink);
        out.raw(&[LAYOUT]);
        out.raw(&self.name.digest.0);
        out.raw(&self.ground.0);
        out.number(self.name.people.len() as u64);
        self.name.people.iter().for_each(|person| out.raw(&person.0.to_le_bytes()));
        out.number(self.prints.groups() as u64);
        self.prints.0.iter().for_each(|sum| out.raw(&sum.to_le_bytes()));
        out.number(self.needs.len() as u64);
        out.raw(&self.needs);
        out.finish();
    }

    /// Reads what [`Trace::pack`] wrote. `fits` is asked about the roster's name before anything else is made; `None` if it
    /// says no, or if there is nothing at all.
    ///
    /// # Errors
    /// [`PackError`] when the bytes are cut short, of another layout, or contradict one another.
    pub fn unpack(
        chunks: impl FnMut() -> Option<Vec<u8>>,
        fits: impl FnOnce(&Digest) -> bool,
    ) -> Result<Option<Self>, PackError> {
        let mut reader = Reader::new(chunks);
        if reader.at_end() {
            return Ok(None);
        }
        let layout = reader.byte()?;
        if layout != LAYOUT {
            return Err(PackError::Layout(layout));
        }
        let (digest, ground) = (Digest(reader.raw()?), Digest(reader.raw()?));
        if !fits(&digest) {
            return Ok(None);
        }
        let people = reader.small()?;
        let people = words(&mut reader, people.into())?.into_iter().map(PersonName).collect();
        let groups = reader.number()?;
        if !groups.is_power_of_two() || groups > Prints::GROUPS.1 {
            return Err(PackError::Corrupt("groups are not as many as they can be"));
        }
        let sums = words(&mut reader, groups)?;
        let needs = (0..reader.number()?).map(|_| reader.byte()).collect::<Result<_, _>>()?;
        let trace = Self { name: Name { digest, people }, ground, prints: Prints(sums), needs };
        if reader.at_end() { Ok(Some(trace)) } else { Err(PackError::Corrupt("bytes are left over")) }
    }
}

/// So many numbers of eight bytes. Room grows with the bytes that are really there.
fn words<F: FnMut() -> Option<Vec<u8>>>(reader: &mut Reader<F>, count: u64) -> Result<Vec<u64>, PackError> {
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(u64::from_le_bytes(reader.raw()?));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use crate::base::Digest;
    use crate::roster::name::{Name, PersonName};
    use crate::roster::rows::Collection;
    use crate::roster::trace::{Prints, Trace};
    use crate::roster::wire::PackError;

    fn prints(rows: &[(Collection, &str, &str)]) -> Prints {
        let mut prints = Prints::of_file(0);
        let grouping = prints.grouping();
        rows.iter().for_each(|&(what, key, text)| prints.add(&[grouping.line(what, key, text)]));
        prints
    }

    #[test]
    fn groups_tell_whose_rows_say_something_else() {
        use Collection::{People, Roles};
        let rows = [(People, "ana", "ana,1"), (People, "ben", "ben,1"), (Roles, "ana", "r1,ana"), (Roles, "ben", "r2,ben")];
        let before = prints(&rows);
        let changed = |rows: &[_]| {
            let now = prints(rows);
            let changed = before.changed(&now);
            ["ana", "ben"].map(|key| changed[now.grouping().group(key.as_bytes()) as usize])
        };
        let [ana, ben, _, _] = rows;
        assert_eq!(changed(&rows), [false, false]);
        assert_eq!(changed(&[rows[3], rows[2], ben, ana]), [false, false], "in another order");
        assert_eq!(changed(&rows[..3]), [false, true]);
        assert_eq!(changed(&[ana, ben, (Roles, "ana", "r1,ana!"), rows[3]]), [true, false]);
        assert_eq!(changed(&[ana, ben, (People, "ana", "r1,ana"), rows[3]]), [true, false], "in another file");
        assert_eq!([0, 1 << 20, u64::MAX].map(|bytes| Prints::of_file(bytes).groups()), [1 << 12, 1 << 12, 1 << 20]);
    }

    #[test]
    fn it_comes_back_as_it_was() {
        let prints = Prints((0..64).map(|n| u64::MAX / (n + 1)).collect());
        let name = Name { digest: Digest([1; 32]), people: (0..5).map(PersonName).collect() };
        let trace = Trace { name, ground: Digest([2; 32]), prints, needs: vec![3; 9] };
        let mut bytes = Vec::new();
        trace.pack(&mut |chunk| bytes.extend_from_slice(chunk));
        let read = |bytes: &[u8], roster| {
            let mut bytes = Some(bytes.to_vec()).filter(|bytes| !bytes.is_empty());
            Trace::unpack(|| bytes.take(), |own| *own == Digest([roster; 32]))
        };
        assert_eq!(read(&bytes, 1), Ok(Some(trace)));
        assert_eq!(read(&bytes, 3), Ok(None), "of another roster");
        assert_eq!(read(&[], 1), Ok(None));
        for len in 1..bytes.len() {
            assert!(read(&bytes[..len], 1).is_err(), "{len}");
        }
        let mut odd = bytes.clone();
        odd.push(0);
        assert_eq!(read(&odd, 1), Err(PackError::Corrupt("bytes are left over")));
        odd[0] = 9;
        assert_eq!(read(&odd, 1), Err(PackError::Layout(9)));
        let groups = bytes.len() - 64 * 8 - 1 - 10;
        bytes[groups] = 63;
        assert_eq!(read(&bytes, 1), Err(PackError::Corrupt("groups are not as many as they can be")));
    }
}
