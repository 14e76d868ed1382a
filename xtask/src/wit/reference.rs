//! `docs/wit.md`: the contract for people, with everything that its comments say.

#![allow(
    clippy::indexing_slicing,
    reason = "whatever has an id stands in the arena that gave it"
)]

use std::fmt::Write as _;

use anyhow::{Context, Result};
use wit_bindgen_core::wit_parser::{
    Docs, Function, FunctionKind, Handle, Interface, InterfaceId, Resolve, Type, TypeDef,
    TypeDefKind, TypeId, TypeOwner,
};

use super::{Made, contract};
use crate::workspace::Workspace;

/// In the order in which somebody reads them who writes a plugin.
const INTERFACES: [&str; 8] = [
    "metadata",
    "chat",
    "http",
    "types",
    "models",
    "embeddings",
    "tokens",
    "relay",
];

const HEAD: &str = "\
# The contract

Everything of `multillm:provider@VERSION`, made of [`wit/`](../wit) by `cargo xtask wit`. A plugin exports `metadata` and `chat`, and
may export `models`, `embeddings`, `tokens` and `relay`; `http` and `types` are what they share. [plugins.md](plugins.md) tells what to do
with it, [tutorial.md](tutorial.md) does it step by step.

";

pub(super) fn page(workspace: &Workspace) -> Result<Made> {
    let (resolve, package) = contract(workspace)?;
    let package = &resolve.packages[package];
    let version = package.name.version.as_ref();
    let version = version.context("the contract has a version")?.to_string();
    let mut page = HEAD.replace("VERSION", &version);
    for name in INTERFACES {
        let id = package.interfaces.get(name);
        let id = *id.with_context(|| format!("the contract has no interface {name}"))?;
        interface(&resolve, id, name, &mut page)?;
    }
    Ok(Made {
        place: "docs/wit.md".to_owned(),
        content: page.trim_end().to_owned() + "\n",
    })
}

fn interface(resolve: &Resolve, id: InterfaceId, name: &str, page: &mut String) -> Result<()> {
    let interface: &Interface = &resolve.interfaces[id];
    writeln!(page, "## {name}\n\n{}\n", paragraphs(&interface.docs))?;
    let own = |id: &&TypeId| {
        let type_ = &resolve.types[**id];
        !is_borrowed(resolve, type_)
    };
    for id in interface.types.values().filter(own) {
        describe(resolve, name, interface, *id, page)?;
    }
    let free = |function: &&Function| matches!(function.kind, FunctionKind::Freestanding);
    for function in interface.functions.values().filter(free) {
        writeln!(page, "### {name}/{}\n", function.name)?;
        writeln!(page, "{}\n", signature(resolve, function))?;
        writeln!(page, "{}\n", paragraphs(&function.docs))?;
    }
    Ok(())
}

/// Whether a type is only another interface's, by the same name.
fn is_borrowed(resolve: &Resolve, type_: &TypeDef) -> bool {
    match type_.kind {
        TypeDefKind::Type(Type::Id(other)) => resolve.types[other].owner != type_.owner,
        _ => false,
    }
}

fn describe(
    resolve: &Resolve,
    home: &str,
    interface: &Interface,
    id: TypeId,
    page: &mut String,
) -> Result<()> {
    let type_ = &resolve.types[id];
    let name = type_.name.as_deref().unwrap_or_default();
    let kind = type_.kind.as_str();
    writeln!(page, "### {home}/{name}\n")?;
    let article = if kind == "enum" { "An" } else { "A" };
    writeln!(page, "{article} {kind}. {}\n", paragraphs(&type_.docs))?;
    match &type_.kind {
        TypeDefKind::Record(record) => {
            writeln!(page, "| field | type | |\n|---|---|---|")?;
            for field in &record.fields {
                let text = line(&field.docs);
                let of = named(resolve, &field.ty);
                writeln!(page, "| `{}` | {of} | {text} |", field.name)?;
            }
            writeln!(page)?;
        }
        TypeDefKind::Variant(variant) => {
            writeln!(page, "| case | holds | |\n|---|---|---|")?;
            for case in &variant.cases {
                let of = case.ty.as_ref().map(|of| named(resolve, of));
                let (of, text) = (of.unwrap_or_default(), line(&case.docs));
                writeln!(page, "| `{}` | {of} | {text} |", case.name)?;
            }
            writeln!(page)?;
        }
        TypeDefKind::Enum(choice) => {
            writeln!(page, "| case | |\n|---|---|")?;
            for case in &choice.cases {
                writeln!(page, "| `{}` | {} |", case.name, line(&case.docs))?;
            }
            writeln!(page)?;
        }
        TypeDefKind::Resource => {
            writeln!(page, "| function | |\n|---|---|")?;
            let of_it = |function: &&Function| function.kind.resource() == Some(id);
            for function in interface.functions.values().filter(of_it) {
                let (how, text) = (signature(resolve, function), line(&function.docs));
                writeln!(page, "| {how} | {text} |")?;
            }
            writeln!(page)?;
        }
        TypeDefKind::Type(of) => writeln!(page, "The same as {}.\n", named(resolve, of))?,
        _ => {}
    }
    Ok(())
}

/// A function as it is called: `push(frames: list<frame>) → list<chat-event>`.
fn signature(resolve: &Resolve, function: &Function) -> String {
    let given: Vec<String> = function
        .params
        .iter()
        .filter(|parameter| parameter.name != "self")
        .map(|parameter| format!("{}: {}", parameter.name, named(resolve, &parameter.ty)))
        .collect();
    let name = match function.kind {
        FunctionKind::Constructor(_) => "constructor",
        _ => function.item_name(),
    };
    let result = match (&function.kind, &function.result) {
        (FunctionKind::Constructor(_), _) | (_, None) => String::new(),
        (_, Some(result)) => format!(" → {}", named(resolve, result)),
    };
    format!("`{name}`({}){result}", given.join(", "))
}

/// A type as it is written, with a link where it is one of the contract's.
fn named(resolve: &Resolve, type_: &Type) -> String {
    let Type::Id(id) = type_ else {
        return plain(type_).to_owned();
    };
    let type_ = &resolve.types[*id];
    if let (Some(name), TypeOwner::Interface(_)) = (&type_.name, type_.owner) {
        let home = home_of(resolve, *id);
        return format!("[{name}](#{home}{name})");
    }
    let of = |inner: &Type| named(resolve, inner);
    match &type_.kind {
        TypeDefKind::Option(inner) => format!("option\\<{}>", of(inner)),
        TypeDefKind::List(inner) => format!("list\\<{}>", of(inner)),
        TypeDefKind::Tuple(tuple) => {
            let types: Vec<String> = tuple.types.iter().map(of).collect();
            format!("tuple\\<{}>", types.join(", "))
        }
        TypeDefKind::Result(result) => {
            let part = |inner: &Option<Type>| inner.as_ref().map_or("_".to_owned(), of);
            format!("result\\<{}, {}>", part(&result.ok), part(&result.err))
        }
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => of(&Type::Id(*id)),
        other => other.as_str().to_owned(),
    }
}

/// The interface in which a type stands, by way of those that only use it.
fn home_of(resolve: &Resolve, mut id: TypeId) -> String {
    while let TypeDefKind::Type(Type::Id(other)) = resolve.types[id].kind {
        if resolve.types[other].owner == resolve.types[id].owner {
            break;
        }
        id = other;
    }
    match resolve.types[id].owner {
        TypeOwner::Interface(home) => resolve.interfaces[home].name.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

fn plain(type_: &Type) -> &'static str {
    match type_ {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        _ => "?",
    }
}

/// A comment as it stands.
fn paragraphs(docs: &Docs) -> String {
    docs.contents
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// A comment in a cell of a table.
fn line(docs: &Docs) -> String {
    let words: Vec<&str> = docs
        .contents
        .as_deref()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    words.join(" ").replace('|', "\\|")
}
