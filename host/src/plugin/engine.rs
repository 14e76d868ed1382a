//! The wasmtime engine: its configuration and its clock.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use super::limits::TICK_MS;
use super::{Limits, PluginError};

/// Linear memory that stays resident in a pool slot between uses, in bytes.
const KEEP_RESIDENT: usize = 256 << 10;
/// Stack of a guest, in bytes.
const WASM_STACK: usize = 512 << 10;
/// Instances that live at once without a pool.
const ON_DEMAND_INSTANCES: usize = 4096;

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// What a guest may use.
    pub limits: Limits,
    /// Instances that may live at once; more wait.
    pub max_instances: u32,
    /// Where compiled code is kept; absent: nowhere.
    pub cache_dir: Option<PathBuf>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        EngineOptions {
            limits: Limits::default(),
            max_instances: 1024,
            cache_dir: None,
        }
    }
}

/// Runs plugins. Cloning is cheap.
#[derive(Clone)]
pub struct PluginEngine {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) engine: Engine,
    pub(super) limits: Limits,
    pub(super) cache_dir: Option<PathBuf>,
    /// One permit an instance.
    pub(super) slots: Arc<Semaphore>,
    /// The engine draws its instances from a pool.
    pub(super) pooling: bool,
    clock: OnceLock<()>,
}

impl PluginEngine {
    /// An engine with a pool of instances, or without one where address space is short.
    ///
    /// # Errors
    ///
    /// [`PluginError::Engine`] if this machine cannot run WebAssembly at all.
    pub fn new(options: EngineOptions) -> Result<Self, PluginError> {
        let pooled = config(Some(&options));
        let (engine, pooling, slots) = match Engine::new(&pooled) {
            Ok(engine) => (engine, true, options.max_instances as usize),
            Err(error) => {
                tracing::debug!(%error, "no instance pool; instances are made on demand");
                let engine = Engine::new(&config(None))
                    .map_err(|error| PluginError::Engine(format!("{error:#}")))?;
                (engine, false, ON_DEMAND_INSTANCES)
            }
        };
        Ok(PluginEngine {
            inner: Arc::new(Inner {
                engine,
                limits: options.limits,
                cache_dir: options.cache_dir,
                slots: Arc::new(Semaphore::new(slots)),
                pooling,
                clock: OnceLock::new(),
            }),
        })
    }

    /// Whether instances come from a pool.
    #[must_use]
    pub fn is_pooling(&self) -> bool {
        self.inner.pooling
    }

    /// How many more instances may live at once.
    #[must_use]
    pub fn free_instances(&self) -> usize {
        self.inner.slots.available_permits()
    }

    /// Starts the clock that interrupts guests. It ends with the engine.
    pub(super) fn start_clock(&self) {
        self.inner.clock.get_or_init(|| {
            let engine = self.inner.engine.weak();
            let started = std::thread::Builder::new()
                .name("multillm-epoch".to_owned())
                .spawn(move || {
                    while let Some(engine) = engine.upgrade() {
                        engine.increment_epoch();
                        drop(engine);
                        std::thread::sleep(Duration::from_millis(TICK_MS));
                    }
                });
            if let Err(error) = started {
                tracing::error!(%error, "no clock for plugins: a looping plugin will hang");
            }
        });
    }
}

/// The configuration that all engines share, with a pool if there are options for one.
fn config(pool: Option<&EngineOptions>) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(WASM_STACK + (512 << 10))
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false)
        .wasm_relaxed_simd(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false);
    if let Some(options) = pool {
        let count = options.max_instances;
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(count)
            .total_core_instances(count.saturating_mul(8))
            .total_memories(count)
            .total_tables(count.saturating_mul(8))
            .total_stacks(count)
            .max_core_instances_per_component(20)
            .max_tables_per_component(20)
            .max_memories_per_component(4)
            .max_component_instance_size(1 << 20)
            .max_core_instance_size(1 << 20)
            .table_elements(20_000)
            .max_memory_size(options.limits.memory_bytes)
            .linear_memory_keep_resident(KEEP_RESIDENT)
            .table_keep_resident(16 << 10)
            .max_unused_warm_slots(64);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}
