//! Which hosts are this machine.

use core::net::IpAddr;

/// Whether the host of an address is this machine: `localhost`, or an address that leads back; one of IPv6 may stand in brackets.
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use crate::base::this_machine::is_this_machine;

    #[test]
    fn this_machine_is_told_from_those_that_look_like_it() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "localhost.example", "127.0.0.1.example", "0.0.0.0", "10.0.0.1", "[::2]", "[::1", "sis.example"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
