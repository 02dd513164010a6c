//! What a type annotation means for whoever makes up values: a small tree, with the aliases,
//! interfaces, enums and classes of the file resolved. What is made of other types is in `derived.rs`.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tree_sitter::{Node, Tree};
use zeroerr_core::code::{Param, Task};

use super::derived::{self, all_optional, intersection, keys_of, union, whole, without_nothing};
use super::expressions::is_literal;
use super::functions::place_of;
use super::tree::{Dialect, has_word, nodes, parse, parse_any, parts, text};

/// Types nested deeper are not made up: recursive ones must end somewhere. Those of many parts end sooner.
const DEPTHS: [usize; 3] = [6, 4, 2];
/// Parts of a type that are many.
const MANY: usize = 4000;

/// A type as a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub(super) enum TypeKind {
    Number,
    BigInt,
    String,
    Boolean,
    Null,
    Undefined,
    Symbol,
    /// `any`, `unknown`, nothing said, or not understood.
    Any,
    /// The value itself, as an expression of the file.
    Literal(String),
    Array(Box<TypeKind>),
    Tuple(Vec<TypeKind>),
    /// Name, type, and whether it may be missing.
    Object(Vec<(String, TypeKind, bool)>),
    Record(Box<TypeKind>, Box<TypeKind>),
    Map(Box<TypeKind>, Box<TypeKind>),
    Set(Box<TypeKind>),
    Date,
    RegExp,
    TypedArray(String),
    Promise(Box<TypeKind>),
    Iterable(Box<TypeKind>),
    Function {
        params: usize,
        returns: Box<TypeKind>,
    },
    Union(Vec<TypeKind>),
    /// A class of the file, with what its constructor takes.
    Class(String, Vec<TypeKind>),
    /// A type parameter that may be anything.
    Generic(String),
    /// A name that the file does not declare.
    Named(String),
    /// A text with fixed parts: each text, and what stands behind it.
    Template(Vec<(String, Option<TypeKind>)>),
    /// Not to be made up: only examples show values.
    Shown,
    /// A type that holds itself, as far down as none is made any more.
    Deeper,
}

/// The kinds of a task's parameters, names looked up in the texts of other modules as well.
pub(super) fn kinds_of_with(task: &Task, modules: &[(PathBuf, String)]) -> Vec<TypeKind> {
    let trees = trees_of(task, modules);
    let types = Types::new(&trees);
    let generics = generics_of(task, &types);
    task.signature.params.iter().map(|param| whole(types.of_param(param, &generics))).collect()
}

/// The kind of the object that a method is called on; `None` for a function and a static method.
pub(super) fn receiver_kind(task: &Task) -> Option<TypeKind> {
    let class = task.class.as_deref().filter(|_| !place_of(task).is_some_and(|p| p.is_static))?;
    let trees = trees_of(task, &[]);
    Some(Types::new(&trees).named(class, &[], &Vec::new(), 0))
}

fn trees_of<'s>(task: &'s Task, modules: &'s [(PathBuf, String)]) -> Vec<(Tree, &'s str)> {
    let own: (&Path, &str) = (&task.file, &task.source);
    let others = modules.iter().map(|(path, text)| (path.as_path(), text.as_str()));
    std::iter::once(own)
        .chain(others)
        .filter_map(|(path, source)| Some((parse(source, Dialect::of(path))?, source)))
        .collect()
}

/// Type parameters in scope, with what stands for each.
pub(super) type Generics = Vec<(String, TypeKind)>;

/// The type parameters of the function itself: their constraint, or anything.
fn generics_of(task: &Task, types: &Types<'_>) -> Generics {
    let header = &task.signature.header;
    let member = Some(format!("class C {{ {header} {{}} }}")).filter(|_| task.class.is_some());
    let is_sound = |code: &String| parse_any(code).is_some_and(|t| !t.root_node().has_error());
    // `A.prototype.f = function <T>()` stands by itself.
    let whole = member.filter(is_sound).unwrap_or_else(|| format!("{header} {{}}"));
    let Some(tree) = parse_any(&whole) else { return Vec::new() };
    let found = nodes(tree.root_node()).into_iter().filter(|n| n.kind() == "type_parameter");
    let one = |node: Node<'_>| {
        let name = node.child_by_field_name("name").map_or("", |n| text(n, &whole)).to_owned();
        let limit = node.child_by_field_name("constraint").and_then(|n| parts(n).into_iter().next());
        let kind = limit.map_or_else(|| TypeKind::Generic(name.clone()), |n| types.read(n, &whole, &Vec::new(), 1));
        (name, kind)
    };
    found.map(one).collect()
}

/// The types that files declare.
pub(super) struct Types<'t> {
    /// The files' trees, the edited one first.
    pub(super) trees: &'t [(Tree, &'t str)],
    declared: HashMap<&'t str, (Node<'t>, &'t str)>,
    /// What the edited file calls a type that it imports under another name.
    renamed: HashMap<&'t str, &'t str>,
    /// How deep types are made up now, and how many parts of one were.
    depth: Cell<usize>,
    read: Cell<usize>,
}

impl<'t> Types<'t> {
    fn new(trees: &'t [(Tree, &'t str)]) -> Self {
        let mut declared = HashMap::new();
        for (tree, source) in trees {
            for node in nodes(tree.root_node()).into_iter().filter(|n| is_declaration(*n)) {
                let name = node.child_by_field_name("name").map_or("", |n| text(n, source));
                declared.entry(name).or_insert((node, *source));
            }
        }
        let own = trees.first().map(|(tree, source)| (nodes(tree.root_node()), *source));
        let imports = own.into_iter().flat_map(|(nodes, source)| nodes.into_iter().map(move |n| (n, source)));
        let renamed = imports.filter(|(n, _)| n.kind() == "import_specifier").filter_map(|(n, source)| {
            let field = |name| Some(text(n.child_by_field_name(name)?, source));
            Some((field("alias")?, field("name")?))
        });
        Self { trees, declared, renamed: renamed.collect(), depth: Cell::new(DEPTHS[0]), read: Cell::new(0) }
    }

    /// The declaration that a name means: `Tree`, `ns.Tree` of a namespace import, or what was imported as `Tree`.
    fn declared(&self, name: &str) -> Option<(Node<'t>, &'t str)> {
        let last = name.rsplit('.').next().unwrap_or(name);
        let known = |name: &str| self.declared.get(name).copied();
        known(name).or_else(|| known(last)).or_else(|| known(self.renamed.get(last)?))
    }

    /// The enum that `name` is a member of.
    fn is_member(&self, name: &str) -> bool {
        let holder = name.rsplit_once('.').and_then(|(holder, _)| self.declared(holder));
        holder.is_some_and(|(node, _)| node.kind() == "enum_declaration")
    }

    fn of_param(&self, param: &Param, generics: &Generics) -> TypeKind {
        let Some(written) = &param.annotation else {
            return param.default.as_deref().map_or(TypeKind::Any, of_default);
        };
        let whole = format!("type T = {written};");
        let Some(tree) = parse_any(&whole).filter(|t| !t.root_node().has_error()) else { return TypeKind::Any };
        let value = tree.root_node().child(0).and_then(|n| n.child_by_field_name("value"));
        let Some(value) = value else { return TypeKind::Any };
        let mut kind = TypeKind::Deeper;
        for depth in DEPTHS {
            self.depth.set(depth);
            self.read.set(0);
            kind = self.read(value, &whole, generics, 0);
            if self.read.get() <= MANY {
                break;
            }
        }
        self.depth.set(DEPTHS[0]);
        self.read.set(0);
        kind
    }

    /// Whether a type at a depth is not made up.
    fn ends_at(&self, depth: usize) -> bool {
        depth > self.depth.get() || self.read.get() > MANY
    }

    pub(super) fn read(&self, node: Node<'_>, source: &str, generics: &Generics, depth: usize) -> TypeKind {
        self.read.set(self.read.get() + 1);
        if self.ends_at(depth) {
            return TypeKind::Deeper;
        }
        let written = text(node, source);
        let inner = parts(node);
        let deeper = |n: Node<'_>| self.read(n, source, generics, depth + 1);
        let first = || inner.first().map_or(TypeKind::Any, |n| deeper(*n));
        match node.kind() {
            "predefined_type" | "undefined" | "null" | "void" => predefined(written),
            "literal_type" => match written {
                "null" | "undefined" => predefined(written),
                _ => TypeKind::Literal(written.to_owned()),
            },
            "template_literal_type" => self.template(node, source, generics, depth),
            "lookup_type" => self.looked_up(node, source, generics, depth),
            "type_query" => self.value_of(node, source).unwrap_or(TypeKind::Shown),
            "conditional_type" | "constructor_type" | "infer_type" => TypeKind::Shown,
            "array_type" => TypeKind::Array(Box::new(first())),
            "type_annotation" => inner.first().map_or(TypeKind::Any, |n| self.read(*n, source, generics, depth)),
            "parenthesized_type" | "readonly_type" | "optional_type" | "constraint" => first(),
            "tuple_type" => derived::tuple(
                inner
                    .iter()
                    .filter(|n| n.kind() != "rest_type")
                    .map(|n| n.child_by_field_name("type").map_or_else(|| deeper(*n), deeper))
                    .collect(),
            ),
            "union_type" => union(inner.iter().map(|n| deeper(*n)).collect()),
            "intersection_type" => intersection(inner.iter().map(|n| deeper(*n)).collect()),
            "object_type" | "interface_body" => self.object(node, source, generics, depth),
            "function_type" => TypeKind::Function {
                params: node.child_by_field_name("parameters").map_or(0, |n| parts(n).len()),
                returns: Box::new(node.child_by_field_name("return_type").map_or(TypeKind::Any, deeper)),
            },
            "index_type_query" => keys_of(first()),
            "type_identifier" | "nested_type_identifier" => self.named(written, &[], generics, depth),
            "generic_type" => {
                let name = node.child_by_field_name("name").map_or("", |n| text(n, source));
                let arguments = node.child_by_field_name("type_arguments").map(parts).unwrap_or_default();
                let arguments: Vec<TypeKind> = arguments.into_iter().map(deeper).collect();
                self.named(name, &arguments, generics, depth)
            }
            _ => TypeKind::Any,
        }
    }

    fn object(&self, node: Node<'_>, source: &str, generics: &Generics, depth: usize) -> TypeKind {
        let mut fields = Vec::new();
        for member in parts(node) {
            let kind_of = |n: Option<Node<'_>>| n.map_or(TypeKind::Any, |n| self.read(n, source, generics, depth + 1));
            let name = member.child_by_field_name("name").map_or("", |n| text(n, source));
            let name = name.trim_matches(['"', '\'']).to_owned();
            let may_be_missing = has_word(member, "?");
            match member.kind() {
                "property_signature" => {
                    fields.push((name, kind_of(member.child_by_field_name("type")), may_be_missing));
                }
                "method_signature" => {
                    let params = member.child_by_field_name("parameters").map_or(0, |n| parts(n).len());
                    let returns = member.child_by_field_name("return_type");
                    fields.push((
                        name,
                        TypeKind::Function { params, returns: Box::new(kind_of(returns)) },
                        may_be_missing,
                    ));
                }
                "index_signature" if parts(member).iter().any(|n| n.kind() == "mapped_type_clause") => {
                    return self.mapped(member, source, generics, depth);
                }
                "index_signature" => {
                    let key = kind_of(member.child_by_field_name("index_type"));
                    let value = kind_of(member.child_by_field_name("type"));
                    return TypeKind::Record(Box::new(key), Box::new(value));
                }
                "call_signature" => {
                    let params = member.child_by_field_name("parameters").map_or(0, |n| parts(n).len());
                    let returns = kind_of(member.child_by_field_name("return_type"));
                    return TypeKind::Function { params, returns: Box::new(returns) };
                }
                _ => {}
            }
        }
        derived::object(fields)
    }

    fn named(&self, name: &str, arguments: &[TypeKind], generics: &Generics, depth: usize) -> TypeKind {
        if let Some((_, kind)) = generics.iter().find(|(known, _)| known == name) {
            return kind.clone();
        }
        if self.is_member(name) {
            return TypeKind::Literal(name.to_owned());
        }
        if let Some((node, source)) = self.declared(name) {
            return self.declaration(name, (node, source), arguments, depth);
        }
        let boxed = |at: usize| Box::new(arguments.get(at).cloned().unwrap_or(TypeKind::Any));
        match name {
            "Array" | "ReadonlyArray" | "ArrayLike" => TypeKind::Array(boxed(0)),
            "Map" | "ReadonlyMap" => TypeKind::Map(boxed(0), boxed(1)),
            "Set" | "ReadonlySet" => TypeKind::Set(boxed(0)),
            "Record" => match *boxed(0) {
                TypeKind::Union(keys) if keys.iter().all(|k| matches!(k, TypeKind::Literal(_))) => {
                    let key = |k: &TypeKind| if let TypeKind::Literal(k) = k { k.clone() } else { String::new() };
                    let field = |k: &TypeKind| (key(k).trim_matches(['"', '\'']).to_owned(), *boxed(1), false);
                    TypeKind::Object(keys.iter().map(field).collect())
                }
                key => TypeKind::Record(Box::new(key), boxed(1)),
            },
            "Promise" | "PromiseLike" => TypeKind::Promise(boxed(0)),
            "Iterable" | "Iterator" | "IterableIterator" | "Generator" => TypeKind::Iterable(boxed(0)),
            "Readonly" | "NonNullable" | "Required" | "Awaited" => without_nothing(*boxed(0), name == "Required"),
            "Partial" => all_optional(*boxed(0)),
            "Pick" | "Omit" => derived::chosen(*boxed(0), &boxed(1), name == "Pick"),
            "Exclude" | "Extract" => derived::kept(*boxed(0), &boxed(1), name == "Extract"),
            "NoInfer" => *boxed(0),
            "Uppercase"
            | "Lowercase"
            | "Capitalize"
            | "Uncapitalize"
            | "Parameters"
            | "ReturnType"
            | "InstanceType"
            | "ConstructorParameters" => TypeKind::Shown,
            "Date" => TypeKind::Date,
            "RegExp" => TypeKind::RegExp,
            "Function" | "CallableFunction" => TypeKind::Function { params: 0, returns: Box::new(TypeKind::Any) },
            "Number" => TypeKind::Number,
            "String" => TypeKind::String,
            "Boolean" => TypeKind::Boolean,
            // The grammar has no word for it.
            "bigint" | "BigInt" => TypeKind::BigInt,
            "PropertyKey" => TypeKind::String,
            "Object" => TypeKind::Object(Vec::new()),
            typed if typed.ends_with("Array") && typed.starts_with(['I', 'U', 'F', 'B']) => {
                TypeKind::TypedArray(typed.to_owned())
            }
            other => TypeKind::Named(other.to_owned()),
        }
    }

    /// The type that `name` declares; enums and classes are written by that name.
    fn declaration(
        &self,
        name: &str,
        (node, source): (Node<'t>, &'t str),
        arguments: &[TypeKind],
        depth: usize,
    ) -> TypeKind {
        if self.ends_at(depth) {
            return TypeKind::Deeper;
        }
        let parameters = node.child_by_field_name("type_parameters").map(parts).unwrap_or_default();
        let own: Generics = parameters
            .iter()
            .enumerate()
            .map(|(at, p)| {
                let name = p.child_by_field_name("name").map_or("", |n| text(n, source)).to_owned();
                let default = || p.child_by_field_name("value").and_then(|n| parts(n).into_iter().next());
                let kind = arguments.get(at).cloned();
                let kind = kind.or_else(|| default().map(|n| self.read(n, source, &Vec::new(), depth + 1)));
                (name.clone(), kind.unwrap_or(TypeKind::Generic(name)))
            })
            .collect();
        match node.kind() {
            "type_alias_declaration" => {
                node.child_by_field_name("value").map_or(TypeKind::Any, |n| self.read(n, source, &own, depth + 1))
            }
            "interface_declaration" => {
                let mut all: Vec<TypeKind> = Vec::new();
                let above = parts(node).into_iter().filter(|n| n.kind() == "extends_type_clause");
                all.extend(above.flat_map(parts).map(|n| self.read(n, source, &own, depth + 1)));
                let body = node.child_by_field_name("body");
                all.extend(body.map(|n| self.object(n, source, &own, depth)));
                intersection(all)
            }
            "enum_declaration" => {
                let members = node.child_by_field_name("body").map(parts).unwrap_or_default();
                let member = |n: Node<'_>| text(n.child_by_field_name("name").unwrap_or(n), source).to_owned();
                union(members.into_iter().map(|n| TypeKind::Literal(format!("{name}.{}", member(n)))).collect())
            }
            "abstract_class_declaration" => self.concrete(name, depth),
            // Its own methods alone know how one is made.
            _ if derived::is_made_inside(node, source) => TypeKind::Shown,
            _ => derived::class(name, self.constructor(node, source, &own, depth)),
        }
    }

    /// The classes that objects of an abstract one are made of, in the order of their names.
    fn concrete(&self, name: &str, depth: usize) -> TypeKind {
        let extends = |node: Node<'_>, source: &str| {
            let heritage = parts(node).into_iter().filter(|n| n.kind() == "class_heritage").flat_map(parts);
            let above = heritage.filter(|n| n.kind() == "extends_clause").find_map(|n| n.child_by_field_name("value"));
            above.is_some_and(|n| text(n, source) == name)
        };
        let below = self.declared.iter().filter(|(_, (node, source))| extends(*node, source));
        let mut below: Vec<_> = below.map(|(name, declared)| (*name, *declared)).collect();
        below.sort_by_key(|(name, _)| *name);
        let kinds = below.into_iter().map(|(name, declared)| self.declaration(name, declared, &[], depth + 1));
        // One without any of its own here is a type like those that the file does not declare.
        match union(kinds.collect()) {
            TypeKind::Union(none) if none.is_empty() => TypeKind::Named(name.to_owned()),
            kind => kind,
        }
    }

    /// What the constructor of a class takes; without one of its own, that of the class above it.
    fn constructor(&self, class: Node<'t>, source: &'t str, generics: &Generics, depth: usize) -> Vec<TypeKind> {
        let members = class.child_by_field_name("body").map(parts).unwrap_or_default();
        let is_it = |n: &&Node<'_>| {
            n.kind() == "method_definition"
                && n.child_by_field_name("name").is_some_and(|n| text(n, source) == "constructor")
        };
        if let Some(own) = members.iter().find(is_it) {
            let params = super::signature::parameters(*own, source);
            let read = |param: &Param| {
                if self.ends_at(depth + 1) { TypeKind::Deeper } else { self.nested_param(param, generics, depth) }
            };
            return params.iter().map(read).collect();
        }
        let heritage = parts(class).into_iter().filter(|n| n.kind() == "class_heritage").flat_map(parts);
        let above = heritage.filter(|n| n.kind() == "extends_clause").find_map(|n| n.child_by_field_name("value"));
        match above.and_then(|n| self.declared(text(n, source))) {
            Some((node, source)) if !self.ends_at(depth + 1) => self.constructor(node, source, &Vec::new(), depth + 1),
            _ => Vec::new(),
        }
    }

    /// As [`of_param`](Self::of_param), further down.
    fn nested_param(&self, param: &Param, generics: &Generics, depth: usize) -> TypeKind {
        let Some(written) = &param.annotation else { return self.of_param(param, generics) };
        let whole = format!("type T = {written};");
        let Some(tree) = parse_any(&whole).filter(|t| !t.root_node().has_error()) else { return TypeKind::Any };
        let value = tree.root_node().child(0).and_then(|n| n.child_by_field_name("value"));
        value.map_or(TypeKind::Any, |n| self.read(n, &whole, generics, depth + 1))
    }
}

fn is_declaration(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "type_alias_declaration"
            | "interface_declaration"
            | "enum_declaration"
            | "class_declaration"
            | "abstract_class_declaration"
    )
}

fn predefined(written: &str) -> TypeKind {
    match written {
        "number" => TypeKind::Number,
        "string" => TypeKind::String,
        "boolean" => TypeKind::Boolean,
        "symbol" => TypeKind::Symbol,
        "null" => TypeKind::Null,
        "undefined" | "void" => TypeKind::Undefined,
        "object" => TypeKind::Object(Vec::new()),
        _ => TypeKind::Any,
    }
}

/// What a default says of its parameter's type.
fn of_default(default: &str) -> TypeKind {
    match default.trim() {
        "true" | "false" => TypeKind::Boolean,
        "undefined" => TypeKind::Any,
        written if written.starts_with(['"', '\'', '`']) => TypeKind::String,
        written if written.starts_with('[') => TypeKind::Array(Box::new(TypeKind::Any)),
        written if is_literal(written) && written.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) => {
            if written.ends_with('n') {
                TypeKind::BigInt
            } else {
                TypeKind::Number
            }
        }
        _ => TypeKind::Any,
    }
}

#[cfg(test)]
#[path = "kinds_tests.rs"]
mod tests;
