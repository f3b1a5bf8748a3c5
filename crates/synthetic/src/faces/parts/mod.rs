//! The parts of a face, each drawn into a [`Scene`], which keeps the sites of the attributes' cues.

pub(super) mod accessories;
pub(super) mod beard;
pub(super) mod eyes;
pub(super) mod hair;
pub(super) mod head;
pub(super) mod mouth;
pub(super) mod nose;
mod scene;
mod sites;
pub(super) mod torso;

pub(super) use scene::Scene;
