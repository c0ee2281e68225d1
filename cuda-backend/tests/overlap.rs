//! Copies and kernels that overlap: the emulated device shows whoever forgets to wait.
#![cfg(emulated)]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod inputs;

use cuda_backend::Gpu;
use cuda_backend::driver::{Argument, Driver, Grid, Mark, Memory, Pinned, Queue};
use cuda_backend::emulated::Emulated;
use dispatch::{Backend, Call, Device, Fault};
use inputs::{autocorr, cooc, ligrec};

/// An order between copies and kernels that the host asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    /// The host waits for a queue.
    Host(Queue),
    /// A queue waits for another.
    Between { later: Queue, earlier: Queue },
}

const ORDERS: [Order; 5] = [
    Order::Host(Queue::Uploads),
    Order::Host(Queue::Downloads),
    Order::Between { later: Queue::Kernels, earlier: Queue::Uploads },
    Order::Between { later: Queue::Downloads, earlier: Queue::Kernels },
    // Memory that kernels have used is filled anew.
    Order::Between { later: Queue::Uploads, earlier: Queue::Kernels },
];

/// A device that forgets one order.
struct Careless {
    inner: Emulated,
    forgets: Option<Order>,
}

impl Driver for Careless {
    fn follow(&mut self, queue: Queue, mark: Mark) -> Result<(), Fault> {
        if self.forgets == Some(Order::Between { later: queue, earlier: mark.queue }) {
            return Ok(());
        }
        self.inner.follow(queue, mark)
    }
    fn wait(&mut self, mark: Mark) -> Result<(), Fault> {
        if self.forgets == Some(Order::Host(mark.queue)) { Ok(()) } else { self.inner.wait(mark) }
    }
    fn device(&self) -> Device {
        self.inner.device()
    }
    fn budget(&self) -> usize {
        self.inner.budget()
    }
    fn piece(&self) -> usize {
        self.inner.piece()
    }
    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault> {
        self.inner.allocate(bytes)
    }
    fn free(&mut self, memory: Memory) {
        self.inner.free(memory);
    }
    fn pin(&mut self, bytes: usize) -> Result<Pinned, Fault> {
        self.inner.pin(bytes)
    }
    fn unpin(&mut self, pinned: Pinned) {
        self.inner.unpin(pinned);
    }
    fn pinned(&mut self, pinned: Pinned) -> Result<&mut [u8], Fault> {
        self.inner.pinned(pinned)
    }
    fn upload(&mut self, from: Pinned, to: Memory) -> Result<(), Fault> {
        self.inner.upload(from, to)
    }
    fn download(&mut self, from: Memory, to: Pinned) -> Result<(), Fault> {
        self.inner.download(from, to)
    }
    fn clear(&mut self, memory: Memory) -> Result<(), Fault> {
        self.inner.clear(memory)
    }
    fn forget(&mut self, memory: Memory) -> Result<(), Fault> {
        self.inner.forget(memory)
    }
    fn launch(&mut self, kernel: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Fault> {
        self.inner.launch(kernel, grid, arguments)
    }
    fn mark(&mut self, queue: Queue) -> Result<Mark, Fault> {
        self.inner.mark(queue)
    }
}

/// Whether a call on a small device gives another answer than the reference under some schedule, or none.
fn shows(call: &Call, forgets: Option<Order>) -> bool {
    let right = reference::backend().run(call).unwrap().data.digest();
    (0..6).any(|schedule| {
        let backend = cuda_backend::on(Gpu::opened_by(move || {
            let mut inner = Emulated::default();
            (inner.schedule, inner.piece, inner.budget) = (schedule, 1024, 150_000);
            Ok(Box::new(Careless { inner, forgets }))
        }));
        // The second call finds memory that the first has used.
        let answers = [backend.run(call), backend.run(call)];
        answers.iter().any(|answer| !matches!(answer, Ok(a) if a.data.digest() == right))
    })
}

#[test]
fn every_forgotten_order_shows_and_a_careful_host_does_not() {
    let mut numpy = autocorr(300, 3, "moran", 40);
    numpy.params.insert("rng".to_owned(), "numpy".into());
    let calls = [numpy, autocorr(300, 4, "geary", 40), cooc(300, 3, 70), ligrec(300, 5, 3, 40)];
    for call in &calls {
        assert!(!shows(call, None), "{}", call.function);
    }
    for order in ORDERS {
        assert!(calls.iter().any(|call| shows(call, Some(order))), "{order:?}");
    }
}
