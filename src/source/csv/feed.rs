//! One file, row by row, into the sink: what all files have in common.

use crate::roster::Collection;
use crate::source::csv::ahead;
use crate::source::csv::block::{Block, Blocks, ReadFault};
use crate::source::csv::fault::{Stop, of_file, of_package};
use crate::source::csv::feeder::{FeedRule, Feeder, Halt};
use crate::source::csv::ground::{Ground, Tapped, is_ground};
use crate::source::csv::manifest::FileMode;
use crate::source::csv::package::{Entry, PackageFiles};
use crate::source::csv::parse::{Classes, Courses, Enrollments, Orgs, Roles, RowParser, Sessions, Users};
use crate::source::csv::says::Says;
use crate::source::csv::scan::{QuoteFault, Scan};
use crate::source::csv::sink::RowSink;

/// Reads `entry`, the file of `collection`, into `sink`, and notes it for the ground if it belongs there.
pub(crate) fn feed<S: RowSink>(
    files: &mut PackageFiles,
    (entry, collection): (&Entry, Collection),
    rule: FeedRule<'_>,
    ground: Option<&mut Ground>,
    sink: &mut S,
) -> Result<(), Stop> {
    let ground = ground.filter(|_| is_ground(collection));
    match collection {
        Collection::Orgs => read::<S, Orgs>(files, (entry, collection), rule, ground, sink),
        Collection::Sessions => read::<S, Sessions>(files, (entry, collection), rule, ground, sink),
        Collection::Courses => read::<S, Courses>(files, (entry, collection), rule, ground, sink),
        Collection::Classes => read::<S, Classes>(files, (entry, collection), rule, ground, sink),
        Collection::People => read::<S, Users>(files, (entry, collection), rule, ground, sink),
        Collection::Roles => read::<S, Roles>(files, (entry, collection), rule, ground, sink),
        Collection::Enrollments => read::<S, Enrollments>(files, (entry, collection), rule, ground, sink),
    }
}

fn read<S: RowSink, P: RowParser>(
    files: &mut PackageFiles,
    (entry, collection): (&Entry, Collection),
    rule: FeedRule<'_>,
    ground: Option<&mut Ground>,
    sink: &mut S,
) -> Result<(), Stop> {
    let rows_max = rule.rows_max;
    let mut scan = Scan::default();
    let outcome = files.read(entry, |blocks| {
        let grouping = sink.prints().filter(|prints| prints.groups() > 0).map(|prints| prints.grouping());
        let says = grouping.and_then(|by| Says::new(collection, by, rule.cells.layout, rule.cell_bytes_max));
        let mut feeder = Feeder::new(collection, rule);
        feeder.says = says;
        match ground {
            None => run::<S, P>(&mut feeder, blocks, entry.length, &mut scan, sink),
            Some(ground) => {
                ground.begin(collection, entry.length);
                run::<S, P>(&mut feeder, &mut Tapped { blocks, ground }, entry.length, &mut scan, sink)
            }
        }
    })?;
    let name = entry.name.as_str();
    Err(match outcome {
        Ok(()) => return Ok(()),
        Err(Halt::Read(fault)) => files.stop_of(entry, fault, scan.lines()),
        Err(Halt::Quote(QuoteFault { line, what })) => Stop::because(of_file("quote_error", name, line, what)),
        Err(Halt::Cut(line)) => {
            Stop::because(of_file("row_width", name, line, "the file ends inside this row: it was cut off"))
        }
        Err(Halt::LineTooLong(line)) => files.stop_of(entry, ReadFault::LineTooLong, line - 1),
        Err(Halt::TooManyRows) => Stop::because(of_package("zip_too_large", name, format!("more than {rows_max} rows"))),
        Err(Halt::NoRows) => Stop::because(of_file("no_rows", name, 0, NO_ROWS)),
    })
}

/// Reads the blocks of a file into `sink`, which is told about how many rows a file of `length` bytes has.
pub(crate) fn run<S: RowSink, P: RowParser>(
    feeder: &mut Feeder<'_>,
    blocks: &mut dyn Blocks,
    length: u64,
    scan: &mut Scan,
    sink: &mut S,
) -> Result<(), Halt> {
    let first = blocks.next(Block::default()).map_err(Halt::Read)?;
    if let Some(block) = &first {
        sink.expect(feeder.collection, block.lines_expected(length));
    }
    let apart = if feeder.rule.mode == FileMode::Bulk { sink.apart(feeder.collection) } else { None };
    if let Some(apart) = apart {
        ahead::run::<S, P>(feeder, first, blocks, scan, sink, &apart)?;
    } else {
        let mut parser = P::default();
        let mut next = first;
        while let Some(block) = next {
            feeder.block(&block, scan, &mut parser, sink)?;
            sink.prints().into_iter().for_each(|prints| prints.add(&feeder.take_lines()));
            next = blocks.next(block).map_err(Halt::Read)?;
        }
    }
    if feeder.rows == 0 { Err(Halt::NoRows) } else { Ok(()) }
}

/// What is told of a file without rows.
pub(crate) const NO_ROWS: &str = "the file has a header and no rows; a file without records is declared `absent`";
