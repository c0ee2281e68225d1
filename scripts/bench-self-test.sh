#!/bin/sh
# What the lab says, with the clock of this machine, of two equal backends and of one that is 5 % slower: 20 measurements each.
# The deterministic test of the same is part of `cargo test -p harness`; this one tells how well it works here and now.
set -eu
cd "$(dirname "$0")/.."
exec cargo test --release -p harness --test bench -- --ignored --nocapture on_the_real_clock
