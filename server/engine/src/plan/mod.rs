//! Plans on the machine: from `@step` lines or a planner's answer to functions that stand in a file.
//!
//! [`draft`] builds the texts in which each function is written and judged, [`settle`] makes names fit
//! the file, [`run`] lets the steps vote and puts their winners together.

mod draft;
mod edits;
mod place;
mod run;
mod settle;
mod step;
