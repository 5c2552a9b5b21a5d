//! A bounded queue for work that takes a processor: so many run, so many wait, the rest is sent away at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::problem::Problem;

/// Places for work; clones share them.
#[derive(Debug, Clone)]
pub struct Queue {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Queue {
    /// A queue in which `running` (at least one) work at once and `waiting` wait.
    pub fn new(running: usize, waiting: usize) -> Self {
        let running = running.max(1);
        Self { places: Arc::new(Semaphore::new(running + waiting)), running: Arc::new(Semaphore::new(running)) }
    }

    /// Runs `work` off the async threads.
    ///
    /// The place belongs to the work, not to the request: a client that goes away does not make room before its work is done.
    ///
    /// # Errors
    /// [`Problem::Busy`] when every place is taken, [`Problem::Internal`] when the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Problem::Busy)?;
        let turn = self.running.clone().acquire_owned().await.map_err(|_| Problem::Internal)?;
        let done = spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        done.await.map_err(|_| Problem::Internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn one_runs_one_waits_the_third_is_sent_away() {
        let queue = Queue::new(1, 1);
        let (open, gate) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let queue = queue.clone();
            async move { queue.run(move || gate.recv().is_ok()).await }
        });
        while queue.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let queue = queue.clone();
            async move { queue.run(|| 2).await }
        });
        while queue.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(queue.run(|| 3).await, Err(Problem::Busy)));
        open.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!(queue.run(|| 4).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let queue = Queue::new(1, 0);
        assert!(matches!(queue.run(|| panic!("on purpose")).await, Err(Problem::Internal)));
        assert_eq!(queue.run(|| 1).await.unwrap(), 1);
    }
}
