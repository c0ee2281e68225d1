//! A choice of backend that holds for a while: for a block, or for a future.
//!
//! Scopes live in a stack of their thread. A future is polled on many threads, so it does not enter a scope and
//! stay; [`Scoped`] enters it for the length of each poll. That works on any executor.

use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use crate::registry::Choice;

struct Entry {
    dispatcher: u64,
    token: u64,
    choice: Choice,
}

thread_local! {
    static SCOPES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The choice of the innermost scope of a dispatcher on this thread.
pub(crate) fn innermost(dispatcher: u64) -> Option<Choice> {
    SCOPES.with_borrow(|scopes| {
        scopes.iter().rev().find(|e| e.dispatcher == dispatcher).map(|e| e.choice.clone())
    })
}

/// Enters a scope on this thread.
pub(crate) fn enter(dispatcher: u64, choice: Choice) -> Scope {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let token = NEXT.fetch_add(1, Ordering::Relaxed);
    SCOPES.with_borrow_mut(|scopes| scopes.push(Entry { dispatcher, token, choice }));
    Scope { token, not_send: PhantomData }
}

/// A scope in which a backend is selected; ends when dropped, by an error or a panic too.
///
/// It belongs to its thread and cannot be held across an `.await` that may move to another; a future takes
/// its scope along with [`Dispatcher::scope`](crate::Dispatcher::scope) instead.
///
/// ```compile_fail
/// fn must_be_send<T: Send>() {}
/// must_be_send::<dispatch::Scope>();
/// ```
#[must_use = "the scope ends when this is dropped"]
#[derive(Debug)]
pub struct Scope {
    token: u64,
    not_send: PhantomData<*const ()>,
}

impl Drop for Scope {
    fn drop(&mut self) {
        // By token, not by popping: scopes held in variables may end in any order. The stack of a thread
        // that is being torn down is gone already.
        let _ = SCOPES.try_with(|scopes| {
            let removed = scopes.try_borrow_mut().ok().and_then(|mut scopes| {
                let at = scopes.iter().rposition(|e| e.token == self.token)?;
                Some(scopes.remove(at))
            });
            // A backend's own destructor may dispatch; the stack is no longer borrowed here.
            drop(removed);
        });
    }
}

/// A future inside a scope, wherever it is polled.
#[must_use = "a future does nothing until it is polled"]
pub struct Scoped<F> {
    dispatcher: u64,
    choice: Choice,
    future: Pin<Box<F>>,
}

impl<F> Scoped<F> {
    pub(crate) fn new(dispatcher: u64, choice: Choice, future: F) -> Scoped<F> {
        Scoped { dispatcher, choice, future: Box::pin(future) }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let _scope = enter(this.dispatcher, this.choice.clone());
        this.future.as_mut().poll(context)
    }
}
