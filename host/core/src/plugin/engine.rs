//! The wasmtime engine: its configuration and its clock.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
};

use super::limits::{INSTANCES, MEMORIES, TABLE_ELEMENTS, TICK_MS};
use super::{Limits, PluginError, cache};

/// Linear memory that stays resident in a pool slot between uses, in bytes: what a small exchange
/// dirties, so that the next one in the slot faults no page. The kernel says which pages are dirty
/// (`PAGEMAP_SCAN`, Linux 6.7), and only those are cleaned: an instance of the OpenAI adapter ends in
/// 4.5 µs, where cleaning all that may be resident took 10 (`cargo xtask bench`). With nothing kept
/// resident each exchange faults its pages anew; with this much, a slot that was used keeps about
/// 40 KB.
const KEEP_RESIDENT: usize = 256 << 10;
/// Slots that stay with the component that used them last, so that its memory image need not be
/// mapped anew: as many as one process has exchanges at once on a few cores.
const WARM_SLOTS: u32 = 64;
/// Stack of a guest, in bytes. The deepest that adapters go is JSON of 127 levels, in a tenth of it.
const WASM_STACK: usize = 512 << 10;
/// Stack of the clock, in bytes: it counts and sleeps.
const CLOCK_STACK: usize = 64 << 10;
/// Core instances and tables in the pool for each component: what those of one core module need,
/// with room for some that have many. One that has more takes the room of several.
pub(super) const POOLED: u32 = 8;
/// Memories in the pool for each component. Few have more than one.
pub(super) const POOLED_MEMORIES: u32 = 2;
/// Instances that live at once without a pool.
const ON_DEMAND_INSTANCES: usize = 4096;

/// How much address space there is. Code for the one does not run in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Each memory has 4 GiB to itself, so that no access needs a check, and instances come from a pool.
    Ample,
    /// Each memory has as much as a guest may use, and each access is checked (`ulimit -v`).
    Scarce {
        /// Bytes that a guest may use.
        memory: u64,
    },
}

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
    /// As many permits as there are core instances in the pool; an instance takes those that it needs, see
    /// [`POOLED`].
    pub(super) slots: Arc<Semaphore>,
    /// All of them.
    pub(super) permits: usize,
    pub(super) room: Room,
    /// Names the version and configuration of the compiler.
    pub(super) key: String,
    clock: OnceLock<()>,
    starting: Mutex<()>,
    /// An exchange had to wait, and it was said.
    told: std::sync::Once,
}

impl Inner {
    /// Says once that all places are taken: what waits then looks like a slow vendor.
    pub(super) fn tell_of_waiting(&self) {
        self.told.call_once(|| {
            tracing::warn!(
                "all places for instances of plugins are taken: exchanges wait until others have \
                 ended (limits.max_concurrency says how many may run at once)"
            );
        });
    }
}

impl PluginEngine {
    /// An engine with a pool of instances, or without one where address space is short.
    ///
    /// # Errors
    ///
    /// [`PluginError::Engine`] if this machine cannot run WebAssembly at all.
    pub fn new(options: EngineOptions) -> Result<Self, PluginError> {
        let ample = config(Room::Ample, Some(&options), true);
        let (engine, room, slots) = match Engine::new(&ample) {
            Ok(engine) => (engine, Room::Ample, pooled(&options) as usize),
            Err(error) => {
                tracing::debug!(%error, "no instance pool; instances are made on demand");
                let room = Room::Scarce {
                    memory: options.limits.memory_bytes as u64,
                };
                let engine = Engine::new(&config(room, None, true))
                    .map_err(|error| PluginError::Engine(format!("{error:#}")))?;
                (engine, room, ON_DEMAND_INSTANCES * POOLED as usize)
            }
        };
        Ok(PluginEngine {
            inner: Arc::new(Inner {
                key: cache::engine_key(&engine),
                engine,
                limits: options.limits,
                cache_dir: options.cache_dir,
                slots: Arc::new(Semaphore::new(slots)),
                permits: slots,
                room,
                clock: OnceLock::new(),
                starting: Mutex::default(),
                told: std::sync::Once::new(),
            }),
        })
    }

    /// Whether instances come from a pool.
    #[must_use]
    pub fn is_pooling(&self) -> bool {
        self.inner.room == Room::Ample
    }

    /// How many more instances may live at once.
    #[must_use]
    pub fn free_instances(&self) -> usize {
        self.inner.slots.available_permits() / POOLED as usize
    }

    /// Starts the clock that interrupts guests. It ends with the engine.
    ///
    /// # Errors
    ///
    /// [`PluginError::Engine`] if the system allows no thread for it: without a clock a guest could
    /// compute for ever.
    pub(super) fn start_clock(&self) -> Result<(), PluginError> {
        let inner = &self.inner;
        if inner.clock.get().is_some() {
            return Ok(());
        }
        let _one = inner
            .starting
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if inner.clock.get().is_some() {
            return Ok(());
        }
        let engine = inner.engine.weak();
        std::thread::Builder::new()
            .name("multillm-epoch".to_owned())
            .stack_size(CLOCK_STACK)
            .spawn(move || {
                while let Some(engine) = engine.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(Duration::from_millis(TICK_MS));
                }
            })
            .map_err(|error| {
                PluginError::Engine(format!(
                    "no thread for the clock that bounds plugins ({error}): the system allows no \
                     more (ulimit -u, or a limit of the container): raise it"
                ))
            })?;
        let _ = inner.clock.set(());
        Ok(())
    }
}

/// Core instances in the pool: at least what one component may have.
fn pooled(options: &EngineOptions) -> u32 {
    options.max_instances.saturating_mul(POOLED).max(INSTANCES)
}

/// The configuration that all engines share, with a pool if there are options for one. `parallel`
/// says whether many threads compile.
pub(super) fn config(room: Room, pool: Option<&EngineOptions>, parallel: bool) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(parallel)
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(WASM_STACK + (512 << 10))
        // What a guest left behind is looked at once it has trapped, and costs nothing before.
        .coredump_on_trap(true)
        .wasm_backtrace_max_frames(NonZeroUsize::new(16))
        .native_unwind_info(false)
        .generate_address_map(false)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .wasm_tail_call(false);
    if let Room::Scarce { memory } = room {
        config
            .memory_reservation(memory)
            .memory_reservation_for_growth(0)
            .memory_guard_size(0);
    }
    if let Some(options) = pool {
        let core = pooled(options);
        let count = core / POOLED;
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(count)
            .total_core_instances(core)
            .total_memories(count.saturating_mul(POOLED_MEMORIES))
            .total_tables(core)
            .total_stacks(count)
            .max_core_instances_per_component(INSTANCES)
            .max_tables_per_component(INSTANCES)
            .max_memories_per_component(MEMORIES)
            .max_memories_per_module(MEMORIES)
            .max_tables_per_module(MEMORIES)
            .max_component_instance_size(1 << 20)
            .max_core_instance_size(1 << 20)
            .table_elements(TABLE_ELEMENTS)
            .max_memory_size(options.limits.memory_bytes)
            .linear_memory_keep_resident(KEEP_RESIDENT)
            .pagemap_scan(Enabled::Auto)
            .table_keep_resident(16 << 10)
            .max_unused_warm_slots(WARM_SLOTS);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}
