//! The report of a run as one HTML page that needs nothing else: no script, no network, no file
//! beside it. Everything that came from a file, a model or a tool is escaped by the template engine,
//! and the page's own policy forbids whatever would get past that.

mod classes;
mod graph;
mod timeline;
mod view;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::{Environment, context};
use sha2::{Digest, Sha256};

use crate::journal::RunExport;

const TEMPLATE: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");

/// The page could not be written; our fault.
#[derive(Debug, thiserror::Error)]
#[error("the report's template is at fault: {0:#}")]
pub struct PageError(#[from] minijinja::Error);

/// The page.
///
/// # Errors
/// Never, as far as the tests know; a fault of the template.
pub fn page(export: &RunExport) -> Result<String, PageError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_filter("span", view::span);
    // The name's ending switches escaping on.
    environment.add_template("report.html", TEMPLATE)?;
    let view = view::View::of(export);
    let page = environment
        .get_template("report.html")?
        .render(context! { policy => policy(), style => STYLE, run => view })?;
    Ok(page)
}

/// Nothing may be loaded or run, and no style but ours applies: it is named by its hash.
fn policy() -> String {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'")
}

#[cfg(test)]
mod tests;
