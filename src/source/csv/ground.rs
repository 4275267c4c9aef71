//! What a read of people, roles and enrollments stands on: the settings, the manifest, the columns, and every byte of the
//! files of orgs, sessions, courses and classes. Only where all of it is as it was, people whose rows are as they were are, too.

use crate::base::{BulkDigester, Digest};
use crate::roster::{Collection, TRACED};
use crate::source::csv::block::{Block, Blocks, ReadFault};
use crate::source::csv::files::FileKind;
use crate::source::csv::header::Layout;
use crate::source::csv::manifest::Manifest;
use crate::source::csv::settings::CsvSourceSettings;

/// A digest of it, under way.
pub(crate) struct Ground(BulkDigester);

impl Ground {
    /// Begins with what is known before the first row.
    pub(crate) fn new<'l>(
        settings: &CsvSourceSettings,
        manifest: &Manifest,
        layouts: impl Iterator<Item = (FileKind, &'l Layout)>,
    ) -> Self {
        let CsvSourceSettings { versions, bulk_with_status, lenient, courses_optional, keep_metadata, bounds, .. } = settings;
        let mut digester = BulkDigester::new("ground");
        let mut say = |word: String| {
            digester.number(word.len() as u64).stream(word.as_bytes());
        };
        say(env!("CARGO_PKG_VERSION").to_owned());
        say(format!("{versions:?} {bulk_with_status:?} {lenient} {courses_optional} {keep_metadata:?} {bounds:?}"));
        say(format!("{manifest:?}"));
        layouts.for_each(|(kind, layout)| say(format!("{kind:?} {layout:?}")));
        Self(digester)
    }

    /// Begins a file of so many bytes that belongs to it as a whole.
    pub(crate) fn begin(&mut self, collection: Collection, bytes: u64) {
        self.0.number(collection as u64).number(bytes);
    }

    /// All of it.
    pub(crate) fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// Whether a collection's file belongs to the ground as a whole.
pub(crate) fn is_ground(what: Collection) -> bool {
    !TRACED.contains(&what)
}

/// Blocks of a file that belongs to the ground.
pub(crate) struct Tapped<'b> {
    pub(crate) blocks: &'b mut dyn Blocks,
    pub(crate) ground: &'b mut Ground,
}

impl Blocks for Tapped<'_> {
    fn next(&mut self, used: Block) -> Result<Option<Block>, ReadFault> {
        let block = self.blocks.next(used)?;
        if let Some(block) = &block {
            self.ground.0.stream(block.text.as_bytes());
        }
        Ok(block)
    }
}
