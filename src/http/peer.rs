//! Who is at the other end of a connection.

use std::net::IpAddr;

/// The address; every request carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);
