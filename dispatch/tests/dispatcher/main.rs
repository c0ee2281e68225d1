//! The dispatcher: which backend a name and a place mean, and what a call does.

mod calling;
mod hosts;
mod selecting;
