//! Threads that belong to whoever made them.

use std::sync::{Arc, Mutex};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// One thread a core, started at the first use in each process and ended with the pool.
///
/// A forked child has none of its parent's threads: at its first use it starts its own. (A fork
/// while a call is under way in another thread leaves that call's locks taken in the child, as it
/// does with any library.) Where no threads can be started, the caller's does all the work; the
/// results are the same.
#[derive(Default)]
pub struct Pool(Mutex<Option<Started>>);

struct Started {
    process: u32,
    threads: Option<Arc<ThreadPool>>,
}

impl Pool {
    /// Returns a pool that has no threads yet.
    pub fn new() -> Pool {
        Pool::default()
    }

    /// Runs both, side by side.
    pub fn join<A: Send, B: Send>(
        &self,
        one: impl FnOnce() -> A + Send,
        other: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        match self.threads() {
            Some(threads) => threads.join(one, other),
            None => (one(), other()),
        }
    }

    /// Returns what `work` makes of each item, in their order.
    pub fn map<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        match self.threads() {
            Some(threads) => threads.install(|| items.par_iter().map(&work).collect()),
            None => items.iter().map(work).collect(),
        }
    }

    fn threads(&self) -> Option<Arc<ThreadPool>> {
        let mut started = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let process = process();
        if started
            .as_ref()
            .is_none_or(|started| started.process != process)
        {
            *started = Some(Started {
                process,
                threads: ThreadPoolBuilder::new().build().ok().map(Arc::new),
            });
        }
        started.as_ref().and_then(|started| started.threads.clone())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // In a forked child nobody is left to hear that the threads should end, and the locks of
        // the pool may be those of a thread that is gone.
        if self.process != process() {
            std::mem::forget(self.threads.take());
        }
    }
}

/// The process that runs; always the same where processes do not fork.
fn process() -> u32 {
    if cfg!(unix) { std::process::id() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_done_in_order_and_nested() {
        let pool = Pool::new();
        let items: Vec<u64> = (0..1000).collect();
        let sum = |pool: &Pool| {
            let (a, b) = pool.join(
                || pool.map(&items, |&i| i * 2),
                || pool.map(&items, |&i| i + 1),
            );
            (a[999], b[0], a.len() + b.len())
        };
        assert_eq!(sum(&pool), (1998, 1, 2000));
    }

    #[test]
    fn threads_start_at_the_first_use_and_again_in_another_process() {
        let pool = Pool::new();
        assert!(pool.0.lock().unwrap().is_none());
        let first = pool.threads().unwrap();
        assert!(Arc::ptr_eq(&first, &pool.threads().unwrap()));
        // As a forked child sees it: started by a process that is not this one.
        pool.0.lock().unwrap().as_mut().unwrap().process ^= 1;
        let second = pool.threads().unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        assert_eq!(pool.join(|| 1, || 2), (1, 2));
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = Pool::new();
        let fault = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.join(|| panic!("planted"), || 1)
        }));
        assert!(fault.is_err());
        assert_eq!(pool.join(|| 1, || 2), (1, 2));
    }
}
