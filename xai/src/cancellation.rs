//! Ending what takes long: between two blocks of a model, a pass asks whether it is still wanted.
//!
//! One signal serves the whole process, as an interrupt from a keyboard does. Who never sets one pays a load a block.

use std::sync::OnceLock;

use crate::Error;

static ASKED: OnceLock<fn() -> bool> = OnceLock::new();

/// Makes `asked` what every pass asks from now on, on whatever thread; the first one given stays.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use xai::{Batch, Error, HeadKind, Probe, Vit, VitConfig, cancellation};
/// static STOP: AtomicBool = AtomicBool::new(false);
/// cancellation::listen(|| STOP.load(Ordering::Relaxed));
/// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
/// let batch = Batch::new(ndarray::Array4::zeros((1, 3, 8, 12)))?;
/// STOP.store(true, Ordering::Relaxed);
/// assert!(matches!(vit.trace(&batch, Probe::Logits), Err(Error::Cancelled)));
/// STOP.store(false, Ordering::Relaxed);
/// assert!(vit.trace(&batch, Probe::Logits).is_ok());
/// # Ok::<(), Error>(())
/// ```
pub fn listen(asked: fn() -> bool) {
    // A second listener would take the first one's signal away from passes that are under way.
    let _ = ASKED.set(asked);
}

/// For loops around passes: an error once the process is asked to stop.
///
/// # Errors
/// [`Error::Cancelled`].
pub fn check() -> Result<(), Error> {
    if ASKED.get().is_some_and(|asked| asked()) { Err(Error::Cancelled) } else { Ok(()) }
}
