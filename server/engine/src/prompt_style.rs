//! The one place where the agents' styles meet the prompt templates.

use zeroerr_agents::archetypes::CoderStyle;
use zeroerr_llm::prompt_templates::Style;

/// The template of a coder's style.
pub(crate) fn of(style: CoderStyle) -> Style {
    match style {
        CoderStyle::Plain => Style::Plain,
        CoderStyle::Terse => Style::Terse,
        CoderStyle::Careful => Style::Careful,
        CoderStyle::ExamplesFirst => Style::ExamplesFirst,
    }
}
