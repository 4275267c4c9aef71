//! Claims as bytes: each one as its difference from another one.

use crate::base::{ClaimId, Instant};
use crate::license::{Because, Channel, Claim, ClaimState, OrgNameIx, PoolIx, ReasonsIx, Wait};
use crate::store::record::bytes::{DecodeError, Decoder, FORMAT, Record, put_number, put_signed};

/// What the first claim of a record is told against.
pub(in crate::store::record) const ORIGIN: Claim = Claim {
    id: ClaimId(0),
    since: Instant(0),
    changed: Instant(0),
    home: OrgNameIx(0),
    reasons: ReasonsIx(0),
    priority: 0,
    pool: PoolIx(0),
    state: ClaimState::Waiting,
    channel: Channel::Manual,
    wait: Wait::Nothing,
};

const ID: u8 = 1;
const SINCE: u8 = 1 << 1;
const CHANGED: u8 = 1 << 2;
const HOME: u8 = 1 << 3;
const REASONS: u8 = 1 << 4;
const PRIORITY: u8 = 1 << 5;
const POOL: u8 = 1 << 6;
const STATE: u8 = 1 << 7;

/// Appends what differs between a claim and its base: a byte that tells which fields, then those fields.
pub(in crate::store::record) fn put_claim(claim: &Claim, base: &Claim, out: &mut Vec<u8>) {
    let Claim { id, since, changed, home, reasons, priority, pool, state, channel, wait } = *claim;
    let mask_at = out.len();
    let mut mask = 0;
    out.push(mask);
    if id != base.id {
        mask |= ID;
        put_signed(id.0.wrapping_sub(base.id.0).cast_signed(), out);
    }
    if since != base.since {
        mask |= SINCE;
        put_signed(since.0.wrapping_sub(base.since.0), out);
    }
    // Told against `since`, which it most often equals.
    if changed != since {
        mask |= CHANGED;
        put_signed(changed.0.wrapping_sub(since.0), out);
    }
    if home != base.home {
        mask |= HOME;
        put_number(u64::from(home.0), out);
    }
    if reasons != base.reasons {
        mask |= REASONS;
        put_number(u64::from(reasons.0), out);
    }
    if priority != base.priority {
        mask |= PRIORITY;
        put_signed(i64::from(priority), out);
    }
    if pool != base.pool {
        mask |= POOL;
        put_number(u64::from(pool.0), out);
    }
    if (state, channel, wait) != (base.state, base.channel, base.wait) {
        mask |= STATE;
        state.put(out);
        channel.put(out);
        wait.put(out);
    }
    out[mask_at] = mask;
}

/// Reads a claim that was told against `base`.
pub(in crate::store::record) fn take_claim(from: &mut Decoder<'_>, base: &Claim) -> Result<Claim, DecodeError> {
    let mask = from.byte()?;
    let mut claim = *base;
    if mask & ID != 0 {
        claim.id = ClaimId(base.id.0.wrapping_add(from.signed()?.cast_unsigned()));
    }
    if mask & SINCE != 0 {
        claim.since = Instant(base.since.0.wrapping_add(from.signed()?));
    }
    claim.changed = claim.since;
    if mask & CHANGED != 0 {
        claim.changed = Instant(claim.since.0.wrapping_add(from.signed()?));
    }
    if mask & HOME != 0 {
        claim.home = OrgNameIx(Record::take(from)?);
    }
    if mask & REASONS != 0 {
        claim.reasons = ReasonsIx(Record::take(from)?);
    }
    if mask & PRIORITY != 0 {
        claim.priority = Record::take(from)?;
    }
    if mask & POOL != 0 {
        claim.pool = PoolIx(Record::take(from)?);
    }
    if mask & STATE != 0 {
        claim.state = Record::take(from)?;
        claim.channel = Record::take(from)?;
        claim.wait = Record::take(from)?;
    }
    Ok(claim)
}

/// Claims of one person by themselves, into a buffer that is cleared first.
pub(in crate::store) fn pack_person(claims: &[Claim], out: &mut Vec<u8>) {
    out.clear();
    out.push(FORMAT);
    put_number(claims.len() as u64, out);
    let mut base = ORIGIN;
    for claim in claims {
        put_claim(claim, &base, out);
        base = *claim;
    }
}

/// Reads such claims; appends to `claims`.
pub(in crate::store) fn take_person(bytes: &[u8], claims: &mut Vec<Claim>) -> Result<(), DecodeError> {
    let mut from = Decoder::open(bytes)?;
    let mut base = ORIGIN;
    for _ in 0..from.count()? {
        base = take_claim(&mut from, &base)?;
        claims.push(base);
    }
    from.end()
}

/// The row of one released claim.
pub(in crate::store) fn put_released(claim: &Claim, because: Because, out: &mut Vec<u8>) {
    out.clear();
    out.push(FORMAT);
    because.put(out);
    put_claim(claim, &ORIGIN, out);
}

/// Reads the row of one released claim.
pub(in crate::store) fn take_released(bytes: &[u8]) -> Result<(Claim, Because), DecodeError> {
    let mut from = Decoder::open(bytes)?;
    let because = Because::take(&mut from)?;
    let claim = take_claim(&mut from, &ORIGIN)?;
    from.end()?;
    Ok((claim, because))
}
