//! Plans on the machine: from `@step` lines or a planner's answer to functions that stand in a file.
//!
//! [`draft`] builds the texts in which each function is written and judged, [`settle`] makes names fit
//! the file, [`planner`] lets a model propose plans and counts votes on them, [`run`] lets the steps vote
//! and puts their winners together.

mod draft;
mod edits;
mod place;
mod planner;
mod run;
mod settle;
mod step;
mod stub;
