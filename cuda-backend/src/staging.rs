//! The way between host and device: page-locked pieces, two in each direction, so that one is filled or emptied by
//! the host while the other travels.

use dispatch::Fault;

use crate::driver::{Driver, Mark, Memory, Pinned, Queue};

/// Pieces of page-locked memory, taken in turns.
#[derive(Default)]
pub(crate) struct Staging {
    uploads: [Option<Piece>; 2],
    downloads: [Option<Piece>; 2],
    turn: usize,
}

#[derive(Clone, Copy)]
struct Piece {
    pinned: Pinned,
    /// The copy that last touched it.
    under_way: Option<Mark>,
}

impl Piece {
    /// A piece that is there, or a new one.
    fn of<'p>(
        place: &'p mut Option<Piece>,
        driver: &mut dyn Driver,
    ) -> Result<&'p mut Piece, Fault> {
        match place {
            Some(piece) => Ok(piece),
            none => {
                let pinned = driver.pin(driver.piece())?;
                Ok(none.insert(Piece { pinned, under_way: None }))
            }
        }
    }

    /// Waits for the copy that last touched it.
    fn settle(&mut self, driver: &mut dyn Driver) -> Result<(), Fault> {
        match self.under_way.take() {
            Some(mark) => driver.wait(mark),
            None => Ok(()),
        }
    }
}

impl Staging {
    /// Copies bytes to the start of device memory. On return they are the host's again, and on their way.
    pub(crate) fn send(
        &mut self,
        driver: &mut dyn Driver,
        bytes: &[u8],
        to: Memory,
    ) -> Result<(), Fault> {
        let size = driver.piece();
        for (i, part) in bytes.chunks(size).enumerate() {
            let piece = Piece::of(&mut self.uploads[self.turn], driver)?;
            self.turn = 1 - self.turn;
            piece.settle(driver)?;
            driver.pinned(piece.pinned)?[..part.len()].copy_from_slice(part);
            driver.upload(piece.pinned, to.part(i * size..i * size + part.len()))?;
            piece.under_way = Some(driver.mark(Queue::Uploads)?);
        }
        Ok(())
    }

    /// Copies bytes from the start of device memory and waits for them.
    pub(crate) fn fetch(
        &mut self,
        driver: &mut dyn Driver,
        from: Memory,
        bytes: &mut [u8],
    ) -> Result<(), Fault> {
        let size = driver.piece();
        let starts = || (0..bytes.len()).step_by(size);
        let parts: Vec<_> = starts().map(|start| start..bytes.len().min(start + size)).collect();
        // A part travels while the one before it is taken out.
        for i in 0..=parts.len() {
            if let Some(part) = parts.get(i) {
                let piece = Piece::of(&mut self.downloads[i % 2], driver)?;
                driver.download(from.part(part.clone()), piece.pinned)?;
                piece.under_way = Some(driver.mark(Queue::Downloads)?);
            }
            if let Some(part) = i.checked_sub(1).and_then(|before| parts.get(before)) {
                let piece = Piece::of(&mut self.downloads[(i - 1) % 2], driver)?;
                piece.settle(driver)?;
                let held = &driver.pinned(piece.pinned)?[..part.len()];
                bytes[part.clone()].copy_from_slice(held);
            }
        }
        Ok(())
    }

    /// Gives the page-locked memory back; no copy may still be on its way.
    pub(crate) fn give_up(&mut self, driver: &mut dyn Driver) {
        let pieces = self.uploads.iter_mut().chain(&mut self.downloads).filter_map(Option::take);
        pieces.for_each(|piece| driver.unpin(piece.pinned));
    }
}
