//! Filling a large buffer block by block on several threads.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes that are worth a thread.
const SHARE: usize = 1 << 21;
/// Copying from the page cache and unpacking gain little from more threads.
const MOST_THREADS: usize = 8;

/// Gives each block of `block` bytes, the last one perhaps shorter, to `fill` with its number and what the thread keeps
/// from one block to the next.
///
/// # Errors
/// That of the first block that has one, however many threads there are.
pub(crate) fn fill<S: Default, E: Send>(
    bytes: &mut [u8],
    block: usize,
    fill: impl Fn(&mut S, usize, &mut [u8]) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let threads = match bytes.len() / SHARE {
        0 | 1 => 1,
        shares => shares.min(thread::available_parallelism().map_or(1, NonZero::get)),
    };
    let blocks = Mutex::new(Some(bytes.chunks_mut(block.max(1)).enumerate()));
    let take = || {
        let mut blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.as_mut().and_then(Iterator::next)
    };
    let work = || {
        let mut kept = S::default();
        while let Some((number, block)) = take() {
            if let Err(error) = fill(&mut kept, number, block) {
                // Blocks before this one are taken already, so the first error is among those found.
                *blocks.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return Some((number, error));
            }
        }
        None
    };
    let first = thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        // Fewer threads than wanted are enough.
        let others: Vec<_> = (1..threads.min(MOST_THREADS)).filter_map(spawn).collect();
        let mut errors: Vec<(usize, E)> = work().into_iter().collect();
        for other in others {
            errors.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        errors.into_iter().min_by_key(|(number, _)| *number)
    });
    first.map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_filled_once_and_the_first_error_is_the_one_returned() {
        for len in [0, 1, 4096, 3 * SHARE + 17] {
            let mut bytes = vec![0u8; len];
            let add = |_: &mut (), number: usize, block: &mut [u8]| {
                block.iter_mut().for_each(|b| *b += 1 + (number % 7) as u8);
                Ok::<(), ()>(())
            };
            fill(&mut bytes, 1000, add).unwrap();
            let right = |(i, &b): (usize, &u8)| b == 1 + (i / 1000 % 7) as u8;
            assert!(bytes.iter().enumerate().all(right), "{len} bytes");
        }
        let mut bytes = vec![0u8; 4 * SHARE];
        for _ in 0..50 {
            let fails = |_: &mut (), number: usize, _: &mut [u8]| {
                if number % 100 >= 30 { Err(number) } else { Ok(()) }
            };
            assert_eq!(fill(&mut bytes, 1000, fails), Err(30));
        }
    }
}
