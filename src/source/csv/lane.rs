//! Blocks of one file on their way through several threads: one reads and hands on, in the order of the file, others work, and
//! so does the first one when it has nothing else to do. Nobody waits for a round to end.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::source::csv::block::{Block, Blocks, ReadFault};

/// Blocks per thread that may be read and not yet handed on: enough that nobody waits for long.
pub(crate) const BLOCKS_EACH: usize = 8;

/// Where blocks come from.
pub(crate) struct Input<'b> {
    pub(crate) blocks: &'b mut dyn Blocks,
    /// There are no more blocks, or none can be read. What was read before a fault counts.
    pub(crate) end: Option<Result<(), ReadFault>>,
    /// Blocks that can be used again.
    pub(crate) used: Vec<Block>,
}

impl<'b> Input<'b> {
    /// From the next one on.
    pub(crate) fn new(blocks: &'b mut dyn Blocks) -> Self {
        Self { blocks, end: None, used: Vec::new() }
    }

    /// Reads the next one, if there is one.
    pub(crate) fn read_on<T, U>(&mut self, lane: &Lane<T, U>) {
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

/// Blocks on their way, in the order of the file; `T` is what is made of each, `U` what can be used again for the next.
pub(crate) struct Lane<T, U> {
    queue: Mutex<Queue<T, U>>,
    changed: Condvar,
    /// So many blocks at most.
    size: usize,
}

pub(crate) struct Queue<T, U> {
    places: VecDeque<Place<T>>,
    /// The number of the block in front …
    first: usize,
    /// … and of the next one to be parsed.
    next: usize,
    /// What can be used again.
    pub(crate) spare: Vec<U>,
    /// Other threads at work.
    others: usize,
    is_ending: bool,
}

/// Where a block stands.
enum Place<T> {
    Read(Block),
    AtWork,
    Done(Block, Option<T>),
}

/// A block to be worked on.
pub(crate) struct Job<U> {
    pub(crate) number: usize,
    pub(crate) block: Block,
    pub(crate) spare: Option<U>,
}

/// What the handing thread does next.
pub(crate) enum Step<T, U> {
    HandOn(Block, Option<T>),
    Read,
    Work(Box<Job<U>>),
    End,
}

impl<T, U> Queue<T, U> {
    fn job(&mut self) -> Option<Job<U>> {
        let number = self.next;
        let place = self.places.get_mut(number - self.first)?;
        let Place::Read(block) = place else { return None };
        let block = std::mem::take(block);
        *place = Place::AtWork;
        self.next += 1;
        Some(Job { number, block, spare: self.spare.pop() })
    }

    /// The block in front leaves, unless somebody is at it.
    fn leave(&mut self) -> Option<(Block, Option<T>)> {
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

impl<T, U> Lane<T, U> {
    /// For so many blocks at most.
    pub(crate) fn new(size: usize) -> Self {
        let (places, spare) = (VecDeque::new(), Vec::new());
        let queue = Queue { places, first: 0, next: 0, spare, others: 0, is_ending: false };
        Self { queue: Mutex::new(queue), changed: Condvar::new(), size }
    }

    /// All of it.
    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue<T, U>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how many other threads are at work.
    pub(crate) fn begin(&self, others: usize) {
        let mut queue = self.queue();
        (queue.others, queue.is_ending) = (others, false);
    }

    /// Whether no block is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue().places.is_empty()
    }

    /// A block that was read.
    pub(crate) fn enter(&self, block: Block) {
        self.queue().places.push_back(Place::Read(block));
        self.changed.notify_all();
    }

    /// The block in front, unless somebody is at it.
    pub(crate) fn leave(&self) -> Option<(Block, Option<T>)> {
        self.queue().leave()
    }

    /// Puts the block in front where it was.
    pub(crate) fn put_back(&self, block: Block, parsed: Option<T>) {
        let mut queue = self.queue();
        queue.places.push_front(Place::Done(block, parsed));
        queue.first -= 1;
    }

    /// What was made of a block; nothing if it must be dealt with otherwise.
    pub(crate) fn done(&self, number: usize, block: Block, parsed: Option<T>) {
        let mut queue = self.queue();
        let at = number - queue.first;
        if let Some(place) = queue.places.get_mut(at) {
            *place = Place::Done(block, parsed);
        }
        drop(queue);
        self.changed.notify_all();
    }

    /// The next block to be worked on; `None` at the end.
    pub(crate) fn wait_for_job(&self) -> Option<Job<U>> {
        let mut queue = self.queue();
        while !queue.is_ending {
            if let Some(job) = queue.job() {
                return Some(job);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// What the handing thread does next.
    pub(crate) fn next_step(&self, at_end: bool) -> Step<T, U> {
        let mut queue = self.queue();
        loop {
            if let Some(Place::Done(..)) = queue.places.front() {
                return queue.leave().map_or(Step::End, |(block, parsed)| Step::HandOn(block, parsed));
            }
            if !at_end && queue.places.len() < self.size {
                return Step::Read;
            }
            if let Some(job) = queue.job() {
                return Step::Work(Box::new(job));
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
pub(crate) struct Ending<'l, T, U>(pub(crate) &'l Lane<T, U>);

impl<T, U> Drop for Ending<'_, T, U> {
    fn drop(&mut self) {
        self.0.queue().is_ending = true;
        self.0.changed.notify_all();
    }
}

/// Counts a thread that ends, be it because it panics.
pub(crate) struct Leaving<'l, T, U>(pub(crate) &'l Lane<T, U>);

impl<T, U> Drop for Leaving<'_, T, U> {
    fn drop(&mut self) {
        self.0.queue().others -= 1;
        self.0.changed.notify_all();
    }
}
