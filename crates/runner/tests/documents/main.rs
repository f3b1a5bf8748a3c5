//! What the documents of this repository promise: that their links lead somewhere, that what is generated is of this program, and that what
//! they tell to type runs.

mod generated;
mod hidden_cues;
mod links;
mod pages;
mod tutorial;
