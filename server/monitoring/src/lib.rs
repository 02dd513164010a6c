//! What zeroerr tells about itself. Logs go to standard error or to files, never to standard
//! output: that belongs to the protocol and to results.

pub mod logging;
pub mod redact;
