//! Where the rows of a file lie and of whom they tell: so some of them can be read once more without the others.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::base::parts;
use crate::roster::{ClassHash, Line};
use crate::source::csv::block::Block;
use crate::source::csv::scan::{QuoteFault, Scan};

/// Rows are put aside in pieces of so many bytes: large enough that their memory is given back when they were handed on.
const TEXT_BYTES: usize = 5 << 18;

/// Bytes of the mark with which a text may begin.
const MARK_BYTES: u64 = 3;

/// A row: the group of people of which it tells, and above it the bytes up to the next row of its block, or to the block's end.
/// There are very many, and few are too long for that.
type Packed = u32;

/// So many bits tell the group.
const GROUP_BITS: u32 = 20;
const GROUP_MASK: u32 = (1 << GROUP_BITS) - 1;
/// Rows of so many bytes or more are told beside the others.
const LONG: u32 = u32::MAX >> GROUP_BITS;

/// The rows of one block.
#[derive(Default)]
pub(crate) struct BlockPlaces {
    rows: Vec<Packed>,
    /// The bytes of long ones, in order.
    long: Vec<u32>,
    /// Bytes before the first row.
    lead: usize,
    /// Bytes of the block.
    bytes: usize,
    is_cut: bool,
}

impl BlockPlaces {
    /// Of rows that begin at these places of a block; `None` if there are more groups than can be told.
    pub(crate) fn of(block: &Block, lines: &[Line], starts: &[usize]) -> Option<Self> {
        let (lead, bytes) = (starts.first().copied().unwrap_or_default(), block.text.len());
        let mut places = Self { lead, bytes, is_cut: block.is_cut, ..Self::default() };
        let ends = starts.iter().skip(1).copied().chain([bytes]);
        for ((line, start), end) in lines.iter().zip(starts).zip(ends) {
            let length = u32::try_from(end - start).ok()?;
            if length >= LONG {
                places.long.push(length);
            }
            let group = Some(line.group).filter(|&group| group <= GROUP_MASK)?;
            places.rows.push(length.min(LONG) << GROUP_BITS | group);
        }
        Some(places)
    }
}

/// All rows of a file, in order. To find out of whom each tells takes most of the time that reading takes.
#[derive(Default)]
pub(crate) struct Places {
    rows: Vec<Packed>,
    /// The bytes of long ones, in order.
    long: Vec<u32>,
    /// Of each block, where its rows end among all of them and its long ones among those, and where the first row begins in the
    /// file, a mark aside.
    blocks: Vec<(usize, usize, u64)>,
    bytes: u64,
    is_cut: bool,
}

impl Places {
    /// Adds the next block.
    pub(crate) fn push(&mut self, block: BlockPlaces) {
        self.rows.extend_from_slice(&block.rows);
        self.long.extend_from_slice(&block.long);
        self.blocks.push((self.rows.len(), self.long.len(), self.bytes + block.lead as u64));
        self.bytes += block.bytes as u64;
        self.is_cut |= block.is_cut;
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many bytes the file has, a mark aside.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many rows tell of groups that changed, and how many bytes these have.
    pub(crate) fn changed(&self, changed: &[bool]) -> (usize, u64) {
        let own = lengths(&self.rows, &self.long).filter(|&(row, _)| is_changed(changed, row));
        own.fold((0, 0), |(rows, bytes), (_, length)| (rows + 1, bytes + length))
    }

    /// Reads those of the file, which is so many bytes long. `class` is where rows name a class, if they do. `None`: they
    /// cannot be read, or the file is another by now.
    pub(crate) fn fetch(&self, file: &File, length: u64, changed: &[bool], class: Option<usize>) -> Option<Fetched> {
        // The line feed of a line that was cut off is not in the file.
        let before = (length + u64::from(self.is_cut)).checked_sub(self.bytes)?;
        if before != 0 && before != MARK_BYTES {
            return None;
        }
        let fetch = |blocks: Range<usize>| self.fetch_of(blocks, (file, before..length), changed)?.told(class);
        let mut all = Fetched::default();
        for fetched in parts::each(parts::ranges_of_large(self.blocks.len()), fetch) {
            let Fetched { texts, rows, classes } = fetched?;
            all.texts.extend(texts);
            all.classes.extend(classes);
            all.rows += rows;
        }
        Some(all)
    }

    fn fetch_of(&self, blocks: Range<usize>, (file, bytes): (&File, Range<u64>), changed: &[bool]) -> Option<Raw> {
        let mut raw = Raw::default();
        let mut run = 0..0;
        let (mut rows, long, _) = blocks.start.checked_sub(1).map_or((0, 0, 0), |before| self.blocks[before]);
        let mut all = lengths(&self.rows[rows..], &self.long[long..]);
        for &(end, _, start) in &self.blocks[blocks] {
            let mut at = bytes.start + start;
            for (row, length) in all.by_ref().take(end - rows) {
                let next = at + length;
                if is_changed(changed, row) {
                    // What stands side by side is read at once.
                    if run.end != at || next - run.start > TEXT_BYTES as u64 {
                        raw.read((file, bytes.end), run)?;
                        run = at..at;
                    }
                    run.end = next;
                    raw.rows += 1;
                }
                at = next;
            }
            rows = end;
        }
        raw.read((file, bytes.end), run)?;
        Some(raw)
    }
}

/// Rows with their bytes.
fn lengths(rows: &[Packed], long: &[u32]) -> impl Iterator<Item = (Packed, u64)> {
    let mut long = long.iter();
    rows.iter().map(move |&row| match row >> GROUP_BITS {
        LONG => (row, long.next().copied().unwrap_or(LONG).into()),
        length => (row, length.into()),
    })
}

fn is_changed(changed: &[bool], row: Packed) -> bool {
    changed.get((row & GROUP_MASK) as usize) == Some(&true)
}

/// Bytes of rows as they are read.
#[derive(Default)]
struct Raw {
    texts: Vec<Vec<u8>>,
    rows: usize,
}

impl Raw {
    fn read(&mut self, (file, length): (&File, u64), run: Range<u64>) -> Option<()> {
        if run.is_empty() {
            return Some(());
        }
        let bytes = usize::try_from(run.end - run.start).ok()?;
        if self.texts.last().is_none_or(|last| last.len() + bytes > last.capacity()) {
            self.texts.push(Vec::with_capacity(TEXT_BYTES.max(bytes)));
        }
        let text = self.texts.last_mut()?;
        let from = text.len();
        text.resize(from + bytes, b'\n');
        let there = usize::try_from(run.end.min(length).checked_sub(run.start)?).ok()?;
        file.read_exact_at(&mut text[from..from + there], run.start).ok()
    }

    /// As texts, with the classes that they name.
    fn told(self, class: Option<usize>) -> Option<Fetched> {
        let texts: Vec<String> = self.texts.into_iter().map(String::from_utf8).collect::<Result<_, _>>().ok()?;
        let mut classes = Vec::new();
        for (class, text) in class.into_iter().flat_map(|class| texts.iter().map(move |text| (class, text))) {
            let scanned = Scan::behind(1).rows(text, |row| {
                classes.push(ClassHash::of(row.get(class)));
                Ok::<(), QuoteFault>(())
            });
            scanned.ok()?;
        }
        Some(Fetched { texts, rows: self.rows, classes })
    }
}

/// Rows that were read once more.
#[derive(Default)]
pub(crate) struct Fetched {
    /// Their lines, in order, in pieces.
    pub(crate) texts: Vec<String>,
    /// How many they are.
    pub(crate) rows: usize,
    /// The classes that they name.
    pub(crate) classes: Vec<ClassHash>,
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use crate::roster::{ClassHash, Collection, Prints};
    use crate::source::csv::block::{Block, BlockReader, Blocks};
    use crate::source::csv::places::{BlockPlaces, Places};
    use crate::source::csv::scan::{QuoteFault, Scan};

    #[test]
    fn rows_come_back_from_where_they_lie() {
        let folder = tempfile::tempdir().expect("tempdir");
        let path = folder.path().join("roles.csv");
        let prints = Prints::of_file(0);
        let grouping = prints.grouping();
        let changed: Vec<bool> = (0..prints.groups()).map(|group| group % 3 > 0).collect();
        let row = |n: usize| format!("k{n},{}", "x".repeat(if n % 40 == 7 { 4_070 + n / 7 } else { n * 7 % 60 }));
        let is_changed = |n: &usize| changed[grouping.group(format!("k{n}").as_bytes()) as usize];
        let expected: Vec<String> = (0..300).filter(is_changed).map(row).collect();
        let shapes = ["", "\u{feff}"].map(|mark| [("\n", true), ("\r\n", true), ("\n", false)].map(|shape| (mark, shape)));
        for (mark, (end, is_ended)) in shapes.into_iter().flatten() {
            let blank = |n: usize| if n.is_multiple_of(11) { end } else { "" };
            let rows: String = (0..300).map(|n| format!("{}{}{end}", blank(n), row(n))).collect();
            let mut text = format!("{mark}id,text{end}{rows}");
            if !is_ended {
                text.truncate(text.len() - end.len());
            }
            fs::write(&path, &text).expect("written");
            for step in [100, 1_000, 1 << 20] {
                let file = File::open(&path).expect("opens");
                let mut reader = BlockReader::new(&file, text.len() as u64, 10_000, step);
                let (mut places, mut block, mut is_first) = (Places::default(), Block::default(), true);
                while let Some(next) = reader.next(block).expect("reads") {
                    let (mut lines, mut starts) = (Vec::new(), Vec::new());
                    let scanned = Scan::behind(u64::from(!is_first)).rows(&next.text, |row| {
                        if row.line > 1 {
                            lines.push(grouping.line(Collection::Roles, row.get(0), row.whole()));
                            starts.push(next.text.len() - row.left());
                        }
                        Ok::<(), QuoteFault>(())
                    });
                    scanned.expect("rows");
                    places.push(BlockPlaces::of(&next, &lines, &starts).expect("short rows"));
                    (block, is_first) = (next, false);
                }
                let (count, bytes) = places.changed(&changed);
                assert_eq!((places.len(), count, places.bytes() < text.len() as u64 + 2), (300, expected.len(), true));
                let fetched = places.fetch(&file, text.len() as u64, &changed, Some(0)).expect("fetched");
                let lines = fetched.texts.concat();
                assert_eq!(lines.len() as u64, bytes);
                assert!(lines.lines().filter(|line| !line.is_empty()).eq(&expected), "{mark:?} {end:?} {is_ended} {step}");
                let keys = expected.iter().map(|row| ClassHash::of(row.split_once(',').expect("two cells").0));
                assert_eq!((fetched.rows, fetched.classes), (expected.len(), keys.collect::<Vec<_>>()));
                assert!(places.fetch(&file, text.len() as u64 + 1, &changed, None).is_none(), "another file");
            }
        }
    }
}
