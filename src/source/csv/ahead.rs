//! The rows of a large complete file, parsed by as many threads as there are cores.
//!
//! Every line feed ends a row, so a block of whole lines can be parsed without looking at any other. A round of blocks is
//! parsed by all threads while the next round is read; the intake takes the batches in the order of the file. A block
//! in which anything is out of the ordinary is parsed once more, in its turn and row by row, by the one feeder that
//! judges and tells: what comes out is the same, to the letter, whatever the number of threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::roster::{RowBatch, RowReader};
use crate::source::csv::block::{Block, Blocks, ReadFault};
use crate::source::csv::feeder::{Feeder, Halt};
use crate::source::csv::parse::RowParser;
use crate::source::csv::scan::Scan;
use crate::source::csv::sink::RowSink;

/// Blocks per thread in one round: enough that a round's end, at which threads wait for one another, hardly counts.
const BLOCKS_EACH: usize = 12;

/// A block parsed ahead: its rows, at which line their count began, and how many lines it has.
struct Parsed {
    batch: RowBatch,
    before: u64,
    lines: u64,
}

/// Blocks, each with what it was parsed to if nothing in it is out of the ordinary.
type Round = Vec<(Block, Option<Parsed>)>;

/// Reads all blocks into `sink`, which must have a reader for the feeder's collection. Where readers do not look at the sink a
/// round is taken while the next one is parsed.
pub(crate) fn run<S: RowSink + Sync, P: RowParser>(
    feeder: &mut Feeder<'_>,
    blocks: &mut dyn Blocks,
    scan: &mut Scan,
    sink: &mut S,
) -> Result<(), Halt> {
    let size = threads() * BLOCKS_EACH;
    let apart = sink.reader_apart(feeder.collection);
    let mut taker = Taker { parser: P::default(), used: Vec::new() };
    let (mut round, mut parsed) = (Vec::new(), Round::new());
    let mut fault = gather(blocks, size, &mut taker.used, &mut round);
    let mut is_first = scan.lines() == 0;
    while !round.is_empty() {
        let (mut next, like) = (Vec::new(), feeder.again());
        let mut read_on = |used: &mut Vec<Block>| {
            if fault.is_ok() {
                fault = gather(blocks, size, used, &mut next);
            }
        };
        if let Some(apart) = &apart {
            let mut taken = Ok(());
            let before = std::mem::take(&mut parsed);
            parsed = parse::<P>(&like, round, is_first, &|| apart.reader(), || {
                read_on(&mut taker.used);
                taken = taker.take(before, feeder, scan, sink);
            });
            taken?;
        } else {
            let before = parse::<P>(&like, round, is_first, &|| sink.reader(like.collection), || read_on(&mut taker.used));
            taker.take(before, feeder, scan, sink)?;
        }
        (round, is_first) = (next, false);
    }
    taker.take(parsed, feeder, scan, sink)?;
    fault.map_err(Halt::Read)
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Hands on what was parsed, in the order of the file.
struct Taker<P> {
    parser: P,
    /// Blocks that can be used again.
    used: Vec<Block>,
}

impl<P: RowParser> Taker<P> {
    fn take<S: RowSink>(&mut self, round: Round, feeder: &mut Feeder<'_>, scan: &mut Scan, sink: &mut S) -> Result<(), Halt> {
        for (block, parsed) in round {
            let fits = parsed.filter(|parsed| feeder.rows + parsed.batch.len() as u64 <= feeder.rule.rows_max);
            let taken = fits.and_then(|Parsed { batch, before, lines }| {
                let count = batch.len() as u64;
                sink.take(batch, scan.lines() - before).then_some((count, lines))
            });
            match taken {
                Some((rows, lines)) => {
                    feeder.rows += rows;
                    scan.skip(lines);
                }
                None => feeder.block(&block, scan, &mut self.parser, sink)?,
            }
            self.used.push(block);
        }
        Ok(())
    }
}

/// Parses a round by all threads; this one does something else first.
fn parse<'d, P: RowParser>(
    like: &Feeder<'_>,
    round: Vec<Block>,
    is_first: bool,
    reader: &(dyn Fn() -> Option<RowReader<'d>> + Sync),
    first: impl FnOnce(),
) -> Round {
    let parsed: Vec<Mutex<Option<Parsed>>> = round.iter().map(|_| Mutex::new(None)).collect();
    let at = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = at.fetch_add(1, Ordering::Relaxed);
            let (Some(block), Some(place)) = (round.get(at), parsed.get(at)) else { break };
            let parsed = reader().and_then(|reader| parse_block::<P>(like, reader, block, is_first && at == 0));
            *place.lock().unwrap_or_else(PoisonError::into_inner) = parsed;
        }
    };
    thread::scope(|scope| {
        (1..threads()).for_each(|_| drop(scope.spawn(work)));
        first();
        work();
    });
    let parsed = parsed.into_iter().map(|parsed| parsed.into_inner().unwrap_or_else(PoisonError::into_inner));
    round.into_iter().zip(parsed).collect()
}

/// Reads up to `count` blocks; fewer at the end of the file. What was read before a fault is there.
fn gather(blocks: &mut dyn Blocks, count: usize, used: &mut Vec<Block>, round: &mut Vec<Block>) -> Result<(), ReadFault> {
    while round.len() < count {
        match blocks.next(used.pop().unwrap_or_default())? {
            Some(block) => round.push(block),
            None => break,
        }
    }
    Ok(())
}

/// Parses a block by itself; `None` if anything in it is out of the ordinary.
fn parse_block<P: RowParser>(like: &Feeder<'_>, mut reader: RowReader<'_>, block: &Block, is_first: bool) -> Option<Parsed> {
    // Line 1 of a file is its header; a block further down has none.
    let before = u64::from(!is_first);
    let mut scan = Scan::behind(before);
    like.again().block(block, &mut scan, &mut P::default(), &mut reader).ok()?;
    let batch = reader.finish();
    (!batch.is_odd()).then(|| Parsed { batch, before, lines: scan.lines() - before })
}
