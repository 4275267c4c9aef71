//! What is licensed, and how a seat of it comes and goes.

use crate::base::{OrgId, ProductId};

/// What a product is for (R11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductKind {
    /// Lets a person log in.
    Access,
    /// Lets a person use content; needs access (R12).
    Content,
    /// A module such as Learn or Observe.
    Module,
}

/// How a seat follows the person (R15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatModel {
    /// The seat follows entitlement; released when it ends (R36).
    Role,
    /// The seat stays with the person until the person is deleted (R33, R34).
    Named,
    /// The seat follows live enrollments (R35).
    ActiveUser,
}

/// A product of one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// What it is for.
    pub kind: ProductKind,
    /// How its seats come and go.
    pub seat_model: SeatModel,
    /// Another product of which the person must hold a seat first (R12).
    pub requires: Option<ProductId>,
    /// Demanded for every person of the org (R30).
    pub auto_assign: bool,
    /// A seat starts as `pending` until the person accepts (R31, R32).
    pub needs_acceptance: bool,
    /// Orgs (with their subtrees) it is activated for; empty: for the whole customer (R10).
    pub activated_for: Vec<OrgId>,
    /// The products that one seat of this one satisfies together; empty: not a bundle (R14).
    pub bundle_of: Vec<ProductId>,
}
