//! How much of a call fits the device at a time, settled before any memory is taken.

use std::ops::Range;

use dispatch::Fault;

use crate::session::Session;

/// What so many buffers may lose to alignment.
pub(crate) const SLACK: usize = 16 << 10;

/// What a call needs of the device's memory.
pub(crate) struct Plan<'p> {
    /// The function.
    pub(crate) function: &'p str,
    /// What is there throughout, and its bytes.
    pub(crate) throughout: &'p [(&'p str, usize)],
    /// One of what is worked on in batches, and its bytes with those that one more in advance takes.
    pub(crate) each: (&'p str, usize),
}

impl Plan<'_> {
    /// How many fit at a time, at least one; half of the memory is left for what comes beside them.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`] that says what is needed and what there is, if not even one fits.
    pub(crate) fn batch(&self, session: &Session<'_>) -> Result<usize, Fault> {
        let throughout: usize =
            SLACK + self.throughout.iter().map(|(_, bytes)| bytes).sum::<usize>();
        let (left, (what, each)) = (session.left(), self.each);
        if throughout + each > left {
            let parts = self.throughout.iter().copied().chain([(what, each)]);
            let parts: Vec<String> = parts.map(|(what, bytes)| format!("{what} {bytes}")).collect();
            return Err(Fault::OutOfMemory(format!(
                "{} needs {} bytes of device memory at least ({}), {left} are available; {LESS}",
                self.function,
                throughout + each,
                parts.join(", "),
            )));
        }
        Ok(((left - throughout) / 2 / each.max(1)).max(1))
    }
}

/// What to do about a call that does not fit the device.
pub(crate) const LESS: &str = "use fewer features, permutations or cells in a call, close other programs on the device, or take a larger one";

/// Ranges of items of at most `most` together, or of one item; `starts` says where each starts, and where the last ends.
pub(crate) fn tiles(starts: &[u64], most: u64) -> Vec<Range<usize>> {
    let (mut tiles, mut first) = (Vec::new(), 0);
    for item in 0..starts.len() - 1 {
        if starts[item + 1] - starts[first] > most && item > first {
            tiles.push(first..item);
            first = item;
        }
    }
    tiles.push(first..starts.len() - 1);
    tiles
}

#[cfg(test)]
mod tests {
    use super::tiles;

    #[test]
    fn tiles_hold_every_item_once_and_at_most_what_fits() {
        let starts = [0, 3, 3, 5, 9, 10];
        assert_eq!(tiles(&starts, 5), [0..3, 3..5]);
        assert_eq!(tiles(&starts, 10), vec![0..5]);
        assert_eq!(tiles(&starts, 1), [0..1, 1..2, 2..3, 3..4, 4..5]);
        assert_eq!(tiles(&[0], 1), vec![0..0]);
    }
}
