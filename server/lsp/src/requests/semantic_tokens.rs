//! `textDocument/semanticTokens/full`, `/full/delta` and `/range`: colours for spec blocks.

use lsp_types::*;
use ropey::Rope;
use zeroerr_core::code::TextRange;

use crate::client::Tokens;
use crate::document::{LastTokens, Snapshot};
use crate::position::{Encoding, position_of, text_range_of};
use crate::spec_tokens::{Piece, pieces};
use crate::state::State;

const PIECES: [Piece; 9] = [
    Piece::Tag,
    Piece::Parameter,
    Piece::Function,
    Piece::Type,
    Piece::Module,
    Piece::Keyword,
    Piece::Variable,
    Piece::Number,
    Piece::Text,
];

/// The type that stands for a piece.
fn type_of(piece: Piece) -> SemanticTokenType {
    match piece {
        Piece::Tag | Piece::Keyword => SemanticTokenType::KEYWORD,
        Piece::Parameter => SemanticTokenType::PARAMETER,
        Piece::Function => SemanticTokenType::FUNCTION,
        Piece::Type => SemanticTokenType::TYPE,
        Piece::Module => SemanticTokenType::NAMESPACE,
        Piece::Variable => SemanticTokenType::VARIABLE,
        Piece::Number => SemanticTokenType::NUMBER,
        Piece::Text => SemanticTokenType::STRING,
    }
}

/// The types that we use and the client knows; tokens name them by their place here.
fn legend(client: &Tokens) -> SemanticTokensLegend {
    let mut token_types: Vec<SemanticTokenType> = Vec::new();
    for wanted in PIECES.map(type_of) {
        if client.types.contains(&wanted) && !token_types.contains(&wanted) {
            token_types.push(wanted);
        }
    }
    let token_modifiers = if client.documentation { vec![SemanticTokenModifier::DOCUMENTATION] } else { Vec::new() };
    SemanticTokensLegend { token_types, token_modifiers }
}

/// What is announced to this client.
pub(crate) fn capability(client: &Tokens) -> SemanticTokensServerCapabilities {
    let full = if client.delta {
        SemanticTokensFullOptions::Delta { delta: Some(true) }
    } else {
        SemanticTokensFullOptions::Bool(true)
    };
    SemanticTokensServerCapabilities::SemanticTokensOptions(SemanticTokensOptions {
        legend: legend(client),
        range: client.range.then_some(true),
        full: Some(full),
        ..SemanticTokensOptions::default()
    })
}

pub(crate) fn full(state: &mut State, params: &SemanticTokensParams) -> Option<SemanticTokensResult> {
    let last = all(state, &params.text_document.uri)?;
    Some(SemanticTokensResult::Tokens(SemanticTokens { result_id: Some(last.id), data: last.data }))
}

pub(crate) fn delta(state: &mut State, params: &SemanticTokensDeltaParams) -> Option<SemanticTokensFullDeltaResult> {
    let uri = &params.text_document.uri;
    let before = state.documents.get(uri).and_then(|d| d.tokens.clone());
    let now = all(state, uri)?;
    let Some(before) = before.filter(|b| b.id == params.previous_result_id) else {
        return Some(SemanticTokensFullDeltaResult::Tokens(SemanticTokens { result_id: Some(now.id), data: now.data }));
    };
    let edits = difference(&before.data, &now.data).into_iter().collect();
    Some(SemanticTokensFullDeltaResult::TokensDelta(SemanticTokensDelta { result_id: Some(now.id), edits }))
}

pub(crate) fn range(state: &State, params: &SemanticTokensRangeParams) -> Option<SemanticTokensRangeResult> {
    let snapshot = state.snapshot(&params.text_document.uri)?;
    let shown = text_range_of(&snapshot.rope, params.range, state.profile.encoding);
    let data = tokens(state.profile.tokens.as_ref()?, &snapshot, state.profile.encoding, Some(shown));
    Some(SemanticTokensRangeResult::Tokens(SemanticTokens { result_id: None, data }))
}

/// The tokens of a document, kept for the next difference.
fn all(state: &mut State, uri: &Uri) -> Option<LastTokens> {
    let snapshot = state.snapshot(uri)?;
    let data = tokens(state.profile.tokens.as_ref()?, &snapshot, state.profile.encoding, None);
    let doc = state.documents.get_mut(uri)?;
    let last = LastTokens { id: format!("{}.{}", doc.opening, snapshot.version), data };
    doc.tokens = Some(last.clone());
    Some(last)
}

fn tokens(client: &Tokens, snapshot: &Snapshot, encoding: Encoding, shown: Option<TextRange>) -> Vec<SemanticToken> {
    let legend = legend(client);
    let mut found: Vec<_> = snapshot
        .analysis
        .tasks
        .iter()
        .filter(|t| shown.is_none_or(|s| s.overlaps(t.spec_range)))
        .flat_map(pieces)
        .collect();
    found.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = Vec::with_capacity(found.len());
    let mut last = Place { end: 0, position: Position::default() };
    for (range, piece) in found {
        let wanted = type_of(piece);
        let Some(kind) = legend.token_types.iter().position(|t| *t == wanted) else { continue };
        // Two functions may share a block; its tokens are told once.
        if range.start >= last.end && !range.is_empty() {
            out.push(token(&snapshot.rope, range, kind, client.documentation, encoding, &mut last));
        }
    }
    out
}

/// The token before.
struct Place {
    end: usize,
    position: Position,
}

fn token(
    rope: &Rope,
    range: TextRange,
    kind: usize,
    documentation: bool,
    encoding: Encoding,
    last: &mut Place,
) -> SemanticToken {
    let (start, end) = (position_of(rope, range.start, encoding), position_of(rope, range.end, encoding));
    let delta_line = start.line - last.position.line;
    let delta_start = if delta_line == 0 { start.character - last.position.character } else { start.character };
    *last = Place { end: range.end, position: start };
    SemanticToken {
        delta_line,
        delta_start,
        length: end.character.saturating_sub(start.character),
        token_type: u32::try_from(kind).unwrap_or_default(),
        token_modifiers_bitset: u32::from(documentation),
    }
}

/// What is different between two lists of tokens, as one edit; five numbers are one token.
fn difference(before: &[SemanticToken], now: &[SemanticToken]) -> Option<SemanticTokensEdit> {
    let same = |(a, b): &(&SemanticToken, &SemanticToken)| a == b;
    let head = before.iter().zip(now).take_while(same).count();
    let (before, now) = (before.get(head..)?, now.get(head..)?);
    let tail = before.iter().rev().zip(now.iter().rev()).take_while(same).count();
    let (gone, new) = (before.len() - tail, now.get(..now.len() - tail)?);
    if gone == 0 && new.is_empty() {
        return None;
    }
    let numbers = |tokens: usize| u32::try_from(tokens * 5).unwrap_or(u32::MAX);
    Some(SemanticTokensEdit { start: numbers(head), delete_count: numbers(gone), data: Some(new.to_vec()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens() -> impl Strategy<Value = Vec<SemanticToken>> {
        let token = (0u32..2, 0u32..2).prop_map(|(delta_line, delta_start)| SemanticToken {
            delta_line,
            delta_start,
            length: 1,
            token_type: 0,
            token_modifiers_bitset: 0,
        });
        prop::collection::vec(token, 0..12)
    }

    proptest! {
        #[test]
        fn the_difference_applied_to_the_old_list_is_the_new_list(before in tokens(), now in tokens()) {
            let mut list = before.clone();
            if let Some(edit) = difference(&before, &now) {
                let start = edit.start as usize / 5;
                list.splice(start..start + edit.delete_count as usize / 5, edit.data.unwrap());
            } else {
                prop_assert_eq!(&before, &now);
            }
            prop_assert_eq!(list, now);
        }
    }
}
