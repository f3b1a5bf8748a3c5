//! The program as a whole, as a user runs it.

mod faults;
mod place;
mod smoke;
