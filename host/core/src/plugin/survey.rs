//! What a component file holds, counted before anything is compiled.
//!
//! Compiling is the one thing that an untrusted file makes the host compute by itself, and a
//! compiler takes longer than in proportion to some of its input. Each bound here stands for
//! such an input. All are far above what compilers of languages emit: the largest honest components
//! that were measured are Python's interpreter (18 MB, 38 core instances) and a JavaScript engine
//! (10 MB), and their counts stand beside the bounds.
//!
//! Nothing here compiles, links or validates types; what is malformed is left to the validator.

mod bounds;

use std::fmt;

use wasmparser::{
    BinaryReaderError, CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentTypeRef, CompositeInnerType, FunctionBody, Instance,
    Operator, Parser, Payload, TypeRef,
};

use bounds::{
    ADAPTERS, BODIES, BODY, Bound, COMPONENTS, CORE_INSTANCES, DEPTH, ELEMENTS, ENTRIES, EXPORTS,
    FUNCTIONS, GLOBALS, IMPORTS, INSTANCES, JOINS, LOCALS, MEMORIES, MEMORY64, MODULES, NESTED,
    OWN_LOCALS, PARAMS, PASSED, RESULTS, SEGMENTS, TABLES, TARGETS, TYPES, TYPES_IN_TYPES,
};

/// A bound that a component does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excess {
    /// What there is too much of.
    what: &'static str,
    needed: u64,
    allowed: u64,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Excess {
            what,
            needed,
            allowed,
        } = self;
        match allowed {
            0 => write!(f, "it has {needed} {what}, and none are allowed"),
            _ => write!(f, "it has {needed} {what}, at most {allowed} are allowed"),
        }
    }
}

/// Why a component is not compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    Excess(Excess),
    /// It cannot be read.
    Malformed(String),
}

impl From<BinaryReaderError> for Refusal {
    fn from(error: BinaryReaderError) -> Self {
        Refusal::Malformed(error.to_string())
    }
}

type Checked<T = ()> = Result<T, Refusal>;

/// What was counted so far.
#[derive(Debug, Default, Clone)]
pub(super) struct Survey {
    pub(super) modules: u64,
    pub(super) components: u64,
    pub(super) core_instances: u64,
    pub(super) instances: u64,
    pub(super) adapters: u64,
    pub(super) entries: u64,
    pub(super) types_in_types: u64,
    pub(super) functions: u64,
    pub(super) bodies: u64,
    pub(super) types: u64,
    pub(super) imports: u64,
    pub(super) exports: u64,
    pub(super) globals: u64,
    pub(super) tables: u64,
    pub(super) memories: u64,
    pub(super) segments: u64,
    pub(super) elements: u64,
    pub(super) locals: u64,
    /// The largest of each in one function.
    pub(super) function: Function,
}

/// What one function holds.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Function {
    pub(super) bytes: u64,
    pub(super) locals: u64,
    pub(super) nested: u64,
    pub(super) targets: u64,
    pub(super) joins: u64,
}

/// A component that is being read.
#[derive(Default)]
struct Level {
    is_component: bool,
    /// Instances that making one of it makes: of core modules, of components.
    makes: Made,
    /// The same for each component that it can name.
    components: Vec<Made>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Made {
    core: u64,
    components: u64,
}

/// Counts what a component holds, without looking into functions.
pub(super) fn of_sections(bytes: &[u8]) -> Checked<Survey> {
    survey(bytes, false)
}

/// Counts everything.
pub(super) fn of_all(bytes: &[u8]) -> Checked<Survey> {
    survey(bytes, true)
}

fn survey(bytes: &[u8], functions: bool) -> Checked<Survey> {
    let mut survey = Survey::default();
    let mut levels: Vec<Level> = vec![];
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding, .. } => {
                levels.push(Level {
                    is_component: *encoding == wasmparser::Encoding::Component,
                    ..Level::default()
                });
                DEPTH.check(levels.len() as u64)?;
            }
            Payload::End(_) => {
                let ended = levels.pop().unwrap_or_default();
                if let (true, Some(outer)) = (ended.is_component, levels.last_mut()) {
                    outer.components.push(ended.makes);
                }
            }
            Payload::CodeSectionEntry(body) if functions => survey.function(body)?,
            _ => {
                survey.component_section(bytes, &payload, &mut levels)?;
                survey.module_section(&payload)?;
            }
        }
    }
    Ok(survey)
}

/// Adds to a count and checks it.
fn add(count: &mut u64, more: impl Into<u64>, bound: &Bound) -> Checked {
    *count = count.saturating_add(more.into());
    bound.check(*count)
}

impl Survey {
    /// A section of a component.
    fn component_section(
        &mut self,
        bytes: &[u8],
        payload: &Payload<'_>,
        levels: &mut [Level],
    ) -> Checked {
        match payload {
            Payload::ModuleSection { .. } => add(&mut self.modules, 1u64, &MODULES)?,
            Payload::ComponentSection { .. } => add(&mut self.components, 1u64, &COMPONENTS)?,
            Payload::InstanceSection(section) => {
                self.entries(section.count())?;
                for instance in section.clone() {
                    if let Instance::Instantiate { .. } = instance? {
                        self.made(
                            levels,
                            Made {
                                core: 1,
                                components: 0,
                            },
                        )?;
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                self.entries(section.count())?;
                for instance in section.clone() {
                    if let ComponentInstance::Instantiate {
                        component_index, ..
                    } = instance?
                    {
                        let mut makes = named(levels, 0, component_index);
                        makes.components = makes.components.saturating_add(1);
                        self.made(levels, makes)?;
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                self.entries(section.count())?;
                for alias in section.clone() {
                    self.alias(&alias?, levels)?;
                }
            }
            Payload::ComponentTypeSection(section) => {
                self.entries(section.count())?;
                let within = nested_types(bytes.get(section.range()).unwrap_or_default());
                add(&mut self.types_in_types, within, &TYPES_IN_TYPES)?;
            }
            Payload::CoreTypeSection(section) => self.entries(section.count())?,
            Payload::ComponentCanonicalSection(section) => {
                self.entries(section.count())?;
                add(&mut self.adapters, section.count(), &ADAPTERS)?;
                for function in section.clone() {
                    let _: CanonicalFunction = function?;
                }
            }
            Payload::ComponentImportSection(section) => {
                self.entries(section.count())?;
                for import in section.clone() {
                    if let ComponentTypeRef::Component(_) = import?.ty {
                        PASSED.check(1)?;
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                self.entries(section.count())?;
                for export in section.clone() {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Component {
                        // It may be named by a number of its own from now on.
                        let again = named(levels, 0, export.index);
                        if let Some(level) = levels.last_mut() {
                            level.components.push(again);
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn entries(&mut self, more: u32) -> Checked {
        add(&mut self.entries, more, &ENTRIES)
    }

    /// The component that is being read makes something.
    fn made(&mut self, levels: &mut [Level], made: Made) -> Checked {
        let Some(level) = levels.last_mut() else {
            return Ok(());
        };
        add(&mut level.makes.core, made.core, &CORE_INSTANCES)?;
        add(&mut level.makes.components, made.components, &INSTANCES)?;
        self.core_instances = self.core_instances.max(level.makes.core);
        self.instances = self.instances.max(level.makes.components);
        Ok(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>, levels: &mut [Level]) -> Checked {
        match alias {
            // Which one it is would be known only once all is linked.
            ComponentAlias::InstanceExport {
                kind: ComponentExternalKind::Component,
                ..
            } => PASSED.check(1),
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Component,
                count,
                index,
            } => {
                let known = named(levels, *count, *index);
                if let Some(level) = levels.last_mut() {
                    level.components.push(known);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A section of a module.
    fn module_section(&mut self, payload: &Payload<'_>) -> Checked {
        match payload {
            Payload::TypeSection(section) => {
                add(&mut self.types, section.count(), &TYPES)?;
                for group in section.clone() {
                    for ty in group?.into_types() {
                        if let CompositeInnerType::Func(ty) = &ty.composite_type.inner {
                            PARAMS.check(ty.params().len() as u64)?;
                            RESULTS.check(ty.results().len() as u64)?;
                        }
                    }
                }
            }
            Payload::ImportSection(section) => {
                add(&mut self.imports, section.count(), &IMPORTS)?;
                for import in section.clone().into_imports() {
                    match import?.ty {
                        TypeRef::Memory(memory) => MEMORY64.check(memory.memory64.into())?,
                        TypeRef::Table(table) => MEMORY64.check(table.table64.into())?,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(section) => {
                add(&mut self.functions, section.count(), &FUNCTIONS)?;
            }
            Payload::TableSection(section) => {
                add(&mut self.tables, section.count(), &TABLES)?;
                for table in section.clone() {
                    MEMORY64.check(table?.ty.table64.into())?;
                }
            }
            Payload::MemorySection(section) => {
                add(&mut self.memories, section.count(), &MEMORIES)?;
                for memory in section.clone() {
                    MEMORY64.check(memory?.memory64.into())?;
                }
            }
            Payload::GlobalSection(section) => add(&mut self.globals, section.count(), &GLOBALS)?,
            Payload::ExportSection(section) => add(&mut self.exports, section.count(), &EXPORTS)?,
            Payload::ElementSection(section) => {
                add(&mut self.segments, section.count(), &SEGMENTS)?;
                for element in section.clone() {
                    let count = match element?.items {
                        wasmparser::ElementItems::Functions(items) => items.count(),
                        wasmparser::ElementItems::Expressions(_, items) => items.count(),
                    };
                    add(&mut self.elements, count, &ELEMENTS)?;
                }
            }
            Payload::DataSection(section) => add(&mut self.segments, section.count(), &SEGMENTS)?,
            Payload::CodeSectionStart { size, .. } => add(&mut self.bodies, *size, &BODIES)?,
            _ => {}
        }
        Ok(())
    }

    /// The body of a function.
    fn function(&mut self, body: &FunctionBody<'_>) -> Checked {
        let mut own = Function {
            bytes: (body.range().end - body.range().start) as u64,
            ..Function::default()
        };
        BODY.check(own.bytes)?;
        for local in body.get_locals_reader()? {
            let (count, _) = local?;
            add(&mut own.locals, count, &OWN_LOCALS)?;
        }
        add(&mut self.locals, own.locals, &LOCALS)?;
        let (mut depth, mut branches) = (0u64, 0u64);
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    depth += 1;
                    branches += 1;
                    own.nested = own.nested.max(depth);
                }
                Operator::End => depth = depth.saturating_sub(1),
                Operator::Br { .. } | Operator::BrIf { .. } | Operator::Else => branches += 1,
                Operator::BrTable { targets } => own.targets += u64::from(targets.len()),
                _ => {}
            }
        }
        NESTED.check(own.nested)?;
        TARGETS.check(own.targets)?;
        own.joins = own.locals.saturating_mul(branches + own.targets);
        JOINS.check(own.joins)?;
        let largest = &mut self.function;
        largest.bytes = largest.bytes.max(own.bytes);
        largest.locals = largest.locals.max(own.locals);
        largest.nested = largest.nested.max(own.nested);
        largest.targets = largest.targets.max(own.targets);
        largest.joins = largest.joins.max(own.joins);
        Ok(())
    }
}

/// What making the component makes that goes by a number, so many levels further out.
fn named(levels: &[Level], out: u32, index: u32) -> Made {
    let level = levels.iter().rev().nth(out as usize);
    let known = level.and_then(|level| level.components.get(index as usize));
    known.copied().unwrap_or_default()
}

/// At least how many types of components and instances are written within others: each such has
/// these two bytes, a declaration of a type and the type's kind.
fn nested_types(section: &[u8]) -> u64 {
    let found = section
        .windows(2)
        .filter(|pair| matches!(pair, [0x01, 0x41 | 0x42]));
    found.count() as u64
}
