//! Signatures of another shape: order, kinds, parameters of the backend's own.

use dispatch::{Fault, Kind, Param, Rule, Signature};

use super::{Caught, ContractMutant, HONEST, dropped, inserted};

pub(super) const MUTANTS: &[ContractMutant] = &[
    ContractMutant {
        name: "contract-swaps-order",
        function: "spatial_autocorr",
        mistake: "lists `two_tailed` before `transformation`, both of them bool",
        origin: "the review's first objection: a direct positional call swaps them without an error",
        caught: Caught::Rule(Rule::S3),
        signature: |mut s| {
            let at = |s: &Signature, name: &str| s.params.iter().position(|p| p.name == name);
            if let (Some(i), Some(j)) = (at(&s, "transformation"), at(&s, "two_tailed")) {
                s.params.swap(i, j);
            }
            s
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-own-parameter-first",
        function: "co_occurrence",
        mistake: "has a parameter `device` of its own in second place",
        origin: "review, S4: it shifts whatever follows in a direct positional call",
        caught: Caught::Rule(Rule::S4),
        signature: |s| inserted(s, 2, Param::optional("device", 0)),
        answer: |seat, call| seat.answer(&dropped(call, "device")),
    },
    ContractMutant {
        name: "contract-own-parameter-required",
        function: "co_occurrence",
        mistake: "requires a keyword `device` of its own",
        origin: "a call of the host can never pass it",
        caught: Caught::Rule(Rule::D22),
        signature: |s| {
            let device = Param { kind: Kind::KeywordOnly, ..Param::required("device") };
            inserted(s, usize::MAX, device)
        },
        answer: |seat, call| seat.answer(&dropped(call, "device")),
    },
    ContractMutant {
        name: "contract-own-default-counts",
        function: "spatial_autocorr",
        mistake: "has a keyword exact=True of its own and rounds to float32 unless it is passed",
        origin: "a wrapper whose default differs from that of the function it wraps",
        caught: Caught::Rule(Rule::D22),
        signature: |s| inserted(s, usize::MAX, Param::keyword("exact", true)),
        answer: |seat, call| {
            let exact = call.params.contains_key("exact");
            let mut reply = seat.answer(&dropped(call, "exact"))?;
            if !exact {
                super::form::each_number(&mut reply, |x| f64::from(x as f32));
            }
            Ok(reply)
        },
    },
    ContractMutant {
        name: "contract-keyword-only",
        function: "spatial_autocorr",
        mistake: "takes everything after the AnnData by keyword only",
        origin: "rapids-singlecell's habit; harmless through a dispatcher, an error in a direct call",
        caught: Caught::Rule(Rule::C6),
        signature: |mut s| {
            s.params.iter_mut().skip(1).for_each(|p| p.kind = Kind::KeywordOnly);
            s
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-positional-only",
        function: "co_occurrence",
        mistake: "takes its arguments by position only",
        origin: "a compiled function without keyword names; the dispatcher fills it, a direct call by name fails",
        caught: Caught::Rule(Rule::C6),
        signature: |mut s| {
            let positional = s.params.iter_mut().filter(|p| p.is_positional());
            positional.for_each(|p| p.kind = Kind::PositionalOnly);
            s
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-takes-kwargs",
        function: "spatial_autocorr",
        mistake: "takes **kwargs and ignores them",
        origin: "adapters that forward everything; n_perm=1000 is accepted and means nothing",
        caught: Caught::Rule(Rule::D23),
        signature: |s| {
            let kwargs = Param { kind: Kind::VarKeyword, ..Param::required("kwargs") };
            inserted(s, usize::MAX, kwargs)
        },
        answer: |seat, call| seat.answer(&super::arguments::only_known(seat, call)),
    },
    ContractMutant {
        name: "contract-own-backend-kwargs",
        function: "ligrec",
        mistake: "has a parameter named `backend_kwargs`",
        origin: "the dispatcher's own word for arguments of the backend alone",
        caught: Caught::Rule(Rule::S5),
        signature: |s| {
            inserted(s, usize::MAX, Param::keyword("backend_kwargs", dispatch::Value::None))
        },
        answer: |seat, call| seat.answer(&dropped(call, "backend_kwargs")),
    },
    ContractMutant {
        name: "contract-shows-what-it-refuses",
        function: "spatial_autocorr",
        mistake: "shows `two_tailed` and raises a TypeError when it is passed",
        origin: "a manifest written by hand beside code that moved on",
        caught: Caught::Rule(Rule::C3),
        answer: |seat, call| match call.params.contains_key("two_tailed") {
            true => Err(Fault::rejected("TypeError", "unexpected keyword argument 'two_tailed'")),
            false => seat.answer(&call),
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-hides-random-state",
        function: "ligrec",
        mistake: "accepts `random_state` for `seed` without showing it",
        origin: "decorators for renamed parameters; a router that reads the signature drops it",
        caught: Caught::Rule(Rule::C3),
        answer: |seat, call| seat.answer(&super::renamed(call, "random_state", "seed")),
        ..HONEST
    },
    ContractMutant {
        name: "contract-lists-what-it-lacks",
        function: "ligrec",
        mistake: "lists `ligrec` and supports no call of it",
        origin: "a stub that ships before its code; a judge that forgives `not supported` sees no fault",
        caught: Caught::Rule(Rule::C14),
        answer: |_, _| Err(Fault::Unsupported("ligrec is coming soon".to_owned())),
        ..HONEST
    },
];
