//! Streams for queues, events for marks.

use std::collections::VecDeque;

use cudarc::driver::result::{self, event, stream};
use cudarc::driver::sys::{self, CUevent_flags, CUevent_wait_flags};
use dispatch::Fault;

use super::faults::fault;
use crate::driver::{Mark, Queue};

/// Events of a queue that are kept before those that have passed are looked for.
const MANY: usize = 64;

/// The streams of a context, one for each queue, and the events in them that may still be asked about.
#[derive(Default)]
pub(super) struct Marks {
    streams: Vec<sys::CUstream>,
    made: [u64; 3],
    events: [VecDeque<(u64, sys::CUevent)>; 3],
    spare: Vec<sys::CUevent>,
}

impl Marks {
    /// Creates the streams, before anything else is asked; the context is current.
    pub(super) fn open(&mut self) -> Result<(), Fault> {
        for _ in Queue::ALL {
            let stream = stream::create(stream::StreamKind::NonBlocking).map_err(fault)?;
            self.streams.push(stream);
        }
        Ok(())
    }

    pub(super) fn stream(&self, queue: Queue) -> sys::CUstream {
        self.streams[queue as usize]
    }

    pub(super) fn mark(&mut self, queue: Queue) -> Result<Mark, Fault> {
        if self.events[queue as usize].len() >= MANY {
            self.recycle_passed(queue);
        }
        let event = match self.spare.pop() {
            Some(event) => event,
            None => event::create(CUevent_flags::CU_EVENT_DEFAULT).map_err(fault)?,
        };
        let number = self.made[queue as usize];
        self.made[queue as usize] += 1;
        self.events[queue as usize].push_back((number, event));
        // SAFETY: stream and event belong to the context, which is current.
        unsafe { event::record(event, self.stream(queue)) }.map_err(fault)?;
        Ok(Mark { queue, number })
    }

    pub(super) fn follow(&self, queue: Queue, mark: Mark) -> Result<(), Fault> {
        let Some(event) = self.event(mark) else { return Ok(()) };
        let flags = CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT;
        // SAFETY: stream and event belong to the context, which is current.
        unsafe { stream::wait_event(self.stream(queue), event, flags) }.map_err(fault)
    }

    pub(super) fn wait(&mut self, mark: Mark) -> Result<(), Fault> {
        let Some(event) = self.event(mark) else { return Ok(()) };
        // SAFETY: the event was recorded in a stream of the context, which is current.
        unsafe { event::synchronize(event) }.map_err(fault)?;
        self.recycle(mark.queue, mark.number);
        Ok(())
    }

    pub(super) fn elapsed_ms(&mut self, from: Mark, to: Mark) -> Result<Option<f64>, Fault> {
        let (Some(start), Some(end)) = (self.event(from), self.event(to)) else { return Ok(None) };
        // SAFETY: both events were recorded in streams of the context, which is current.
        let time = unsafe {
            event::synchronize(end).map_err(fault)?;
            event::elapsed(start, end).map_err(fault)?
        };
        self.recycle(to.queue, to.number);
        Ok(Some(f64::from(time)))
    }

    /// The event of a mark; `None` if it is known to have passed.
    fn event(&self, mark: Mark) -> Option<sys::CUevent> {
        let events = &self.events[mark.queue as usize];
        let first = events.front()?.0;
        let at = usize::try_from(mark.number.checked_sub(first)?).ok()?;
        events.get(at).map(|(_, event)| *event)
    }

    /// Takes the events of a queue up to a number back, since the last of them has passed.
    fn recycle(&mut self, queue: Queue, last: u64) {
        let events = &mut self.events[queue as usize];
        while events.front().is_some_and(|(number, _)| *number <= last) {
            self.spare.extend(events.pop_front().map(|(_, event)| event));
        }
    }

    fn recycle_passed(&mut self, queue: Queue) {
        let passed = |event: sys::CUevent| {
            // SAFETY: the event was recorded in a stream of the context, which is current.
            unsafe { event::query(event) }.is_ok()
        };
        let last =
            self.events[queue as usize].iter().take_while(|(_, event)| passed(*event)).last();
        if let Some(&(last, _)) = last {
            self.recycle(queue, last);
        }
    }

    /// Gives everything back; the context is current.
    pub(super) fn destroy(&mut self) {
        let events = self.events.iter_mut().flat_map(|events| events.drain(..).map(|e| e.1));
        for event in events.chain(self.spare.drain(..)) {
            // SAFETY: created here and not destroyed before. Whatever fails has gone with the context.
            let _ = unsafe { result::event::destroy(event) };
        }
        for stream in self.streams.drain(..) {
            // SAFETY: as above.
            let _ = unsafe { stream::destroy(stream) };
        }
    }
}
