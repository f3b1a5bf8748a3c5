//! The program as a whole, as a user runs it.

mod arms;
mod audit;
mod browser;
mod counts;
mod explain_images;
mod faults;
mod fetch;
mod figures;
mod forms;
mod hub;
mod included;
mod methods;
mod people;
mod place;
mod plan;
mod python;
mod rehearsal;
mod slurm;
mod smoke;
mod stale;
mod sweep;
mod table;
mod training;
mod unread;
mod webdriver;
mod weights;
