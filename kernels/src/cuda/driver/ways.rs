//! Which way a device's products take: the ladder of [`products`](crate::cuda::products), climbed when a product is first asked for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Driver;
use super::warpgroups::{Kernel, Warpgroups};
use crate::attention::Shape;
use crate::attention::cuda::AttentionForward;
use crate::attention::hopper as attention_hopper;
use crate::cuda::cublaslt::{self, Cublaslt, Library, Place, Search, Surroundings};
use crate::cuda::products::{self, Account, Choice, Products};
use crate::cuda::proof::{Verdict, prove};
use crate::cuda::{Fault, Storage};
use crate::linear::cuda::{Asked, Product};
use crate::linear::hopper;

/// No more files than this are tried.
const MOST_PLACES: usize = 12;

/// The ways of one device.
#[derive(Debug, Default)]
pub(super) struct Ways {
    choice: Choice,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_recording: bool,
    was_looked_for: bool,
    library: Option<Cublaslt>,
    /// Whether the library agreed with own kernels.
    agrees: HashMap<Storage, bool>,
    warpgroups: Warpgroups,
    passed_over: Vec<String>,
}

impl Driver {
    /// What products in a storage go through, and why; decides it, where none was asked for so far.
    ///
    /// # Errors
    /// As for [`Queue::product`](crate::cuda::Queue::product).
    pub fn products(&self, storage: Storage) -> Result<Account, Fault> {
        self.ways.account(self, storage)
    }
}

impl Ways {
    pub fn new(choice: Choice) -> Self {
        Self { choice, state: Mutex::default() }
    }

    /// The ways, with the device's context current, once no other thread records: its launches need them.
    fn state(&self, driver: &Driver) -> Result<MutexGuard<'_, State>, Fault> {
        loop {
            drop(driver.enter()?);
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if !driver.is_recorded_by_another() {
                return Ok(state);
            }
        }
    }

    /// Nothing can be proven while launches are recorded: what is not decided by then is left to own kernels.
    pub fn record(&self, driver: &Driver, begin: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
        let mut state = self.state(driver)?;
        begin()?;
        state.is_recording = true;
        Ok(())
    }

    /// Ends what [`Ways::record`] began.
    pub fn end_recording(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_recording = false;
    }

    /// Takes the product; false where that is left to own kernels.
    pub fn product(&self, driver: &Driver, asked: &Asked) -> Result<bool, Fault> {
        let mut state = self.state(driver)?;
        for way in self.choice.ladder() {
            match way {
                Products::Own => return Ok(false),
                Products::Wgmma => {
                    let Asked { storage, product, factors, then } = *asked;
                    if state.agrees_by_warpgroups(driver, storage, Kernel::Product(product))?
                        && hopper::product(driver, storage, product, factors, then)?
                    {
                        return Ok(true);
                    }
                }
                Products::Cublaslt => {
                    if let Some(library) = state.library(driver, asked.storage)?
                        && library.product(driver, asked)?
                    {
                        return Ok(true);
                    }
                }
            }
        }
        Err(state.nobody(&format!("{:?} of {:?} in {}", asked.product, asked.factors.extents, asked.storage)))
    }

    /// Takes attention by warpgroups, where they are named; false where that is left to own kernels.
    pub fn attention(&self, driver: &Driver, storage: Storage, shape: Shape, arguments: AttentionForward) -> Result<bool, Fault> {
        if !self.choice.ladder().contains(&Products::Wgmma) {
            return Ok(false);
        }
        let agrees = self.state(driver)?.agrees_by_warpgroups(driver, storage, Kernel::Attention(shape.head_width))?;
        Ok(agrees && attention_hopper::forward(driver, storage, shape, arguments)?)
    }

    /// As [`Driver::products`].
    fn account(&self, driver: &Driver, storage: Storage) -> Result<Account, Fault> {
        let mut state = self.state(driver)?;
        let (mut through, mut library) = (None, None);
        for way in self.choice.ladder() {
            let serves = match way {
                Products::Cublaslt => {
                    library = state.library(driver, storage)?.map(|library| (library.library.clone(), library.refused()));
                    library.is_some()
                }
                Products::Wgmma => state.agrees_by_warpgroups(driver, storage, Kernel::Product(Product::Forward))?,
                Products::Own => true,
            };
            through = through.or(serves.then_some(*way));
        }
        let through = through.ok_or_else(|| state.nobody(&format!("products in {storage}")))?;
        if self.choice == Choice::Only(Products::Own) {
            state.passed_over = vec![format!("{}=own", products::VARIABLE)];
        }
        let (library, refused) = library.unzip();
        let library = library.map(|Library { path, version, .. }| (path, version.to_string()));
        let passed_over = [&state.passed_over[..], state.warpgroups.passed_over()].concat();
        Ok(Account { through, library, passed_over, refused: refused.unwrap_or_default() })
    }

    /// Gives back what the ways have of the device, whose context is current.
    pub fn close(self, driver: &Driver) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.library.into_iter().for_each(|library| library.close(driver));
    }
}

impl State {
    /// What it means that nobody takes this.
    fn nobody(&self, what: &str) -> Fault {
        let refused = self.library.as_ref().map(Cublaslt::refused).unwrap_or_default();
        let why = [&self.passed_over[..], &refused].concat().join("; ");
        let variable = products::VARIABLE;
        Fault::Unsupported(format!(
            "{variable}=cublaslt, and cublasLt does not take {what} ({why}); {variable}=auto leaves it to own kernels"
        ))
    }

    /// Whether a kernel by warpgroups agrees with its twin on this device; while launches are recorded, whether it is known to.
    fn agrees_by_warpgroups(&mut self, driver: &Driver, storage: Storage, kernel: Kernel) -> Result<bool, Fault> {
        if self.is_recording {
            Ok(self.warpgroups.are_known_to_agree(storage, kernel))
        } else {
            self.warpgroups.agree(driver, storage, kernel)
        }
    }

    /// The library, where there is one that agrees with own kernels in this storage.
    fn library(&mut self, driver: &Driver, storage: Storage) -> Result<Option<&mut Cublaslt>, Fault> {
        if !self.agrees.contains_key(&storage) {
            if self.is_recording {
                return Ok(None);
            }
            self.decide(driver, storage)?;
        }
        Ok(self.library.as_mut().filter(|_| self.agrees.get(&storage) == Some(&true)))
    }

    fn decide(&mut self, driver: &Driver, storage: Storage) -> Result<(), Fault> {
        if !self.was_looked_for {
            self.look(driver, storage)?;
            self.was_looked_for = true;
        } else if let Some(library) = &mut self.library {
            let proven = proven(driver, library, storage)?;
            self.agrees.insert(storage, proven.is_ok());
            self.passed_over.extend(proven.err());
        }
        self.agrees.entry(storage).or_insert(false);
        Ok(())
    }

    /// Takes the first library that loads, serves the device and agrees with own kernels.
    fn look(&mut self, driver: &Driver, storage: Storage) -> Result<(), Fault> {
        self.passed_over.clear();
        let (places, folders) = match Surroundings::of_process().search() {
            Search::Off => {
                self.passed_over.push(format!("{}=off", cublaslt::VARIABLE));
                return Ok(());
            }
            Search::Places { places, folders } => (places, folders),
        };
        for place in places.iter().take(MOST_PLACES) {
            match tried(driver, place, storage)? {
                Ok(library) => {
                    self.library = Some(library);
                    self.agrees.insert(storage, true);
                    return Ok(());
                }
                // A library that is loaded is found again by its name alone.
                Err(why) if place.is_unknown(&why) || self.passed_over.contains(&why) => {}
                Err(why) => self.passed_over.push(why),
            }
        }
        if self.passed_over.is_empty() {
            let looked = folders.len();
            self.passed_over.push(format!("cublasLt is neither known to the loader nor in any of {looked} folders"));
        }
        Ok(())
    }
}

/// The library at a place, or why it is not used.
fn tried(driver: &Driver, place: &Place, storage: Storage) -> Result<Result<Cublaslt, String>, Fault> {
    let opened = Library::load(place).map(|library| Cublaslt::open(library, driver, driver.stream.cast()));
    let mut library = match opened.unwrap_or_else(|why| Ok(Err(why)))? {
        Ok(library) => library,
        Err(why) => return Ok(Err(why)),
    };
    match proven(driver, &mut library, storage) {
        Ok(Ok(())) => Ok(Ok(library)),
        Ok(Err(why)) => {
            library.close(driver);
            Ok(Err(why))
        }
        Err(fault) => {
            library.close(driver);
            Err(fault)
        }
    }
}

/// Whether the library agrees with own kernels, and why not; a device that is lost or full is a fault.
fn proven(driver: &Driver, library: &mut Cublaslt, storage: Storage) -> Result<Result<(), String>, Fault> {
    let path = library.library.path.clone();
    let refused = |library: &Cublaslt| library.refused().into_iter().next().unwrap_or_else(|| "it says nothing".into());
    match prove(driver, storage, &mut |asked| library.product(driver, asked)) {
        Ok(Verdict::Agrees(_)) => Ok(Ok(())),
        Ok(Verdict::Declines) => Ok(Err(format!("{path}: serves no product in {storage} on this device ({})", refused(library)))),
        Ok(Verdict::Disagrees(what)) => Ok(Err(format!("{path}: NOT USED in {storage}, because it disagrees with own kernels: {what}"))),
        Err(fault @ (Fault::Lost(_) | Fault::OutOfMemory { .. })) => Err(fault),
        Err(fault) => Ok(Err(format!("{path}: {fault}"))),
    }
}
