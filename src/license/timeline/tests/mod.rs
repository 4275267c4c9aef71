mod edges;
mod laws;
mod sim;
mod upgrades;
mod windows;
