//! Types that are made of others: texts with fixed parts, what a constant holds, mapped types, and what becomes of
//! types that hold themselves where no more is made.

use tree_sitter::Node;

use super::expressions::is_literal;
use super::kinds::{Generics, TypeKind, Types};
use super::tree::{nodes, parts, text};

type Field = (String, TypeKind, bool);

impl Types<'_> {
    /// `` `#${string}` ``.
    pub(super) fn template(&self, node: Node<'_>, source: &str, generics: &Generics, depth: usize) -> TypeKind {
        let mut pieces: Vec<(String, Option<TypeKind>)> = Vec::new();
        let mut said = String::new();
        for part in parts(node) {
            if part.kind() != "template_type" {
                said += text(part, source);
                continue;
            }
            let kind = parts(part).first().map_or(TypeKind::Shown, |n| self.read(*n, source, generics, depth + 1));
            if !can_be_written(&kind) {
                return TypeKind::Shown;
            }
            pieces.push((std::mem::take(&mut said), Some(kind)));
        }
        pieces.push((said, None));
        if pieces.iter().any(|(said, _)| said.contains('\\')) { TypeKind::Shown } else { TypeKind::Template(pieces) }
    }

    /// `T["field"]`, `(typeof LIST)[number]`, `(typeof TABLE)[keyof typeof TABLE]`.
    pub(super) fn looked_up(&self, node: Node<'_>, source: &str, generics: &Generics, depth: usize) -> TypeKind {
        let inner = parts(node);
        let [holder, place] = inner.as_slice() else { return TypeKind::Shown };
        let read = |n: &Node<'_>| self.read(*n, source, generics, depth + 1);
        match (read(holder), read(place)) {
            (TypeKind::Array(item), TypeKind::Number) => *item,
            (TypeKind::Tuple(items), TypeKind::Number) => union(items),
            (TypeKind::Tuple(items), TypeKind::Literal(at)) => {
                at.parse().ok().and_then(|at: usize| items.get(at).cloned()).unwrap_or(TypeKind::Shown)
            }
            (TypeKind::Record(_, item), _) => *item,
            (TypeKind::Object(fields), TypeKind::Literal(name)) => field(&fields, &name),
            (TypeKind::Object(fields), TypeKind::Union(names)) => {
                let one =
                    |kind: &TypeKind| if let TypeKind::Literal(n) = kind { field(&fields, n) } else { TypeKind::Shown };
                let all: Vec<TypeKind> = names.iter().map(one).collect();
                if all.contains(&TypeKind::Shown) { TypeKind::Shown } else { union(all) }
            }
            _ => TypeKind::Shown,
        }
    }

    /// The type of a constant whose value is written down: what it is, or, where it may change, what it is like.
    pub(super) fn value_of(&self, node: Node<'_>, source: &str) -> Option<TypeKind> {
        let asked = *parts(node).first()?;
        // `typeof LIST[number]` reads like an item of the value.
        if asked.kind() == "subscript_expression" {
            let holder = self.constant(text(asked.child_by_field_name("object")?, source))?;
            let is_any = text(asked.child_by_field_name("index")?, source) == "number";
            return match holder {
                TypeKind::Tuple(items) if is_any => Some(union(items)),
                TypeKind::Array(item) if is_any => Some(*item),
                _ => None,
            };
        }
        self.constant(text(asked, source))
    }

    fn constant(&self, name: &str) -> Option<TypeKind> {
        let declared = self.trees.iter().flat_map(|(tree, source)| {
            nodes(tree.root_node()).into_iter().filter(|n| n.kind() == "variable_declarator").map(move |n| (n, *source))
        });
        let is_it = |n: &Node<'_>, source: &str| n.child_by_field_name("name").is_some_and(|n| text(n, source) == name);
        let (found, source) = declared.into_iter().find(|(n, source)| is_it(n, source))?;
        if found.child_by_field_name("type").is_some() {
            return None;
        }
        let value = found.child_by_field_name("value")?;
        let value = if value.kind() == "satisfies_expression" { *parts(value).first()? } else { value };
        if value.kind() != "as_expression" {
            return fixed(value, source).map(alike);
        }
        let is_fixed = text(value, source).trim_end().ends_with("const");
        if is_fixed { fixed(*parts(value).first()?, source) } else { None }
    }

    /// `{ [K in Keys]: V }`.
    pub(super) fn mapped(&self, member: Node<'_>, source: &str, generics: &Generics, depth: usize) -> TypeKind {
        let Some(clause) = parts(member).into_iter().find(|n| n.kind() == "mapped_type_clause") else {
            return TypeKind::Shown;
        };
        let part = |name| clause.child_by_field_name(name);
        let (Some(name), Some(keys), None) = (part("name"), part("type"), part("alias")) else {
            return TypeKind::Shown;
        };
        let Some(item) = member.child_by_field_name("type") else { return TypeKind::Shown };
        let is_optional = item.kind() == "opting_type_annotation";
        let item = parts(item).first().copied();
        let of_key = |key: &TypeKind| {
            let mut known = vec![(text(name, source).to_owned(), key.clone())];
            known.extend(generics.iter().cloned());
            item.map_or(TypeKind::Any, |n| self.read(n, source, &known, depth + 1))
        };
        let all = match self.read(keys, source, generics, depth + 1) {
            TypeKind::Union(keys) => keys,
            key => vec![key],
        };
        let named = |key: &TypeKind| if let TypeKind::Literal(k) = key { Some(unquoted(k).to_owned()) } else { None };
        match all.as_slice() {
            [key @ (TypeKind::String | TypeKind::Number)] => {
                TypeKind::Record(Box::new(key.clone()), Box::new(of_key(key)))
            }
            keys => {
                let fields = keys.iter().map(|key| Some((named(key)?, of_key(key), is_optional)));
                fields.collect::<Option<Vec<Field>>>().map_or(TypeKind::Shown, object)
            }
        }
    }
}

/// Whether a template can hold it.
fn can_be_written(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::String | TypeKind::Number | TypeKind::BigInt | TypeKind::Boolean | TypeKind::Template(_) => true,
        TypeKind::Literal(written) => is_literal(written),
        TypeKind::Union(members) => members.iter().all(can_be_written),
        _ => false,
    }
}

/// The type of a value that is written down.
fn fixed(node: Node<'_>, source: &str) -> Option<TypeKind> {
    let inner = parts(node);
    match node.kind() {
        "array" => inner.into_iter().map(|n| fixed(n, source)).collect::<Option<Vec<_>>>().map(TypeKind::Tuple),
        "object" => {
            let one = |pair: Node<'_>| {
                let name = pair.child_by_field_name("key").filter(|_| pair.kind() == "pair")?;
                Some((
                    unquoted(text(name, source)).to_owned(),
                    fixed(pair.child_by_field_name("value")?, source)?,
                    false,
                ))
            };
            inner.into_iter().map(one).collect::<Option<Vec<_>>>().map(TypeKind::Object)
        }
        "parenthesized_expression" => fixed(*inner.first()?, source),
        _ if is_literal(text(node, source)) => Some(TypeKind::Literal(text(node, source).to_owned())),
        _ => None,
    }
}

/// What a value is like that may become another.
fn alike(kind: TypeKind) -> TypeKind {
    match kind {
        TypeKind::Literal(written) if written.starts_with(['"', '\'', '`']) => TypeKind::String,
        TypeKind::Literal(written) if matches!(&*written, "true" | "false") => TypeKind::Boolean,
        TypeKind::Literal(written) if written.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) => {
            if written.ends_with('n') {
                TypeKind::BigInt
            } else {
                TypeKind::Number
            }
        }
        TypeKind::Tuple(items) => TypeKind::Array(Box::new(union(items.into_iter().map(alike).collect()))),
        TypeKind::Object(fields) => {
            TypeKind::Object(fields.into_iter().map(|(name, kind, may_miss)| (name, alike(kind), may_miss)).collect())
        }
        other => other,
    }
}

fn unquoted(name: &str) -> &str {
    name.trim_matches(['"', '\''])
}

fn field(fields: &[Field], name: &str) -> TypeKind {
    let found = fields.iter().find(|(known, ..)| known == unquoted(name));
    let kind = found.map(|(_, kind, may_miss)| match may_miss {
        true => union(vec![kind.clone(), TypeKind::Undefined]),
        false => kind.clone(),
    });
    kind.unwrap_or(TypeKind::Shown)
}

/// A parameter's own type: what is not made any more right at its top is only shown.
pub(super) fn whole(kind: TypeKind) -> TypeKind {
    if kind == TypeKind::Deeper { TypeKind::Shown } else { kind }
}

/// An object; without those fields that need not be there and are not made any more.
pub(super) fn object(mut fields: Vec<Field>) -> TypeKind {
    fields.retain(|(_, kind, may_miss)| !(*may_miss && *kind == TypeKind::Deeper));
    if fields.iter().any(|(_, kind, _)| *kind == TypeKind::Deeper) {
        TypeKind::Deeper
    } else {
        TypeKind::Object(fields)
    }
}

pub(super) fn tuple(items: Vec<TypeKind>) -> TypeKind {
    if items.contains(&TypeKind::Deeper) { TypeKind::Deeper } else { TypeKind::Tuple(items) }
}

pub(super) fn class(name: &str, takes: Vec<TypeKind>) -> TypeKind {
    if takes.contains(&TypeKind::Deeper) { TypeKind::Deeper } else { TypeKind::Class(name.to_owned(), takes) }
}

/// Whether nobody but a class itself may make its objects.
pub(super) fn is_made_inside(class: Node<'_>, source: &str) -> bool {
    let members = class.child_by_field_name("body").map(parts).unwrap_or_default();
    members.into_iter().any(|n| {
        let is_constructor = n.child_by_field_name("name").is_some_and(|n| text(n, source) == "constructor");
        let is_hidden =
            |n: &Node<'_>| n.kind() == "accessibility_modifier" && matches!(text(*n, source), "private" | "protected");
        is_constructor && parts(n).iter().any(is_hidden)
    })
}

/// `Pick` and `Omit`.
pub(super) fn chosen(kind: TypeKind, names: &TypeKind, are_kept: bool) -> TypeKind {
    let names: Vec<&TypeKind> = if let TypeKind::Union(all) = names { all.iter().collect() } else { vec![names] };
    let written = names.iter().map(|k| if let TypeKind::Literal(k) = k { Some(unquoted(k)) } else { None });
    match (kind, written.collect::<Option<Vec<&str>>>()) {
        (TypeKind::Object(fields), Some(names)) => TypeKind::Object(
            fields.into_iter().filter(|(name, ..)| names.contains(&name.as_str()) == are_kept).collect(),
        ),
        _ => TypeKind::Shown,
    }
}

/// `Extract` and `Exclude`, of literals and plain kinds.
pub(super) fn kept(kind: TypeKind, others: &TypeKind, are_kept: bool) -> TypeKind {
    let others: &[TypeKind] = if let TypeKind::Union(all) = others { all } else { std::slice::from_ref(others) };
    let TypeKind::Union(members) = kind else { return TypeKind::Shown };
    let is_plain = |k: &TypeKind| {
        matches!(k, TypeKind::Literal(_) | TypeKind::Null | TypeKind::Undefined | TypeKind::Number | TypeKind::String)
    };
    if !members.iter().chain(others).all(is_plain) {
        return TypeKind::Shown;
    }
    let is_text = |k: &TypeKind| matches!(k, TypeKind::Literal(written) if written.starts_with(['"', '\'']));
    let fits = |k: &TypeKind| {
        others.contains(k)
            || (others.contains(&TypeKind::String) && is_text(k))
            || (others.contains(&TypeKind::Number) && matches!(k, TypeKind::Literal(_)) && !is_text(k))
    };
    union(members.into_iter().filter(|k| fits(k) == are_kept).collect())
}

pub(super) fn union(members: Vec<TypeKind>) -> TypeKind {
    let mut flat: Vec<TypeKind> = Vec::new();
    for member in members {
        let inner = if let TypeKind::Union(inner) = member { inner } else { vec![member] };
        for kind in inner {
            if !flat.contains(&kind) {
                flat.push(kind);
            }
        }
    }
    // What is not made any more need not be.
    if flat.len() > 1 {
        flat.retain(|kind| *kind != TypeKind::Deeper);
    }
    if flat.len() == 1 { flat.remove(0) } else { TypeKind::Union(flat) }
}

/// The fields of all; what is no object says what it says. What is both, a text with a mark that no text has, is made by those
/// who know how.
pub(super) fn intersection(members: Vec<TypeKind>) -> TypeKind {
    let mut fields: Vec<(String, TypeKind, bool)> = Vec::new();
    let is_marked = |kind: &TypeKind| matches!(kind, TypeKind::Object(fields) if !fields.is_empty());
    let is_plain = |kind: &TypeKind| {
        use TypeKind::{Array, BigInt, Boolean, Date, Literal, Number, Shown, String, Template, Union};
        matches!(
            kind,
            Array(_) | BigInt | Boolean | Date | Literal(_) | Number | Shown | String | Template(_) | Union(_)
        )
    };
    if members.iter().any(is_marked) && members.iter().any(is_plain) {
        return TypeKind::Shown;
    }
    for member in members {
        match member {
            TypeKind::Object(own) => {
                fields.retain(|(name, ..)| !own.iter().any(|(other, ..)| other == name));
                fields.extend(own);
            }
            other => return other,
        }
    }
    TypeKind::Object(fields)
}

pub(super) fn keys_of(kind: TypeKind) -> TypeKind {
    match kind {
        TypeKind::Object(fields) if !fields.is_empty() => {
            union(fields.into_iter().map(|(name, ..)| TypeKind::Literal(format!("{name:?}"))).collect())
        }
        TypeKind::Record(key, _) => *key,
        TypeKind::Object(_) | TypeKind::Any | TypeKind::Generic(_) => TypeKind::String,
        _ => TypeKind::Shown,
    }
}

pub(super) fn without_nothing(kind: TypeKind, is_required: bool) -> TypeKind {
    match kind {
        TypeKind::Union(members) => {
            union(members.into_iter().filter(|m| !matches!(m, TypeKind::Null | TypeKind::Undefined)).collect())
        }
        TypeKind::Object(fields) if is_required => {
            TypeKind::Object(fields.into_iter().map(|(name, kind, _)| (name, kind, false)).collect())
        }
        other => other,
    }
}

pub(super) fn all_optional(kind: TypeKind) -> TypeKind {
    match kind {
        TypeKind::Object(fields) => {
            TypeKind::Object(fields.into_iter().map(|(name, kind, _)| (name, kind, true)).collect())
        }
        other => other,
    }
}
