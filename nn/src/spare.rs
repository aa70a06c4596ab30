//! Buffers of calls that are over, wiped and kept for the next, so that a warm engine takes none
//! from the heap.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};
use zeroize::{DefaultIsZeroes, Zeroize};

/// Buffers of pixels.
pub static BYTES: Spare<u8> = Spare::new();
/// Buffers of masks.
pub static FLAGS: Spare<bool> = Spare::new();
/// Buffers of measurements.
pub static FLOATS: Spare<f32> = Spare::new();
/// Buffers of positions.
pub static PLACES: Spare<usize> = Spare::new();

/// What is kept of one type; more is given back to the system.
const MOST_BYTES: usize = 64 << 20;

/// Buffers that nobody uses.
pub struct Spare<T>(Mutex<Vec<Vec<T>>>);

/// A buffer in use, of a length that stays. It may hold a face, so it is wiped when it goes back.
pub struct Buffer<T: DefaultIsZeroes + 'static> {
    values: Vec<T>,
    home: &'static Spare<T>,
}

impl<T> Spare<T> {
    /// Keeps nothing yet.
    #[expect(clippy::new_without_default, reason = "made for statics")]
    pub const fn new() -> Self {
        Spare(Mutex::new(Vec::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<T>>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl<T: DefaultIsZeroes> Spare<T> {
    /// Returns a buffer of `length` zeros.
    pub fn take(&'static self, length: usize) -> Buffer<T> {
        let mut spare = self.lock();
        let fitting = spare
            .iter()
            .enumerate()
            .filter(|(_, kept)| kept.capacity() >= length)
            .min_by_key(|(_, kept)| kept.capacity());
        let found = fitting.map(|(at, _)| at);
        let mut values = found.map(|at| spare.swap_remove(at)).unwrap_or_default();
        drop(spare);
        // What is kept is zeros.
        values.resize(length, T::default());
        Buffer { values, home: self }
    }

    /// Returns a buffer of `values`.
    #[inline(always)]
    pub fn collect(&'static self, values: impl ExactSizeIterator<Item = T>) -> Buffer<T> {
        let mut buffer = self.take(values.len());
        buffer
            .iter_mut()
            .zip(values)
            .for_each(|(to, value)| *to = value);
        buffer
    }
}

impl<T: DefaultIsZeroes + 'static> Drop for Buffer<T> {
    fn drop(&mut self) {
        // The slice at once: `Vec` would wipe byte after byte.
        self.values.as_mut_slice().zeroize();
        let mut spare = self.home.lock();
        let bytes = |values: &Vec<T>| values.capacity() * size_of::<T>();
        if spare.iter().map(bytes).sum::<usize>() + bytes(&self.values) <= MOST_BYTES {
            spare.push(std::mem::take(&mut self.values));
        }
    }
}

impl<T: DefaultIsZeroes> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T: DefaultIsZeroes> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_wiped_and_is_used_again() {
        static SPARE: Spare<u8> = Spare::new();
        let (large, mut small) = (SPARE.take(100), SPARE.take(10));
        small.fill(7);
        let places = [&large, &small].map(|buffer| buffer.as_ptr());
        drop((large, small));
        let (nine, twenty) = (SPARE.take(9), SPARE.take(20));
        assert_eq!(
            [&twenty, &nine].map(|buffer| buffer.as_ptr()),
            places,
            "the smallest that fits"
        );
        assert!(nine.iter().chain(&twenty[..]).all(|&value| value == 0));
        assert_eq!((nine.len(), twenty.len(), SPARE.lock().len()), (9, 20, 0));
        assert_eq!(SPARE.collect([1, 2, 3].into_iter())[..], [1, 2, 3]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        static SPARE: Spare<u8> = Spare::new();
        let half = || SPARE.take(MOST_BYTES / 2);
        drop([half(), half(), half()]);
        assert_eq!(SPARE.lock().len(), 2);
    }
}
