//! A limit of file sizes (`ulimit -f`, `LimitFSIZE=`) ends a process by a signal, without a word. With a handler for the
//! signal the write fails instead, and the failure is told like any other.

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// SIGXFSZ, on all systems this program runs on.
const SIGXFSZ: i32 = 25;

/// Makes writes beyond the limit fail instead of ending the process. Where that is not to be had, nothing is lost: the
/// store is whole after any end.
pub fn survive() {
    // Only made to be able to name a handler, which stays when the runtime and the listener are gone.
    if let Ok(runtime) = Builder::new_current_thread().enable_io().build() {
        let _inside = runtime.enter();
        drop(signal(SignalKind::from_raw(SIGXFSZ)));
    }
}
