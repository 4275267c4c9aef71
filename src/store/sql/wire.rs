//! A connection to PostgreSQL for whoever may block. Each answer is waited for so long and no longer: the bounds of a statement
//! are the server's own, and one that stands still keeps none of them.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Socket};

use crate::store::sql::fault::Fault;

/// So long it may take to say that a connection is given up.
const GOODBYE: Duration = Duration::from_secs(1);

/// What carries words to the server and back.
type Below = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// See the module.
pub struct Wire {
    /// There until it is dropped.
    client: Option<Client>,
    /// `None`: it broke, or was given up.
    below: RefCell<Option<Below>>,
    runtime: Runtime,
    patience: Cell<Duration>,
}

impl Wire {
    /// Connects within so long, and waits for so long for each answer from then on.
    pub fn connect<T>(config: &Config, tls: T, patience: Duration) -> Result<Self, Fault>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Fault::Unheard(format!("no connection can be made: {error}")))?;
        let connected = runtime.block_on(async { timeout(patience, config.connect(tls)).await });
        let Ok(connected) = connected else {
            // A name that is looked up is not waited for either.
            runtime.shutdown_background();
            return Err(silent(patience));
        };
        let (client, below) = connected?;
        let below: Below = Box::pin(below);
        Ok(Self { client: Some(client), below: RefCell::new(Some(below)), runtime, patience: Cell::new(patience) })
    }

    /// What asks the server; its answers are to be waited for.
    pub fn client(&self) -> &Client {
        self.client.as_ref().expect("it is there until it is dropped")
    }

    /// Waits for so long for each answer from now on.
    pub fn be_patient(&self, patience: Duration) {
        self.patience.set(patience);
    }

    /// Whether it is of no use any more, as far as is known.
    pub fn is_closed(&self) -> bool {
        self.below.borrow().is_none() || self.client().is_closed()
    }

    /// Waits for an answer. What did not come in time is not waited for again: the connection is given up.
    pub fn wait<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        let mut below = self.below.borrow_mut();
        if below.is_none() {
            return Err(Fault::Unheard("the connection was given up".to_owned()));
        }
        let mut answer = pin!(answer);
        let both = poll_fn(|cx| {
            let carried = below.as_mut().map(|below| below.as_mut().poll(cx));
            if let Some(Poll::Ready(over)) = carried {
                // Whoever waits for an answer hears of it, too.
                *below = None;
                over?;
            }
            answer.as_mut().poll(cx)
        });
        let patience = self.patience.get();
        let answered = self.runtime.block_on(async { timeout(patience, both).await });
        if let Ok(answered) = answered {
            return Ok(answered?);
        }
        *below = None;
        Err(silent(patience))
    }
}

fn silent(patience: Duration) -> Fault {
    Fault::Unheard(format!("it does not answer within {} s", patience.as_secs().max(1)))
}

impl Drop for Wire {
    fn drop(&mut self) {
        drop(self.client.take());
        if let Some(below) = self.below.get_mut().take() {
            // Whether that is heard does not matter.
            let _ = self.runtime.block_on(async { timeout(GOODBYE, below).await });
        }
    }
}
