//! Who is signed in: kept in this process alone, so that a restart signs everybody out. A session is a random secret of
//! 256 bits that the browser keeps as a cookie; here only its digest is known. It stands for a token of the door by that
//! token's number, and is worth nothing as soon as the token is.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::{Digest, Instant};

/// A session that nobody used for so long is over, in milliseconds.
const IDLE_MILLIS: i64 = 60 * 60_000;

/// However it is used, after so long it is over, in milliseconds.
const AGE_MILLIS: i64 = 12 * 60 * 60_000;

/// So many at once; whoever signs in as one more signs out whoever was idle the longest.
const SESSIONS_MAX: usize = 10_000;

/// So many at once of one token; one more ends its own oldest.
const SESSIONS_EACH_MAX: usize = 20;

/// What is said on the next page, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Whether what was asked for was done.
    pub good: bool,
    /// A sentence.
    pub text: String,
}

#[derive(Debug)]
struct Session {
    token: u64,
    csrf: String,
    began: Instant,
    used: Instant,
    flash: Option<Flash>,
}

/// A session as a page sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name in the table.
    pub id: Digest,
    /// The token it stands for.
    pub token: u64,
    /// What forms must bring along.
    pub csrf: String,
}

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<BTreeMap<Digest, Session>>);

/// A secret of 256 random bits as 64 hex digits.
///
/// # Errors
/// When the machine gives no random bytes.
pub fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Digest(bytes).to_string())
}

impl Sessions {
    fn table(&self) -> MutexGuard<'_, BTreeMap<Digest, Session>> {
        // Nobody leaves the table half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session of a token; returns the secret that the browser keeps.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn begin(&self, token: u64, now: Instant) -> Result<String, getrandom::Error> {
        let (text, csrf) = (secret()?, secret()?);
        let mut table = self.table();
        let own = table.iter().filter(|(_, session)| session.token == token);
        let own: Vec<(Instant, Digest)> = own.map(|(id, session)| (session.began, *id)).collect();
        if own.len() >= SESSIONS_EACH_MAX
            && let Some((_, oldest)) = own.iter().min()
        {
            table.remove(oldest);
        }
        if table.len() >= SESSIONS_MAX {
            table.retain(|_, session| is_on(session, now));
        }
        if table.len() >= SESSIONS_MAX
            && let Some(idlest) = table.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| *id)
        {
            table.remove(&idlest);
        }
        table.insert(Digest::of(text.as_bytes()), Session { token, csrf, began: now, used: now, flash: None });
        Ok(text)
    }

    /// The session of a secret, if it is on. `used`: it stays on for that.
    pub fn find(&self, text: &str, now: Instant, used: bool) -> Option<Seen> {
        let id = Digest::of(text.as_bytes());
        let mut table = self.table();
        let session = table.get_mut(&id)?;
        if !is_on(session, now) {
            table.remove(&id);
            return None;
        }
        if used {
            session.used = now;
        }
        Some(Seen { id, token: session.token, csrf: session.csrf.clone() })
    }

    /// Ends a session.
    pub fn end(&self, id: &Digest) {
        self.table().remove(id);
    }

    /// Leaves something to be said on the session's next page.
    pub fn say(&self, id: &Digest, flash: Flash) {
        if let Some(session) = self.table().get_mut(id) {
            session.flash = Some(flash);
        }
    }

    /// What is to be said; it is said once.
    pub fn said(&self, id: &Digest) -> Option<Flash> {
        self.table().get_mut(id)?.flash.take()
    }
}

fn is_on(session: &Session, now: Instant) -> bool {
    now.0 - session.used.0 < IDLE_MILLIS && now.0 - session.began.0 < AGE_MILLIS
}

#[cfg(test)]
mod tests {
    use crate::base::Instant;
    use crate::http::pages::sessions::{AGE_MILLIS, Flash, IDLE_MILLIS, SESSIONS_MAX, Sessions};

    #[test]
    fn a_session_ends_when_it_is_idle_or_old() {
        let sessions = Sessions::default();
        let text = sessions.begin(7, Instant(0)).expect("random bytes");
        assert_eq!(text.len(), 64);
        let seen = sessions.find(&text, Instant(0), true).expect("it is on");
        assert_eq!((seen.token, seen.csrf.len()), (7, 64));
        assert_ne!(seen.csrf, text);
        assert!(sessions.find(&seen.id.to_string(), Instant(0), true).is_none(), "what is kept opens nothing");
        assert!(sessions.find(&text, Instant(IDLE_MILLIS - 1), false).is_some());
        assert!(sessions.find(&text, Instant(IDLE_MILLIS), false).is_none(), "a look that does not count keeps nothing on");
        let text = sessions.begin(7, Instant(0)).expect("random bytes");
        let mut at = 0;
        while at < AGE_MILLIS {
            assert!(sessions.find(&text, Instant(at), true).is_some(), "{at}");
            at += IDLE_MILLIS / 2;
        }
        assert!(sessions.find(&text, Instant(AGE_MILLIS), true).is_none());
    }

    #[test]
    fn something_is_said_once_and_an_end_is_an_end() {
        let sessions = Sessions::default();
        let text = sessions.begin(7, Instant(0)).expect("random bytes");
        let id = sessions.find(&text, Instant(0), true).expect("it is on").id;
        let flash = Flash { good: true, text: "Done.".to_owned() };
        sessions.say(&id, flash.clone());
        assert_eq!((sessions.said(&id), sessions.said(&id)), (Some(flash), None));
        sessions.end(&id);
        assert!(sessions.find(&text, Instant(1), true).is_none());
    }

    #[test]
    fn a_token_that_signs_in_too_often_signs_itself_out() {
        let sessions = Sessions::default();
        let other = sessions.begin(8, Instant(0)).expect("random bytes");
        let own: Vec<String> = (1..=25).map(|at| sessions.begin(7, Instant(at)).expect("random bytes")).collect();
        let on = own.iter().map(|text| sessions.find(text, Instant(26), false).is_some());
        assert_eq!(on.collect::<Vec<_>>(), (1..=25).map(|at| at > 5).collect::<Vec<_>>(), "the oldest went, one by one");
        assert!(sessions.find(&other, Instant(26), false).is_some(), "nobody else");
    }

    #[test]
    fn the_table_is_bounded() {
        let sessions = Sessions::default();
        let first = sessions.begin(0, Instant(0)).expect("random bytes");
        for at in 1..=SESSIONS_MAX as u64 {
            sessions.begin(at, Instant(1)).expect("random bytes");
        }
        assert_eq!(sessions.table().len(), SESSIONS_MAX);
        assert!(sessions.find(&first, Instant(1), true).is_none(), "the idlest went");
        sessions.begin(1, Instant(IDLE_MILLIS + 1)).expect("random bytes");
        assert_eq!(sessions.table().len(), 1, "those that are over are cleared away");
    }
}
