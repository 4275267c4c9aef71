//! The rows of a large complete file, parsed by as many threads as there are cores.
//!
//! Every line feed ends a row, so a block of whole lines can be parsed without looking at any other. This thread reads blocks
//! and hands on what was parsed, in the order of the file; other threads parse, and so does this one when it has nothing
//! else to do. Nobody waits for a round to end. A block in which anything is out of the ordinary is parsed once more, in its
//! turn and row by row, by the one feeder that judges and tells: what comes out is the same, to the letter, whatever the
//! number of threads.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::roster::{Apart, Readers, RowBatch, RowReader, Taker};
use crate::source::csv::block::{Block, Blocks, ReadFault};
use crate::source::csv::feeder::{Feeder, Halt};
use crate::source::csv::parse::RowParser;
use crate::source::csv::scan::Scan;
use crate::source::csv::sink::RowSink;

/// Blocks per thread that may be read and not yet handed on: enough that nobody waits for long.
const BLOCKS_EACH: usize = 8;

/// A block parsed ahead: its rows, at which line their count began, and how many lines it has.
struct Parsed {
    batch: RowBatch,
    before: u64,
    lines: u64,
}

/// Reads `first` and all other blocks into `sink`, to which `apart` belongs.
pub(crate) fn run<S: RowSink, P: RowParser>(
    feeder: &mut Feeder<'_>,
    first: Option<Block>,
    blocks: &mut dyn Blocks,
    scan: &mut Scan,
    sink: &mut S,
    apart: &Apart,
) -> Result<(), Halt> {
    let mut input = Input { blocks, end: None, used: Vec::new() };
    let mut parser = P::default();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let lane = Lane::new(threads * BLOCKS_EACH);
    first.into_iter().for_each(|block| lane.enter(block));
    loop {
        let like = feeder.again();
        if let Some((readers, mut taker)) = sink.halves(apart) {
            let work = Work { lane: &lane, readers, like: &like };
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
        let Some((block, parsed)) = lane.leave() else { return input.end.unwrap_or(Ok(())).map_err(Halt::Read) };
        let taken = parsed.and_then(|mut parsed| hand_on(&mut parsed, feeder, scan, |batch, before| sink.take(batch, before)));
        if taken.is_none() {
            feeder.block(&block, scan, &mut parser, sink)?;
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
            Step::Parse(job) => work.parse::<P>(*job),
            Step::End => return,
        }
    }
}

/// Where blocks come from.
struct Input<'b> {
    blocks: &'b mut dyn Blocks,
    /// There are no more blocks, or none can be read. What was read before a fault counts.
    end: Option<Result<(), ReadFault>>,
    /// Blocks that can be used again.
    used: Vec<Block>,
}

impl Input<'_> {
    fn read_on(&mut self, lane: &Lane) {
        if self.end.is_some() {
            return;
        }
        match self.blocks.next(self.used.pop().unwrap_or_default()) {
            Ok(Some(block)) => lane.enter(block),
            Ok(None) => self.end = Some(Ok(())),
            Err(fault) => self.end = Some(Err(fault)),
        }
    }
}

/// What all threads do.
struct Work<'w> {
    lane: &'w Lane,
    readers: Readers<'w>,
    like: &'w Feeder<'w>,
}

impl Work<'_> {
    fn on_and_on<P: RowParser>(&self) {
        let _this_leaves = Leaving(self.lane);
        while let Some(job) = self.lane.wait_for_job() {
            self.parse::<P>(job);
        }
    }

    fn parse<P: RowParser>(&self, Job { number, block, spare }: Job) {
        let is_first = number == 0;
        let reader = self.readers.reader(spare);
        let parsed = reader.and_then(|reader| parse_block::<P>(self.like, reader, &block, is_first));
        self.lane.done(number, block, parsed);
    }
}

/// Parses a block by itself; `None` if anything in it is out of the ordinary.
fn parse_block<P: RowParser>(
    like: &Feeder<'_>,
    mut reader: RowReader<'_>,
    block: &Block,
    is_first: bool,
) -> Option<Box<Parsed>> {
    // Line 1 of a file is its header; a block further down has none.
    let before = u64::from(!is_first);
    let mut scan = Scan::behind(before);
    like.again().block(block, &mut scan, &mut P::default(), &mut reader).ok()?;
    let batch = reader.finish();
    (!batch.is_odd()).then(|| Box::new(Parsed { batch, before, lines: scan.lines() - before }))
}

/// Blocks on their way, in the order of the file.
struct Lane {
    queue: Mutex<Queue>,
    changed: Condvar,
    /// So many blocks at most.
    size: usize,
}

#[derive(Default)]
struct Queue {
    places: VecDeque<Place>,
    /// The number of the block in front …
    first: usize,
    /// … and of the next one to be parsed.
    next: usize,
    /// Batches whose memory can be used again.
    spare: Vec<RowBatch>,
    /// Other threads at work.
    others: usize,
    is_ending: bool,
}

/// Where a block stands.
enum Place {
    Read(Block),
    AtWork,
    Done(Block, Option<Box<Parsed>>),
}

/// A block to be parsed.
struct Job {
    number: usize,
    block: Block,
    spare: Option<RowBatch>,
}

/// What the handing thread does next.
enum Step {
    HandOn(Block, Option<Box<Parsed>>),
    Read,
    Parse(Box<Job>),
    End,
}

impl Queue {
    fn job(&mut self) -> Option<Job> {
        let number = self.next;
        let place = self.places.get_mut(number - self.first)?;
        let Place::Read(block) = place else { return None };
        let block = std::mem::take(block);
        *place = Place::AtWork;
        self.next += 1;
        Some(Job { number, block, spare: self.spare.pop() })
    }

    /// The block in front leaves, unless somebody is at it.
    fn leave(&mut self) -> Option<(Block, Option<Box<Parsed>>)> {
        let (block, parsed) = match self.places.pop_front()? {
            Place::Done(block, parsed) => (block, parsed),
            Place::Read(block) => (block, None),
            Place::AtWork => return None,
        };
        self.first += 1;
        self.next = self.next.max(self.first);
        Some((block, parsed))
    }
}

impl Lane {
    fn new(size: usize) -> Self {
        Self { queue: Mutex::default(), changed: Condvar::new(), size }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, others: usize) {
        let mut queue = self.queue();
        (queue.others, queue.is_ending) = (others, false);
    }

    fn is_empty(&self) -> bool {
        self.queue().places.is_empty()
    }

    fn enter(&self, block: Block) {
        self.queue().places.push_back(Place::Read(block));
        self.changed.notify_all();
    }

    fn leave(&self) -> Option<(Block, Option<Box<Parsed>>)> {
        self.queue().leave()
    }

    fn put_back(&self, block: Block, parsed: Option<Box<Parsed>>) {
        let mut queue = self.queue();
        queue.places.push_front(Place::Done(block, parsed));
        queue.first -= 1;
    }

    fn done(&self, number: usize, block: Block, parsed: Option<Box<Parsed>>) {
        let mut queue = self.queue();
        let at = number - queue.first;
        if let Some(place) = queue.places.get_mut(at) {
            *place = Place::Done(block, parsed);
        }
        drop(queue);
        self.changed.notify_all();
    }

    fn wait_for_job(&self) -> Option<Job> {
        let mut queue = self.queue();
        while !queue.is_ending {
            if let Some(job) = queue.job() {
                return Some(job);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    fn next_step(&self, at_end: bool) -> Step {
        let mut queue = self.queue();
        loop {
            if let Some(Place::Done(..)) = queue.places.front() {
                return queue.leave().map_or(Step::End, |(block, parsed)| Step::HandOn(block, parsed));
            }
            if !at_end && queue.places.len() < self.size {
                return Step::Read;
            }
            if let Some(job) = queue.job() {
                return Step::Parse(Box::new(job));
            }
            // Whoever died at work takes this thread along when all have ended.
            if queue.places.is_empty() || queue.others == 0 {
                return Step::End;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Lets all other threads end, be it because this one panics.
struct Ending<'l>(&'l Lane);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.queue().is_ending = true;
        self.0.changed.notify_all();
    }
}

/// Counts a thread that ends, be it because it panics.
struct Leaving<'l>(&'l Lane);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.queue().others -= 1;
        self.0.changed.notify_all();
    }
}
