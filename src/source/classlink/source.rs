//! The source: one district of ClassLink.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::SourceId;
use crate::roster::{Room, RosterIntake};
use crate::source::api::{Package, Read, RosterSource, Seen, SourceError, Trouble};
use crate::source::classlink::access::Way;
use crate::source::classlink::settings::ClassLinkSettings;
use crate::source::http::Network;
use crate::source::oneroster::{Address, Rest, RestVersion, offer};
use crate::source::shelf::PageStore;

/// A ClassLink feed.
pub struct ClassLinkSource {
    id: SourceId,
    way: Way,
    rest: Rest,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Where the district is, from the look at what is pending to the pull.
    at: Option<Arc<Address>>,
    /// Why we were not let in when we last asked.
    withdrawn: Option<String>,
}

impl ClassLinkSource {
    /// A source with these settings. Nothing is reached yet.
    pub fn new(settings: ClassLinkSettings, network: &Network, pages: Arc<dyn PageStore>) -> Self {
        let (id, pull, read) = (settings.id.clone(), settings.pull.clone(), settings.read.clone());
        let rest = Rest::new(pull, RestVersion::V1_1, read, network, pages);
        Self { id, way: Way::new(settings, network), rest, state: Mutex::default() }
    }

    /// Two independent values, whole at every moment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outcome of asking, noted and told.
    fn noted<T>(&self, done: Result<T, SourceError>) -> Result<T, SourceError> {
        let done = done.map_err(|error| self.way.told(error));
        self.lock().withdrawn = match &done {
            Err(SourceError::Disconnected { why, .. }) => Some(why.clone()),
            Ok(_) | Err(_) => None,
        };
        done
    }

    fn open(&self) -> Result<Arc<Address>, SourceError> {
        Ok(Arc::new(self.way.open()?))
    }
}

impl RosterSource for ClassLinkSource {
    fn id(&self) -> &SourceId {
        &self.id
    }

    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        self.noted(self.open().and_then(|at| {
            let offered = offer(&self.rest, seen, &at.root, || Ok(self.rest.probe(&at)?.revision))?;
            self.lock().at = Some(at);
            Ok(vec![offered])
        }))
    }

    fn pull(&self, package: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        let known = self.lock().at.take();
        let at = known.map_or_else(|| self.open(), Ok);
        self.noted(at.and_then(|at| self.rest.pull(&at, package.since.as_deref(), intake)))
    }

    fn feed_again(&self, intake: &mut RosterIntake) -> Option<Result<(), SourceError>> {
        self.rest.feed_again(intake)
    }

    fn feeds_again(&self) -> bool {
        true
    }

    fn room(&self) -> Option<Arc<dyn Room>> {
        self.rest.room()
    }

    fn is_incremental(&self, package: &Package) -> Result<bool, SourceError> {
        Ok(package.since.is_some())
    }

    fn is_live(&self) -> bool {
        true
    }

    fn trouble(&self) -> Option<Trouble> {
        let withdrawn = self.lock().withdrawn.clone().map(Trouble::Disconnected);
        withdrawn.or_else(|| self.rest.network.outage(self.way.first()).map(Trouble::Down))
    }

    fn hint(&self) -> Option<&'static str> {
        Some(
            "ClassLink shares only people who are enrolled in a class unless the district switches on Unenrolled Users, and \
             a change of what the district permits adds or removes many at once",
        )
    }

    fn done(&self) {
        self.lock().at = None;
        self.rest.done();
    }

    fn check(&self) -> Result<String, SourceError> {
        let at = self.noted(self.open())?;
        let fetched = self.noted(self.rest.probe(&at))?;
        let revision = fetched.revision.map_or_else(String::new, |revision| format!(", revision {revision}"));
        Ok(format!("{}: answers{revision}", at.root))
    }
}
