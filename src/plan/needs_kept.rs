//! Needs as bytes, for the next read of the same source: people who did not change need what they needed, until a day comes on
//! which a role or an enrollment acts by itself, or the settings change.

use crate::base::{Day, Digest};
use crate::license::Audience;
use crate::plan::demand::NoNeed;
use crate::plan::needs::{Kind, NOBODY, Needs, Want};
use crate::roster::{OrgIx, PackError, Reader, Writer};

/// The version of the layout; the first byte.
const LAYOUT: u8 = 1;

/// Why nothing is needed, by its number less one.
const REASONS: [NoNeed; 5] =
    [NoNeed::NoRule, NoNeed::NotActiveUser, NoNeed::Disabled, NoNeed::NotActivated, NoNeed::NotStarted];
const AUDIENCES: [Audience; 3] = [Audience::Any, Audience::Educator, Audience::Student];

const ODD: PackError = PackError::Corrupt("needs contradict one another");

fn at<T: PartialEq>(list: &[T], item: &T) -> u64 {
    list.iter().position(|other| other == item).unwrap_or_default() as u64
}

impl Needs {
    /// Writes them in chunks of about 1 MiB; `rules` is the digest of all that they come of beside the roster and the day.
    pub fn pack(&self, rules: &Digest, sink: &mut dyn FnMut(&[u8])) {
        let mut out = Writer::new(sink);
        out.raw(&[LAYOUT]);
        out.raw(&rules.0);
        out.signed(self.today.0.into());
        out.signed(self.until.0.into());
        // Kinds that nobody is of any more are left out.
        let mut to = vec![0u64; self.kinds.len()];
        for &kind in self.people.iter().filter(|&&kind| kind != NOBODY) {
            to[kind as usize] = 1;
        }
        let mut next = 0;
        for to in to.iter_mut().filter(|used| **used > 0) {
            next += 1;
            *to = next;
        }
        out.number(next);
        for (_, kind) in to.iter().zip(&self.kinds).filter(|(to, _)| **to > 0) {
            put_kind(kind, &mut out);
        }
        out.number(self.people.len() as u64);
        self.people.iter().for_each(|&kind| out.number(to.get(kind as usize).copied().unwrap_or_default()));
        out.finish();
    }

    /// Reads what [`Needs::pack`] wrote; `None` if they come of other rules.
    ///
    /// # Errors
    /// [`PackError`] when the bytes are cut short, of another layout, or contradict one another.
    pub fn unpack(chunks: impl FnMut() -> Option<Vec<u8>>, rules: &Digest) -> Result<Option<Self>, PackError> {
        let mut from = Reader::new(chunks);
        let layout = from.byte()?;
        if layout != LAYOUT {
            return Err(PackError::Layout(layout));
        }
        if from.raw()? != rules.0 {
            return Ok(None);
        }
        let mut day = || from.signed().and_then(|day| i32::try_from(day).map(Day).map_err(|_| ODD));
        let (today, until) = (day()?, day()?);
        let kinds: Vec<Kind> = (0..from.small()?).map(|_| take_kind(&mut from)).collect::<Result<_, _>>()?;
        let count = kinds.len() as u32;
        let total = from.small()?;
        let person = |_| match from.small()? {
            0 => Ok(NOBODY),
            kind if kind <= count => Ok(kind - 1),
            _ => Err(ODD),
        };
        let people = (0..total).map(person).collect::<Result<_, _>>()?;
        if from.at_end() { Ok(Some(Self { today, until, kinds, people })) } else { Err(ODD) }
    }
}

fn put_kind(Kind { audience, wants }: &Kind, out: &mut Writer<'_>) {
    out.number(at(&AUDIENCES, audience));
    out.number(wants.len() as u64);
    for Want { need, rules, home } in wants {
        match need {
            Ok(priority) => {
                out.number(0);
                out.signed((*priority).into());
            }
            Err(no) => out.number(1 + at(&REASONS, no)),
        }
        out.number(rules.len() as u64);
        rules.iter().for_each(|&rule| out.number(rule.into()));
        out.number(home.map_or(0, |org| u64::from(org.0) + 1));
    }
}

fn take_kind<F: FnMut() -> Option<Vec<u8>>>(from: &mut Reader<F>) -> Result<Kind, PackError> {
    let audience = *AUDIENCES.get(from.small()? as usize).ok_or(ODD)?;
    let count = from.small()?;
    let want = |_| {
        let need = match from.small()? as usize {
            0 => Ok(i32::try_from(from.signed()?).map_err(|_| ODD)?),
            no => Err(*REASONS.get(no - 1).ok_or(ODD)?),
        };
        let rules = (0..from.small()?).map(|_| u16::try_from(from.small()?).map_err(|_| ODD)).collect::<Result<_, _>>()?;
        Ok(Want { need, rules, home: from.small()?.checked_sub(1).map(OrgIx) })
    };
    Ok(Kind { audience, wants: (0..count).map(want).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use crate::base::{Day, Digest};
    use crate::license::Audience;
    use crate::plan::demand::NoNeed;
    use crate::plan::needs::{Kind, NOBODY, Needs, Want};
    use crate::plan::needs_kept::{AUDIENCES, REASONS};
    use crate::roster::{OrgIx, PackError};

    #[test]
    fn they_come_back_as_they_were_under_the_same_rules() {
        let wants = |no: &NoNeed| {
            let none = Want { need: Err(*no), rules: vec![7], home: None };
            vec![Want { need: Ok(-3), rules: vec![0, u16::MAX], home: Some(OrgIx(u32::MAX - 1)) }, none]
        };
        let kind = |(audience, no): (&Audience, &NoNeed)| Kind { audience: *audience, wants: wants(no) };
        let kinds: Vec<Kind> = AUDIENCES.iter().cycle().zip(&REASONS).map(kind).collect();
        let needs = Needs { today: Day(20_000), until: Day::MAX, people: vec![4, 0, NOBODY, 3, 1, 4], kinds };
        let (mut bytes, rules) = (Vec::new(), Digest::of(b"rules"));
        needs.pack(&rules, &mut |chunk| bytes.extend_from_slice(chunk));
        let read = |bytes: &[u8], rules: &Digest| {
            let mut bytes = Some(bytes.to_vec());
            Needs::unpack(|| bytes.take(), rules)
        };
        let again = read(&bytes, &rules).expect("whole").expect("the same rules");
        assert_eq!((again.today, again.until, again.kinds()), (needs.today, needs.until, 4), "nobody is of the third kind");
        for person in 0..7 {
            assert_eq!(again.of(person).map(|(_, kind)| kind), needs.of(person).map(|(_, kind)| kind), "{person}");
        }
        assert!(matches!(read(&bytes, &Digest::of(b"others")), Ok(None)));
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len], &rules).is_err(), "{len}");
        }
        let mut odd = bytes.clone();
        *odd.last_mut().expect("bytes") = 5;
        assert!(matches!(read(&odd, &rules), Err(PackError::Corrupt(_))), "there are four kinds");
        odd[0] = 9;
        assert!(matches!(read(&odd, &rules), Err(PackError::Layout(9))));
    }
}
