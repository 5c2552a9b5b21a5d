//! Steps that are divided, repeated and exchanged: the same bits, and no more memory.

use std::sync::{Arc, Barrier, Mutex};

use kernels::cuda::{Storage, as_bytes, as_bytes_mut};

use super::emulator::Schedule;
use super::learning::{STEP, rows, training};
use super::queue::Emulated;
use super::{CLASSES, device, on_cpu, pictures, vit};
use crate::training::{Exchange, Lesson, Range, Training, Values};
use crate::vit::head::HeadKind;
use crate::{Batch, Error, Vit};

/// Two ranks' batches, of different sizes.
fn parts() -> [(Batch, Vec<usize>); 2] {
    let all = pictures(&vit(), 5);
    let part = |from: usize, to: usize| Batch::new(all.pixels().slice(ndarray::s![from..to, .., .., ..]).to_owned()).unwrap();
    [(part(0, 3), vec![0, 2, 1]), (part(3, 5), vec![1, 0])]
}

/// Pieces of both ranks, added in the order of the ranks.
#[derive(Debug)]
struct Table {
    met: Barrier,
    pieces: Mutex<[Vec<f32>; 2]>,
}

#[derive(Debug)]
struct Rank {
    rank: usize,
    table: Arc<Table>,
    told: Vec<String>,
    completed: usize,
}

impl Rank {
    fn sum(&self, mine: Vec<f32>) -> Vec<f32> {
        self.table.pieces.lock().unwrap()[self.rank] = mine;
        self.table.met.wait();
        let pieces = self.table.pieces.lock().unwrap().clone();
        self.table.met.wait();
        pieces[0].iter().zip(&pieces[1]).map(|(a, b)| a + b).collect()
    }
}

impl Exchange for Rank {
    fn finished(&mut self, ranges: &[Range], values: Values<'_>) -> Result<(), Error> {
        self.told.extend(ranges.iter().map(|range| range.name.clone()));
        match values {
            Values::Host(values) => {
                let sum = self.sum(values.to_vec());
                values.copy_from_slice(&sum);
            }
            Values::Device { queue, at, count } => {
                let mut mine = vec![0.0; count];
                queue.download(at, as_bytes_mut(&mut mine)).map_err(kernels::Error::from)?;
                queue.upload(at, as_bytes(&self.sum(mine))).map_err(kernels::Error::from)?;
            }
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<(), Error> {
        self.completed += 1;
        Ok(())
    }
}

/// Two steps of two ranks: their losses, and the first one's weights after both agreed.
fn together(begin: &(dyn Fn() -> Training + Sync)) -> (f64, Vec<(String, Vec<f32>)>) {
    let table = Arc::new(Table { met: Barrier::new(2), pieces: Mutex::default() });
    let parts = parts();
    let ranks = std::thread::scope(|scope| {
        let run = |rank: usize| {
            let (table, (batch, labels)) = (table.clone(), &parts[rank]);
            scope.spawn(move || {
                let (mut training, mut exchange) = (begin(), Rank { rank, table, told: Vec::new(), completed: 0 });
                let mut step = || training.step_with(Lesson { batch, labels }, 5, &[], STEP, &mut exchange).unwrap();
                step();
                let loss = step();
                let names: Vec<String> = training.ranges().iter().map(|range| range.name.clone()).collect();
                assert_eq!((exchange.told, exchange.completed), ([names.clone(), names].concat(), 2), "every range is told once a step");
                (loss, rows(&training.vit().unwrap()))
            })
        };
        [run(0), run(1)].map(|rank| rank.join().unwrap())
    });
    let [(first_loss, first), (second_loss, second)] = ranks;
    assert_eq!(first, second, "both ranks end with the same weights");
    (first_loss + second_loss, first)
}

/// The same steps by one process.
fn alone(mut training: Training) -> (f64, Vec<(String, Vec<f32>)>) {
    let parts = parts();
    let lessons = parts.each_ref().map(|(batch, labels)| Lesson { batch, labels });
    training.step_of(&lessons, &[], STEP).unwrap();
    let loss = training.step_of(&lessons, &[], STEP).unwrap();
    (loss, rows(&training.vit().unwrap()))
}

fn models() -> [Vit; 2] {
    [HeadKind::Linear(CLASSES), HeadKind::Dnn3(CLASSES)].map(|head| on_cpu(&vit(), head))
}

#[test]
fn two_ranks_end_at_the_bits_of_one_with_both_batches() {
    for vit in models() {
        assert_eq!(together(&|| Training::of(vit.clone())), alone(Training::of(vit.clone())), "on the CPU");
        let Some(queue) = device() else { return };
        // A batch of two whose features resemble each other has gradients beyond f16.
        let half = if vit.head() == HeadKind::Linear(CLASSES) { Storage::F16 } else { Storage::Bf16 };
        for storage in [Storage::F32, half] {
            let begin = || training(&vit, Arc::new(Emulated::new(Schedule::Forward).unwrap()), storage);
            assert_eq!(together(&begin), alone(training(&vit, queue.clone(), storage)), "on a device, {storage}");
        }
    }
}

#[test]
fn parts_of_a_batch_are_the_batch_for_a_head_without_statistics() {
    let [vit, _] = models();
    let whole = pictures(vit.config(), 5);
    let mut at_once = Training::of(vit.clone());
    at_once.step(&whole, &[0, 2, 1, 1, 0], &[], STEP).unwrap();
    let loss = at_once.step(&whole, &[0, 2, 1, 1, 0], &[], STEP).unwrap();
    let (in_parts, _) = alone(Training::of(vit));
    assert!((loss - in_parts).abs() < 1e-5, "{loss}, in parts {in_parts}");
    let none = at_once.step_of(&[], &[], STEP).unwrap_err();
    assert!(matches!(none, Error::Shape { .. }));
}

#[test]
fn steps_repeat_in_every_bit_whatever_order_blocks_run_in_and_take_no_more_memory() {
    if device().is_none() {
        return;
    }
    for vit in models() {
        let run = |schedule| {
            let queue = Arc::new(Emulated::new(schedule).unwrap());
            let (mut training, batch) = (training(&vit, queue.clone(), Storage::Bf16), pictures(vit.config(), 5));
            let mut given_out = Vec::new();
            for _ in 0..3 {
                training.step(&batch, &[0, 2, 1, 1, 0], &[], STEP).unwrap();
                given_out.push(queue.given_out());
            }
            assert_eq!(given_out[1..], vec![given_out[0]; 2], "memory grows: {given_out:?}");
            let learnt = rows(&training.vit().unwrap());
            drop(training);
            assert_eq!(queue.given_out(), 0, "memory of a training that is over");
            learnt
        };
        let first = run(Schedule::Forward);
        assert_eq!(run(Schedule::Forward), first);
        assert_eq!(run(Schedule::Backward), first);
    }
}
