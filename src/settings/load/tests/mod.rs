//! Tests of layers, and of customers that are read apart from them.

mod alike;
mod layers;
