//! Import statements: what they bind, which are missing in a file, and where they go.

use tree_sitter::Node;

use super::tree::{children, nodes, parse, text};

/// One name that an import statement brings in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImportItem {
    /// The module of `from MODULE import ...`; `None` for `import ...`.
    pub from: Option<String>,
    /// What is imported: a dotted module, a name, or `*`.
    pub name: String,
    /// The name after `as`.
    pub alias: Option<String>,
}

impl ImportItem {
    /// The name it binds: `a` for `import a.b`.
    pub fn binds(&self) -> &str {
        match (&self.alias, &self.from) {
            (Some(alias), _) => alias,
            (None, None) => self.name.split('.').next().unwrap_or(&self.name),
            (None, Some(_)) => &self.name,
        }
    }

    /// The module it loads.
    pub fn module(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.name)
    }

    /// Whether it binds whatever the module has.
    pub fn is_star(&self) -> bool {
        self.name == "*"
    }

    /// The statement that imports this alone.
    pub fn statement(&self) -> String {
        let alias = self.alias.as_ref().map(|a| format!(" as {a}")).unwrap_or_default();
        match &self.from {
            Some(module) => format!("from {module} import {}{alias}", self.name),
            None => format!("import {}{alias}", self.name),
        }
    }
}

/// Whether a node is an import statement of any kind.
pub(super) fn is_import(node: Node<'_>) -> bool {
    matches!(node.kind(), "import_statement" | "import_from_statement" | "future_import_statement")
}

/// The names of one import statement.
pub(super) fn parse_statement(node: Node<'_>, source: &str) -> Vec<ImportItem> {
    let squeezed = |n: Node<'_>| text(n, source).split_whitespace().collect::<String>();
    let from = match node.kind() {
        "import_from_statement" => node.child_by_field_name("module_name").map(squeezed),
        "future_import_statement" => Some("__future__".to_owned()),
        _ => None,
    };
    let mut out = Vec::new();
    for part in node.children_by_field_name("name", &mut node.walk()) {
        let (name, alias) = if part.kind() == "aliased_import" {
            let field = |name| part.child_by_field_name(name).map(squeezed);
            (field("name").unwrap_or_default(), field("alias"))
        } else {
            (squeezed(part), None)
        };
        out.push(ImportItem { from: from.clone(), name, alias });
    }
    if children(node).iter().any(|n| n.kind() == "wildcard_import") {
        out.push(ImportItem { from, name: "*".to_owned(), alias: None });
    }
    out
}

/// The names of import statements given as text; what is no import is skipped.
pub(super) fn parse_all(statements: &[String]) -> Vec<ImportItem> {
    let mut out: Vec<ImportItem> = Vec::new();
    for statement in statements {
        let Some(tree) = parse(statement) else { continue };
        for node in children(tree.root_node()).into_iter().filter(|n| is_import(*n)) {
            for item in parse_statement(node, statement) {
                if !out.contains(&item) {
                    out.push(item);
                }
            }
        }
    }
    out
}

/// Statements for these names, one per module, in the given order.
pub(super) fn render(items: &[ImportItem]) -> Vec<String> {
    let mut out: Vec<(Option<&str>, String)> = Vec::new();
    for item in items {
        let same = out.iter_mut().find(|(from, _)| from.is_some() && *from == item.from.as_deref() && !item.is_star());
        match same {
            Some((_, line)) if !line.ends_with('*') => {
                let alias = item.alias.as_ref().map(|a| format!(" as {a}")).unwrap_or_default();
                *line += &format!(", {}{alias}", item.name);
            }
            _ => out.push((item.from.as_deref(), item.statement())),
        }
    }
    out.into_iter().map(|(_, line)| line).collect()
}

/// All names that a subtree uses, attribute names excluded.
pub(super) fn used_names<'s>(root: Node<'_>, source: &'s str) -> std::collections::HashSet<&'s str> {
    let mut attributes = std::collections::HashSet::new();
    let mut out = std::collections::HashSet::new();
    for node in nodes(root) {
        match node.kind() {
            "attribute" => attributes.extend(node.child_by_field_name("attribute").map(|n| n.id())),
            "keyword_argument" => attributes.extend(node.child_by_field_name("name").map(|n| n.id())),
            "identifier" if !attributes.contains(&node.id()) => {
                out.insert(text(node, source));
            }
            _ => {}
        }
    }
    out
}
