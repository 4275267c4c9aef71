//! The rows of a large complete file, parsed by as many threads as there are cores.
//!
//! Every line feed ends a row, so a block of whole lines can be parsed without looking at any other. A round of blocks is
//! parsed by all threads while the next round is read; then the intake takes the batches in the order of the file. A block
//! in which anything is out of the ordinary is parsed once more, in its turn and row by row, by the one feeder that
//! judges and tells: what comes out is the same, to the letter, whatever the number of threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::roster::RowBatch;
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

/// Reads all blocks into `sink`, which must have a reader for the feeder's collection.
pub(crate) fn run<S: RowSink + Sync, P: RowParser>(
    feeder: &mut Feeder<'_>,
    blocks: &mut dyn Blocks,
    scan: &mut Scan,
    sink: &mut S,
) -> Result<(), Halt> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let size = threads * BLOCKS_EACH;
    let mut parser = P::default();
    let mut used = Vec::new();
    let mut round = Vec::new();
    let mut fault = gather(blocks, size, &mut used, &mut round);
    while !round.is_empty() {
        let mut next = Vec::new();
        let parsed: Vec<Mutex<Option<Parsed>>> = round.iter().map(|_| Mutex::new(None)).collect();
        let at = AtomicUsize::new(0);
        let is_first = scan.lines() == 0;
        let (here, there) = (&*feeder, &*sink);
        let work = || {
            loop {
                let at = at.fetch_add(1, Ordering::Relaxed);
                let (Some(block), Some(place)) = (round.get(at), parsed.get(at)) else { break };
                let parsed = parse::<S, P>(here, there, block, is_first && at == 0);
                *place.lock().unwrap_or_else(PoisonError::into_inner) = parsed;
            }
        };
        thread::scope(|scope| {
            (1..threads).for_each(|_| drop(scope.spawn(work)));
            if fault.is_ok() {
                fault = gather(blocks, size, &mut used, &mut next);
            }
            work();
        });
        for (block, parsed) in round.drain(..).zip(parsed) {
            let parsed = parsed.into_inner().unwrap_or_else(PoisonError::into_inner);
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
                None => feeder.block(&block, scan, &mut parser, sink)?,
            }
            used.push(block);
        }
        round = next;
    }
    fault.map_err(Halt::Read)
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
fn parse<S: RowSink, P: RowParser>(feeder: &Feeder<'_>, sink: &S, block: &Block, is_first: bool) -> Option<Parsed> {
    let mut reader = sink.reader(feeder.collection)?;
    // Line 1 of a file is its header; a block further down has none.
    let before = u64::from(!is_first);
    let mut scan = Scan::behind(before);
    feeder.again().block(block, &mut scan, &mut P::default(), &mut reader).ok()?;
    let batch = reader.finish();
    (!batch.is_odd()).then(|| Parsed { batch, before, lines: scan.lines() - before })
}
