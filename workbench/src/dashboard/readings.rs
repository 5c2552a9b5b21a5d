//! The latest readings, kept so that another method on the same lesion needs no new pass.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use xai::{Method, Target, Vit};

use crate::pipeline::{Map, Reading};

/// Memory that traces may hold together, in bytes.
const MEMORY: usize = 512 << 20;

/// Targets after which a reading is made anew, because a trace keeps the gradients of each.
const MOST_TARGETS: usize = 64;

/// Maps that are kept of one lesion.
const MOST_MAPS: usize = 8;

/// Readings by lesion, the latest used last.
#[derive(Debug)]
pub struct Readings {
    open: Mutex<VecDeque<Open>>,
    most: usize,
}

/// A map and how long it took to make.
#[derive(Debug)]
pub struct Made {
    pub map: Map,
    pub took: Duration,
}

#[derive(Debug)]
struct Open {
    lesion: String,
    reading: Arc<Reading>,
    targets: HashSet<Target>,
    /// The latest maps of methods that make passes of their own: a page asks for each twice, and for every colour again.
    maps: VecDeque<(Target, Method, Arc<Made>)>,
}

impl Readings {
    /// Keeps as many as fit the memory: at least one, at most 32.
    pub fn new(vit: &Vit) -> Self {
        Self { open: Mutex::default(), most: (MEMORY / memory_of_a_trace(vit).max(1)).clamp(1, 32) }
    }

    /// The reading of a lesion, from `read` where none is kept.
    ///
    /// # Errors
    /// Those of `read`; then nothing is kept.
    pub fn of<E>(&self, lesion: &str, target: Target, read: impl FnOnce() -> Result<Reading, E>) -> Result<Arc<Reading>, E> {
        if let Some(open) = self.take(lesion, target) {
            return Ok(self.put(open));
        }
        let open = Open { lesion: lesion.into(), reading: Arc::new(read()?), targets: HashSet::from([target]), maps: VecDeque::new() };
        Ok(self.put(open))
    }

    /// A map of a lesion, from `make` where none is kept. Those read from a trace are made anew: that is as quick.
    ///
    /// # Errors
    /// Those of `make`; then nothing is kept.
    pub fn map<E>(&self, lesion: &str, target: Target, method: &Method, make: impl FnOnce() -> Result<Map, E>) -> Result<Arc<Made>, E> {
        if let Some(made) = self.kept_map(lesion, target, method) {
            return Ok(made);
        }
        let started = Instant::now();
        let made = Arc::new(Made { map: make()?, took: started.elapsed() });
        if method.most_passes() > 0
            && let Some(open) = self.lock().iter_mut().find(|open| open.lesion == lesion)
        {
            open.maps.push_back((target, method.clone(), made.clone()));
            open.maps.drain(..open.maps.len().saturating_sub(MOST_MAPS));
        }
        Ok(made)
    }

    fn kept_map(&self, lesion: &str, target: Target, method: &Method) -> Option<Arc<Made>> {
        let readings = self.lock();
        let open = readings.iter().find(|open| open.lesion == lesion)?;
        let kept = open.maps.iter().find(|(of, by, _)| *of == target && by == method);
        kept.map(|(.., made)| made.clone())
    }

    fn take(&self, lesion: &str, target: Target) -> Option<Open> {
        let mut readings = self.lock();
        let at = readings.iter().position(|open| open.lesion == lesion)?;
        let mut open = readings.remove(at)?;
        open.targets.insert(target);
        (open.targets.len() <= MOST_TARGETS).then_some(open)
    }

    fn put(&self, open: Open) -> Arc<Reading> {
        let reading = open.reading.clone();
        let mut readings = self.lock();
        readings.retain(|other| other.lesion != open.lesion);
        readings.push_back(open);
        while readings.len() > self.most {
            readings.pop_front();
        }
        reading
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `4·(L·N·(6·D + M + H) + T·3·H·W)` bytes: what a trace with gradients keeps, and T targets' gradients at the pixels.
fn memory_of_a_trace(vit: &Vit) -> usize {
    let config = vit.config();
    let a_token = 6 * config.hidden_size + config.intermediate_size + config.num_attention_heads;
    let (height, width) = vit.preprocessor().output_size();
    4 * (config.num_hidden_layers * config.tokens() * a_token + MOST_TARGETS / 4 * 3 * height * width)
}
