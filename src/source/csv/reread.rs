//! A package read beside what the last one left to know. Its rows are gone through twice: to see what they say of which group
//! of people, and to put those aside that tell of people of whom they do not say what they said; these are told as any rows
//! are. Whatever is out of the ordinary is left to a read of the whole package, which judges and tells; so nothing is found
//! out here that would not come out there, and nothing else.

use std::mem::replace;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::vec::IntoIter;

use memchr::memchr_iter;

use crate::roster::{ClassHash, Collection, Mode, News, Prints, RosterIntake, TRACED, Trace};
use crate::source::csv::ahead::add;
use crate::source::csv::block::{Block, Blocks, ReadFault};
use crate::source::csv::fault::Stop;
use crate::source::csv::feed::run;
use crate::source::csv::feeder::{Feeder, Halt};
use crate::source::csv::ground::{Tapped, is_ground};
use crate::source::csv::lane::{BLOCKS_EACH, Ending, Input, Job, Lane, Leaving, Step};
use crate::source::csv::manifest::FileMode;
use crate::source::csv::package::PackageFiles;
use crate::source::csv::parse::{Enrollments, Roles, Users};
use crate::source::csv::pull::Survey;
use crate::source::csv::says::Says;
use crate::source::csv::scan::{QuoteFault, Scan};
use crate::source::csv::settings::CsvSourceSettings;

/// Of more than one row in so many that tells of people whose group changed, a read of the whole package costs no more.
const CHANGED_SHARE: usize = 8;

/// Rows are put aside in pieces of so many bytes: large enough that their memory is given back when they were handed on.
const TEXT_BYTES: usize = 4 << 20;

/// A package that stands on what the last one stood on.
pub(crate) struct CsvReread<'s> {
    settings: &'s CsvSourceSettings,
    files: PackageFiles,
    survey: Survey,
    news: News,
    /// The rows of [`TRACED`] that tell of people whose group changed, in order.
    texts: [Vec<String>; 3],
}

impl<'s> CsvReread<'s> {
    /// Begins to read a package beside what is known; `None` if it has to be read whole.
    pub(crate) fn begin(mut files: PackageFiles, settings: &'s CsvSourceSettings, known: &Trace) -> Result<Option<Self>, Stop> {
        if !files.is_folder() {
            return Ok(None);
        }
        let survey = Survey::of(&mut files, settings)?;
        let mut ground = survey.ground(settings);
        let mut news = News::default();
        for collection in Collection::ALL {
            let Some((entry, rule)) = survey.file(collection, settings) else {
                news.unbegun.push(collection);
                continue;
            };
            if rule.mode != FileMode::Bulk {
                return Ok(None);
            }
            if is_ground(collection) {
                ground.begin(collection, entry.length);
                files.read(entry, |blocks| drain(&mut Tapped { blocks, ground: &mut ground }))?;
            }
        }
        let texts = <[Vec<String>; 3]>::default();
        Ok((ground.finish() == known.ground).then_some(Self { settings, files, survey, news, texts }))
    }

    /// Looks for what is new; `None` if the package has to be read whole.
    pub(crate) fn look(&mut self, known: &Trace) -> Result<Option<()>, Stop> {
        let Self { settings, files, survey, news, texts } = self;
        let Some(Said { prints, groups }) = said(files, (survey, settings), known)? else { return Ok(None) };
        news.changed = known.prints.changed(&prints);
        news.prints = prints;
        let all = groups.iter().map(|rows| rows.groups.len()).sum::<usize>();
        if groups.iter().map(|rows| rows.count(&news.changed)).sum::<usize>() * CHANGED_SHARE > all {
            return Ok(None);
        }
        let News { changed, rows, classes, .. } = news;
        for (((collection, groups), texts), all_rows) in TRACED.into_iter().zip(groups).zip(texts).zip(rows) {
            let Some((entry, rule)) = survey.file(collection, settings) else { continue };
            let class = (collection == Collection::Enrollments).then(|| rule.cells.layout.place(Enrollments::CLASS));
            let pick = |block: &Block, number: usize| Picked::of(block, number == 0, (groups.get(number)?, changed), class);
            let put_aside = |picked: Picked| {
                if texts.last().is_none_or(|last| last.len() + picked.text.len() > last.capacity()) {
                    texts.push(String::with_capacity(TEXT_BYTES.max(picked.text.len())));
                }
                texts.iter_mut().last().into_iter().for_each(|last| last.push_str(&picked.text));
                *all_rows += picked.rows;
                classes.extend(picked.classes);
            };
            if files.read(entry, |blocks| through(blocks, pick, put_aside))?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    /// What is new.
    pub(crate) fn news(&self) -> &News {
        &self.news
    }

    /// Hands on the rows that tell of people whose group changed; `None` if they cannot be read to their end.
    pub(crate) fn feed(self, intake: &mut RosterIntake) -> Option<News> {
        let Self { settings, survey, news, texts, .. } = self;
        survey.warnings().for_each(|finding| intake.warn(finding.clone()));
        for (collection, texts) in TRACED.into_iter().zip(texts) {
            let Some((_, rule)) = survey.file(collection, settings) else { continue };
            intake.begin(collection, Mode::Full);
            let (mut feeder, mut blocks) = (Feeder::new(collection, rule), PutAside { texts: texts.into_iter(), begun: false });
            let read = match collection {
                Collection::People => run::<_, Users>(&mut feeder, &mut blocks, 0, &mut Scan::default(), intake),
                Collection::Roles => run::<_, Roles>(&mut feeder, &mut blocks, 0, &mut Scan::default(), intake),
                _ => run::<_, Enrollments>(&mut feeder, &mut blocks, 0, &mut Scan::default(), intake),
            };
            if !matches!(read, Ok(()) | Err(Halt::NoRows)) {
                return None;
            }
        }
        Some(news)
    }
}

/// What all rows of a package say.
struct Said {
    prints: Prints,
    /// For each file the groups of which its rows tell.
    groups: [RowGroups; 3],
}

/// The groups of which the rows of a file tell, row by row: to find that out once more would take most of the time that
/// reading takes.
#[derive(Default)]
struct RowGroups {
    groups: Vec<u32>,
    /// Where those of each block end.
    ends: Vec<usize>,
}

impl RowGroups {
    fn push(&mut self, block: &[u32]) {
        self.groups.extend_from_slice(block);
        self.ends.push(self.groups.len());
    }

    /// How many rows tell of groups that changed.
    fn count(&self, changed: &[bool]) -> usize {
        self.groups.iter().filter(|&&group| changed.get(group as usize) == Some(&true)).count()
    }

    fn get(&self, block: usize) -> Option<&[u32]> {
        let start = block.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before))?;
        self.groups.get(*start..*self.ends.get(block)?)
    }
}

/// `None` if rows cannot be told apart.
fn said(
    files: &mut PackageFiles,
    (survey, settings): (&Survey, &CsvSourceSettings),
    known: &Trace,
) -> Result<Option<Said>, Stop> {
    let grouping = known.prints.grouping();
    let prints = Mutex::new(known.prints.like());
    let mut groups = <[RowGroups; 3]>::default();
    for (collection, groups) in TRACED.into_iter().zip(&mut groups) {
        let Some((entry, rule)) = survey.file(collection, settings) else { continue };
        let (layout, cell_bytes_max) = (rule.cells.layout, rule.cell_bytes_max);
        let say = |block: &Block, number: usize| {
            let mut says = Says::new(collection, grouping, layout, cell_bytes_max)?;
            let mut lines = Vec::with_capacity(block.text.len() / 128);
            // Line 1 of a file is its header; a block further down has none.
            let scanned = Scan::behind(u64::from(number > 0)).rows(&block.text, |row| {
                if row.line > 1 {
                    lines.push(says.line(&row));
                }
                Ok::<(), QuoteFault>(())
            });
            scanned.ok()?;
            add(&prints, &lines);
            Some(lines.iter().map(|line| line.group).collect())
        };
        let read = files.read(entry, |blocks| through(blocks, say, |own: Vec<u32>| groups.push(&own)))?;
        let rows = groups.groups.len() as u64;
        if read.is_none() || rows == 0 || rows > rule.rows_max {
            return Ok(None);
        }
    }
    Ok(Some(Said { prints: prints.into_inner().unwrap_or_else(PoisonError::into_inner), groups }))
}

/// Rows that were put aside.
#[derive(Default)]
struct Picked {
    /// Their lines.
    text: String,
    rows: usize,
    /// The classes that they name.
    classes: Vec<ClassHash>,
}

impl Picked {
    /// `None` if the block has not as many rows as there are groups of them.
    fn of(block: &Block, is_first: bool, (groups, changed): (&[u32], &[bool]), class: Option<usize>) -> Option<Self> {
        let (mut picked, mut groups, mut start) = (Self::default(), groups.iter(), 0);
        let bytes = block.text.as_bytes();
        for end in memchr_iter(b'\n', bytes) {
            let line = start..end + 1;
            start = end + 1;
            let is_none = is_first && line.start == 0 || matches!(&bytes[line.clone()], b"\n" | b"\r\n");
            if !is_none && changed.get(*groups.next()? as usize) == Some(&true) {
                picked.text.push_str(block.text.get(line)?);
                picked.rows += 1;
            }
        }
        if let Some(class) = class {
            let scanned = Scan::behind(1).rows(&picked.text, |row| {
                picked.classes.push(ClassHash::of(row.get(class)));
                Ok::<(), QuoteFault>(())
            });
            scanned.ok()?;
        }
        groups.next().is_none().then_some(picked)
    }
}

fn drain(blocks: &mut dyn Blocks) {
    let mut block = Block::default();
    // What cannot be read is another ground.
    while let Ok(Some(next)) = blocks.next(block) {
        block = next;
    }
}

/// Rows that were put aside, as a file whose header is empty. Each text is gone once its rows are handed on.
struct PutAside {
    texts: IntoIter<String>,
    begun: bool,
}

impl Blocks for PutAside {
    fn next(&mut self, _used: Block) -> Result<Option<Block>, ReadFault> {
        let header = (!replace(&mut self.begun, true)).then(|| "\n".to_owned());
        Ok(header.or_else(|| self.texts.next()).map(|text| Block { text, is_cut: false }))
    }
}

/// Works on all blocks, which have numbers from 0 on, in as many threads as there are cores; `keep` is handed what came of
/// each, in order. `None` if one comes to nothing, or cannot be read.
fn through<T: Send>(
    blocks: &mut dyn Blocks,
    work: impl Fn(&Block, usize) -> Option<T> + Sync,
    mut keep: impl FnMut(T),
) -> Option<()> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let lane: Lane<T, ()> = Lane::new(threads * BLOCKS_EACH);
    let mut input = Input::new(blocks);
    let at = |Job { number, block, spare: _ }: Job<()>| {
        let done = work(&block, number);
        lane.done(number, block, done);
    };
    thread::scope(|scope| {
        let _others_end = Ending(&lane);
        lane.begin(threads - 1);
        for _ in 1..threads {
            scope.spawn(|| {
                let _this_leaves = Leaving(&lane);
                while let Some(job) = lane.wait_for_job() {
                    at(job);
                }
            });
        }
        loop {
            match lane.next_step(input.end.is_some()) {
                Step::HandOn(block, Some(done)) => {
                    keep(done);
                    input.used.push(block);
                }
                Step::Read => input.read_on(&lane),
                Step::Work(job) => at(*job),
                Step::HandOn(_, None) => return None,
                Step::End => return matches!(input.end, Some(Ok(()))).then_some(()),
            }
        }
    })
}
