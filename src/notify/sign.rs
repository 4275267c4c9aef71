//! Signatures after Standard Webhooks: HMAC-SHA256 over id, time and body, by a key that both sides know.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a key's text begins with.
const PREFIX: &str = "whsec_";

/// The key of a receiver. Shows itself to nobody.
pub struct SigningKey(Vec<u8>);

impl SigningKey {
    /// Reads a key: `whsec_` and 24 to 64 bytes in base64.
    ///
    /// # Errors
    /// What is wrong, without a word of the key.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let coded = text.strip_prefix(PREFIX).ok_or("does not begin with whsec_")?;
        let key = STANDARD.decode(coded).map_err(|_| "is not base64 after whsec_")?;
        if (24..=64).contains(&key.len()) { Ok(Self(key)) } else { Err("is not 24 to 64 bytes long") }
    }

    /// The signature of a body that is sent under this id at this time, in seconds since 1970.
    pub fn signature(&self, id: &str, secs: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{secs}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Whether a text is a key.
///
/// # Errors
/// What is wrong, without a word of the key; fits after its name.
pub fn check_key(text: &str) -> Result<(), &'static str> {
    SigningKey::parse(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use crate::notify::sign::{SigningKey, check_key};

    /// The example of the Standard Webhooks specification and its libraries.
    #[test]
    fn signatures_as_the_standard_has_them() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
        let signature = key.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_is_as_the_standard_wants_it() {
        for (bad, why) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
            ("whsec_!", "is not base64 after whsec_"),
            ("whsec_MfKQ9r8GKYqrTwjUPD8=", "is not 24 to 64 bytes long"),
        ] {
            assert_eq!(check_key(bad), Err(why));
        }
    }
}
