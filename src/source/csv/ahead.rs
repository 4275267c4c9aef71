//! The rows of a large complete file, parsed by as many threads as there are cores.
//!
//! Every line feed ends a row, so a block of whole lines can be parsed without looking at any other. This thread reads blocks
//! and hands on what was parsed, in the order of the file; other threads parse, and so does this one when it has nothing
//! else to do. Nobody waits for a round to end. A block in which anything is out of the ordinary is parsed once more, in its
//! turn and row by row, by the one feeder that judges and tells: what comes out is the same, to the letter, whatever the
//! number of threads.

use std::mem::take;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::roster::{Apart, Line, Prints, Readers, RowBatch, RowReader, Taker};
use crate::source::csv::block::{Block, Blocks};
use crate::source::csv::feeder::{Feeder, Halt};
use crate::source::csv::lane::{BLOCKS_EACH, Ending, Input, Job, Lane, Leaving, Step};
use crate::source::csv::parse::RowParser;
use crate::source::csv::scan::Scan;
use crate::source::csv::sink::RowSink;

/// A block parsed ahead: its rows, at which line their count began, and how many lines it has.
struct Parsed {
    batch: RowBatch,
    before: u64,
    lines: u64,
}

/// Blocks that are parsed.
type ParseLane = Lane<Box<Parsed>, RowBatch>;

/// Reads `first` and all other blocks into `sink`, to which `apart` belongs.
pub(crate) fn run<S: RowSink, P: RowParser>(
    feeder: &mut Feeder<'_>,
    first: Option<Block>,
    blocks: &mut dyn Blocks,
    scan: &mut Scan,
    sink: &mut S,
    apart: &Apart,
) -> Result<(), Halt> {
    let mut input = Input::new(blocks);
    let prints = sink.prints().map(|prints| Mutex::new(take(prints)));
    let mut parser = P::default();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let lane = Lane::new(threads * BLOCKS_EACH);
    first.into_iter().for_each(|block| lane.enter(block));
    loop {
        let like = feeder.again();
        if let Some((readers, mut taker)) = sink.halves(apart) {
            let work = Work { lane: &lane, readers, like: &like, prints: prints.as_ref() };
            thread::scope(|scope| {
                let _others_end = Ending(&lane);
                lane.begin(threads - 1);
                (1..threads).for_each(|_| drop(scope.spawn(|| work.on_and_on::<P>())));
                pump::<P>(&work, &mut input, feeder, scan, &mut taker);
            });
        }
        if lane.is_empty() {
            input.read_on(&lane);
        }
        // The block in front needs more than a taker, if there is one.
        let Some((block, parsed)) = lane.leave() else {
            input.end.unwrap_or(Ok(())).map_err(Halt::Read)?;
            let prints = prints.map(|prints| prints.into_inner().unwrap_or_else(PoisonError::into_inner));
            sink.prints().zip(prints).into_iter().for_each(|(own, prints)| *own = prints);
            return Ok(());
        };
        let was_parsed = parsed.is_some();
        let taken = parsed.and_then(|mut parsed| hand_on(&mut parsed, feeder, scan, |batch, before| sink.take(batch, before)));
        if taken.is_none() {
            feeder.block(&block, scan, &mut parser, sink)?;
            let lines = feeder.take_lines();
            // What was parsed and is not taken was added.
            prints.as_ref().filter(|_| !was_parsed).into_iter().for_each(|prints| add(prints, &lines));
        }
        input.used.push(block);
    }
}

/// Hands on what was parsed, if it is taken.
fn hand_on(
    parsed: &mut Parsed,
    feeder: &mut Feeder<'_>,
    scan: &mut Scan,
    take: impl FnOnce(&mut RowBatch, u64) -> bool,
) -> Option<()> {
    let Parsed { batch, before, lines } = parsed;
    let rows = feeder.rows + batch.len() as u64;
    (rows <= feeder.rule.rows_max && take(batch, scan.lines() - *before)).then(|| {
        feeder.rows = rows;
        scan.skip(*lines);
    })
}

/// Adds rows, from any thread.
pub(crate) fn add(prints: &Mutex<Prints>, lines: &[Line]) {
    prints.lock().unwrap_or_else(PoisonError::into_inner).add(lines);
}

/// Reads, hands on and parses, until the end or until a block is in front that must be dealt with otherwise.
fn pump<P: RowParser>(work: &Work<'_>, input: &mut Input<'_>, feeder: &mut Feeder<'_>, scan: &mut Scan, taker: &mut Taker<'_>) {
    loop {
        match work.lane.next_step(input.end.is_some()) {
            Step::HandOn(block, None) => return work.lane.put_back(block, None),
            Step::HandOn(block, Some(mut parsed)) => {
                let taken = hand_on(&mut parsed, feeder, scan, |batch, before| taker.take(batch, before));
                if taken.is_none() {
                    return work.lane.put_back(block, Some(parsed));
                }
                input.used.push(block);
                work.lane.queue().spare.push(parsed.batch);
            }
            Step::Read => input.read_on(work.lane),
            Step::Work(job) => work.parse::<P>(*job),
            Step::End => return,
        }
    }
}

/// What all threads do.
struct Work<'w> {
    lane: &'w ParseLane,
    readers: Readers<'w>,
    like: &'w Feeder<'w>,
    /// What rows say, if that is wanted.
    prints: Option<&'w Mutex<Prints>>,
}

impl Work<'_> {
    fn on_and_on<P: RowParser>(&self) {
        let _this_leaves = Leaving(self.lane);
        while let Some(job) = self.lane.wait_for_job() {
            self.parse::<P>(job);
        }
    }

    fn parse<P: RowParser>(&self, Job { number, block, spare }: Job<RowBatch>) {
        let is_first = number == 0;
        let reader = self.readers.reader(spare);
        let parsed = reader.and_then(|reader| self.parse_block::<P>(reader, &block, is_first));
        self.lane.done(number, block, parsed);
    }

    /// Parses a block by itself; `None` if anything in it is out of the ordinary.
    fn parse_block<P: RowParser>(&self, mut reader: RowReader<'_>, block: &Block, is_first: bool) -> Option<Box<Parsed>> {
        // Line 1 of a file is its header; a block further down has none.
        let before = u64::from(!is_first);
        let (mut scan, mut feeder) = (Scan::behind(before), self.like.again());
        feeder.block(block, &mut scan, &mut P::default(), &mut reader).ok()?;
        let batch = reader.finish();
        if batch.is_odd() {
            return None;
        }
        self.prints.into_iter().for_each(|prints| add(prints, &feeder.take_lines()));
        Some(Box::new(Parsed { batch, before, lines: scan.lines() - before }))
    }
}
