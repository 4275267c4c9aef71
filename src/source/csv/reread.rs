//! A package read beside what the last one left to know. Its rows are gone through once, to see what they say of which group of
//! people; those that tell of people of whom they do not say what they said are read once more, and told as any rows are.
//! Whatever is out of the ordinary is left to a read of the whole package, which judges and tells; so nothing is found
//! out here that would not come out there, and nothing else.

use std::mem::replace;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::{thread, vec};

use crate::roster::{Collection, Mode, News, Prints, RosterIntake, TRACED, Trace};
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
use crate::source::csv::places::{BlockPlaces, Places};
use crate::source::csv::pull::Survey;
use crate::source::csv::says::Says;
use crate::source::csv::scan::{QuoteFault, Scan};
use crate::source::csv::settings::CsvSourceSettings;

/// Of more than one row in so many that tells of people whose group changed, or one byte, a read of the whole package costs no
/// more.
const CHANGED_SHARE: usize = 8;

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
        let Some(Said { prints, places }) = said(files, (survey, settings), known)? else { return Ok(None) };
        news.changed = known.prints.changed(&prints);
        news.prints = prints;
        let all: (usize, u64) = places.iter().fold((0, 0), |(rows, bytes), own| (rows + own.len(), bytes + own.bytes()));
        let changed = places.iter().map(|own| own.changed(&news.changed));
        let (rows, bytes) = changed.fold((0, 0), |all: (usize, u64), own| (all.0 + own.0, all.1 + own.1));
        if rows * CHANGED_SHARE > all.0 || bytes * CHANGED_SHARE as u64 > all.1 {
            return Ok(None);
        }
        let News { changed, rows, classes, .. } = news;
        for (((collection, places), texts), rows) in TRACED.into_iter().zip(places).zip(texts).zip(rows) {
            let Some((entry, rule)) = survey.file(collection, settings) else { continue };
            let class = (collection == Collection::Enrollments).then(|| rule.cells.layout.place(Enrollments::CLASS));
            let Some(file) = files.file(entry)? else { return Ok(None) };
            let Some(fetched) = places.fetch(&file, entry.length, changed, class) else { return Ok(None) };
            classes.extend(fetched.classes);
            (*texts, *rows) = (fetched.texts, fetched.rows);
        }
        Ok(Some(()))
    }

    /// The files of the package.
    pub(crate) fn files(&self) -> &PackageFiles {
        &self.files
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
    /// Those of each file.
    places: [Places; 3],
}

/// `None` if rows cannot be told apart.
fn said(
    files: &mut PackageFiles,
    (survey, settings): (&Survey, &CsvSourceSettings),
    known: &Trace,
) -> Result<Option<Said>, Stop> {
    let grouping = known.prints.grouping();
    let prints = Mutex::new(known.prints.like());
    let mut places = <[Places; 3]>::default();
    for (collection, places) in TRACED.into_iter().zip(&mut places) {
        let Some((entry, rule)) = survey.file(collection, settings) else { continue };
        let (layout, cell_bytes_max) = (rule.cells.layout, rule.cell_bytes_max);
        let say = |block: &Block, number: usize| {
            let mut says = Says::new(collection, grouping, layout, cell_bytes_max)?;
            let (mut lines, mut starts) = (Vec::with_capacity(block.text.len() / 128), Vec::new());
            // Line 1 of a file is its header; a block further down has none.
            let scanned = Scan::behind(u64::from(number > 0)).rows(&block.text, |row| {
                if row.line > 1 {
                    lines.push(says.line(&row));
                    starts.push(block.text.len() - row.left());
                }
                Ok::<(), QuoteFault>(())
            });
            scanned.ok()?;
            add(&prints, &lines);
            BlockPlaces::of(block, &lines, &starts)
        };
        let is_bounded = |rows: usize| rows as u64 <= rule.rows_max;
        let keep = |block| {
            if is_bounded(places.len()) {
                places.push(block)
            }
        };
        if files.read(entry, |blocks| through(blocks, say, keep))?.is_none() || places.len() == 0 || !is_bounded(places.len()) {
            return Ok(None);
        }
    }
    Ok(Some(Said { prints: prints.into_inner().unwrap_or_else(PoisonError::into_inner), places }))
}

fn drain(blocks: &mut dyn Blocks) {
    let mut block = Block::default();
    // What cannot be read is another ground.
    while let Ok(Some(next)) = blocks.next(block) {
        block = next;
    }
}

/// Rows that were put aside, as a file whose header is empty.
struct PutAside {
    texts: vec::IntoIter<String>,
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
