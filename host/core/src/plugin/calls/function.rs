//! A function that a component exports, with the types that the contract gives it.
//!
//! wasmtime compares the types of a function with those of the host each time that it is asked for one:
//! all records and variants of a chat, field by field and name by name. An instance lives for one exchange,
//! so that would be done for each exchange; but the types are the component's, and are compared once.
//!
//! The `unsafe` call here says that a function has types which were not compared there. Why it is sound:
//!
//! - [`Function::check`] compared them, with the same two types, or the checked way is taken.
//! - It was a function of the same component: an index is found in no other component than the one it is of
//!   (wasmtime compares the components' identities in [`Instance::get_func`]), and a `Function` has one index.
//! - An export of a component has the same types in all of its instances.
//!
//! [`Instance::get_func`]: wasmtime::component::Instance::get_func
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::sync::OnceLock;

use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Lift, Lower, TypedFunc};

use super::{Called, Running};

/// A function of a component's.
pub(in crate::plugin) struct Function<Params, Results> {
    index: ComponentExportIndex,
    /// Set when the types were found to be the contract's.
    compared: OnceLock<()>,
    _types: PhantomData<fn(Params) -> Results>,
}

impl<Params, Results> From<ComponentExportIndex> for Function<Params, Results> {
    fn from(index: ComponentExportIndex) -> Self {
        Function {
            index,
            compared: OnceLock::new(),
            _types: PhantomData,
        }
    }
}

impl<Params, Results> Function<Params, Results>
where
    Params: ComponentNamedList + Lower,
    Results: ComponentNamedList + Lift,
{
    /// Compares the types of the function with those that the contract gives it.
    ///
    /// # Errors
    ///
    /// They differ.
    pub(in crate::plugin) fn check(&self, on: &mut Running) -> Called<()> {
        let _: TypedFunc<Params, Results> =
            on.instance.get_typed_func(&mut on.store, self.index)?;
        let _ = self.compared.set(());
        Ok(())
    }

    /// The function in an instance.
    ///
    /// # Errors
    ///
    /// The instance is of another component, or the types differ and were never compared.
    pub(in crate::plugin) fn on(&self, on: &mut Running) -> Called<TypedFunc<Params, Results>> {
        if self.compared.get().is_none() {
            return on.instance.get_typed_func(&mut on.store, self.index);
        }
        let function = on.instance.get_func(&mut on.store, self.index);
        let function =
            function.ok_or_else(|| wasmtime::Error::msg("the instance is of another component"))?;
        // SAFETY: see the module's documentation; the types of this component's function were compared.
        Ok(unsafe { TypedFunc::new_unchecked(function) })
    }
}
