//! What the emulated device was asked to do and has not done yet.
//!
//! A GPU does the work of a queue in order and of different queues in any order, sooner or later. Here schedule 0 is the
//! laziest that a GPU may be: nothing is done before it is waited for, and then only what that takes. Other schedules
//! do, at random, whatever a GPU might. A copy from memory that was rewritten too early, or a kernel that does not wait
//! for its input, then gives wrong numbers.

use std::collections::VecDeque;

use crate::driver::{Argument, Grid, Mark, Memory, Pinned, Queue};

/// One thing to do.
#[derive(Debug)]
pub(super) enum Work {
    Upload { from: Pinned, to: Memory },
    Download { from: Memory, to: Pinned },
    Fill { memory: Memory, byte: u8 },
    Launch { kernel: String, grid: Grid, arguments: Vec<Argument> },
    Mark,
    Follow(Mark),
}

/// The queues, in the order of [`Queue::ALL`].
#[derive(Debug)]
pub(super) struct Queues {
    waiting: [VecDeque<Work>; 3],
    marks_made: [u64; 3],
    marks_reached: [u64; 3],
    random: u64,
}

impl Queues {
    pub(super) fn new(schedule: u64) -> Queues {
        Queues {
            waiting: Default::default(),
            marks_made: [0; 3],
            marks_reached: [0; 3],
            // A multiple of an odd number is another seed, and 0 stays 0.
            random: schedule.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        }
    }

    pub(super) fn push(&mut self, queue: Queue, work: Work) {
        self.waiting[queue as usize].push_back(work);
    }

    pub(super) fn mark(&mut self, queue: Queue) -> Mark {
        let number = self.marks_made[queue as usize];
        self.marks_made[queue as usize] += 1;
        self.push(queue, Work::Mark);
        Mark { queue, number }
    }

    /// How much a GPU gets done before the host asks for more: nothing in schedule 0.
    pub(super) fn pace(&mut self) -> u64 {
        if self.random == 0 { 0 } else { self.draw(3) }
    }

    /// What is done next on the way to a mark, or, without one, at all; `None` when there is nothing to do for it.
    pub(super) fn next(&mut self, mark: Option<Mark>) -> Option<Work> {
        loop {
            if mark.is_some_and(|mark| self.reached(mark)) {
                return None;
            }
            let queue = match mark {
                Some(mark) if self.random == 0 => self.first_before(mark),
                Some(_) | None => self.any()?,
            };
            match self.waiting[queue as usize].pop_front()? {
                Work::Mark => self.marks_reached[queue as usize] += 1,
                Work::Follow(_) => {}
                work => return Some(work),
            }
        }
    }

    fn reached(&self, mark: Mark) -> bool {
        self.marks_reached[mark.queue as usize] > mark.number
    }

    /// What the head of a queue waits for in another.
    fn held_up(&self, queue: Queue) -> Option<Mark> {
        match self.waiting[queue as usize].front() {
            Some(Work::Follow(mark)) if !self.reached(*mark) => Some(*mark),
            _ => None,
        }
    }

    /// The queue whose head must be done first to get to a mark.
    fn first_before(&self, mark: Mark) -> Queue {
        let mut queue = mark.queue;
        while let Some(other) = self.held_up(queue) {
            queue = other.queue;
        }
        queue
    }

    /// Any queue whose head can be done.
    fn any(&mut self) -> Option<Queue> {
        let ready = |q: &Queue| !self.waiting[*q as usize].is_empty() && self.held_up(*q).is_none();
        let ready: Vec<Queue> = Queue::ALL.into_iter().filter(ready).collect();
        let count = ready.len() as u64;
        (count > 0).then(|| ready[self.draw(count) as usize])
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// Whether something to be done touches page-locked memory.
    pub(super) fn touch_pinned(&self, pinned: Pinned) -> bool {
        let touches = |work: &Work| match work {
            Work::Upload { from: at, .. } | Work::Download { to: at, .. } => {
                at.address == pinned.address
            }
            Work::Fill { .. } | Work::Launch { .. } | Work::Mark | Work::Follow(_) => false,
        };
        self.waiting.iter().flatten().any(touches)
    }

    /// Whether something to be done touches device memory.
    pub(super) fn touch(&self, memory: Memory) -> bool {
        let within = |at: &Memory| {
            (memory.address..memory.address + memory.bytes as u64).contains(&at.address)
        };
        let touches = |work: &Work| match work {
            Work::Upload { to: at, .. }
            | Work::Download { from: at, .. }
            | Work::Fill { memory: at, .. } => within(at),
            Work::Launch { arguments, .. } => arguments
                .iter()
                .any(|argument| matches!(argument, Argument::Buffer(at) if within(at))),
            Work::Mark | Work::Follow(_) => false,
        };
        self.waiting.iter().flatten().any(touches)
    }

    /// Forgets all work, as a device does that is lost.
    pub(super) fn abandon(&mut self) {
        self.waiting = Default::default();
        self.marks_reached = self.marks_made;
    }
}
