//! Tokens of the HTTP door (R157): made by the command line, shown once, kept as a digest.

use crate::base::{AccessRole, Actor, CustomerId, Digest, OrgId};
use crate::service::core::Service;
use crate::service::error::ServiceError;
use crate::store::TokenRow;

/// What every token starts with, so that a leaked one is recognized.
const PREFIX: &str = "rosterd_";

/// What a token is to be.
#[derive(Clone, Debug)]
pub struct TokenWish {
    /// Whose or what for, for people.
    pub name: String,
    /// What its holder may do.
    pub role: AccessRole,
    /// Only in this customer; `None`: in all.
    pub customer: Option<CustomerId>,
    /// Only in this org and those below it.
    pub org: Option<OrgId>,
    /// For so many days.
    pub days: u32,
}

/// Who asks: the holder of a token that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's number.
    pub token: u64,
    /// Its name.
    pub name: String,
    /// What the holder may do.
    pub role: AccessRole,
    /// Only in this customer; `None`: in all.
    pub customer: Option<CustomerId>,
    /// Only in this org and those below it.
    pub org: Option<OrgId>,
}

impl Caller {
    /// In whose name the trail writes what the caller does.
    pub fn actor(&self) -> Actor {
        Actor::operator(format!("{} (token {})", self.name, self.token))
    }
}

impl Service {
    /// Makes a token. Returns it as it is kept, and its text, which is known to nobody afterwards.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if the customer or the org is not known; [`ServiceError::Random`] if the machine gives no
    /// random bytes; when the store cannot be written.
    pub fn create_token(&self, wish: &TokenWish, actor: &Actor) -> Result<(TokenRow, String), ServiceError> {
        if let Some(customer) = &wish.customer {
            let customer = self.customer(customer.as_str())?;
            if let Some(org) = &wish.org {
                self.license_report(customer, Some(org), None)?;
            }
        }
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).map_err(|cause| ServiceError::Random { cause })?;
        let secret = Digest(bytes).to_string();
        let created = self.now();
        let mut row = TokenRow {
            id: 0,
            name: wish.name.clone(),
            role: wish.role,
            customer: wish.customer.clone(),
            org: wish.org.clone(),
            digest: Digest::of(secret.as_bytes()),
            created,
            by: actor.to_string(),
            expires: created.plus_millis(i64::from(wish.days) * 86_400_000),
            revoked: None,
        };
        row.id = self.store.add_token(&row)?;
        let text = format!("{PREFIX}{}_{secret}", row.id);
        Ok((row, text))
    }

    /// Whose token a text is; `None`: nobody's, or it is no longer good.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn caller(&self, text: &str) -> Result<Option<Caller>, ServiceError> {
        let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let Some((id, secret)) = parts.and_then(|(id, secret)| Some((id.parse().ok()?, secret))) else { return Ok(None) };
        let Some(row) = self.store.token(id)? else { return Ok(None) };
        let given = Digest::of(secret.as_bytes());
        Ok(Some(row).filter(|row| row.digest.is_same(&given)).and_then(|row| self.holder(row)))
    }

    /// The holder of the token with this number, for who showed it before; `None`: it is no longer good.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn caller_of(&self, id: u64) -> Result<Option<Caller>, ServiceError> {
        Ok(self.store.token(id)?.and_then(|row| self.holder(row)))
    }

    /// The holder of a token, if it is good now.
    fn holder(&self, row: TokenRow) -> Option<Caller> {
        let is_good = row.revoked.is_none() && self.now() < row.expires;
        let TokenRow { id, name, role, customer, org, .. } = row;
        is_good.then_some(Caller { token: id, name, role, customer, org })
    }

    /// Revokes a token at once; says whether it was good until then.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is none of this number; when the store cannot be written.
    pub fn revoke_token(&self, id: u64) -> Result<bool, ServiceError> {
        if self.store.token(id)?.is_none() {
            return Err(ServiceError::Unknown { what: "token", id: id.to_string(), hint: None });
        }
        Ok(self.store.revoke_token(id, self.now())?)
    }

    /// The tokens ever made, and whether each is good now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tokens(&self) -> Result<Vec<(TokenRow, bool)>, ServiceError> {
        let now = self.now();
        let good = |row: TokenRow| {
            let is_good = row.revoked.is_none() && now < row.expires;
            (row, is_good)
        };
        Ok(self.store.tokens()?.into_iter().map(good).collect())
    }
}
