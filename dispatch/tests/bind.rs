//! Binding is Python's: every small call of `data/bind.txt`, made by Python itself, has the same outcome here.

use dispatch::{Bound, Fault, Kind, Param, Params, Signature, Value, bind, bind_open};

/// A signature from its Python text; every default is 9.
fn signature(text: &str) -> Signature {
    let mut kind = Kind::PositionalOrKeyword;
    let mut params: Vec<Param> = Vec::new();
    for word in text.split(", ").filter(|word| !word.is_empty()) {
        match word {
            "/" => params.iter_mut().for_each(|p| p.kind = Kind::PositionalOnly),
            "*" => kind = Kind::KeywordOnly,
            _ => {
                let (name, default) =
                    word.split_once('=').map_or((word, None), |(n, d)| (n, Some(d)));
                let name = name.trim_start_matches('*');
                let mut param = match default {
                    Some(_) => Param::optional(name, 9),
                    None => Param::required(name),
                };
                param.kind = match word.chars().take_while(|c| *c == '*').count() {
                    0 => kind,
                    1 => Kind::VarPositional,
                    _ => Kind::VarKeyword,
                };
                if param.kind == Kind::VarPositional {
                    kind = Kind::KeywordOnly;
                }
                params.push(param);
            }
        }
    }
    Signature::new(params)
}

fn text(value: &Value) -> String {
    match value {
        Value::Int(i) => i.to_string(),
        Value::Text(text) => text.clone(),
        other => panic!("{other:?} was never passed"),
    }
}

/// The outcome in the words of the file.
fn outcome(bound: Bound) -> String {
    let mut items: Vec<String> = Vec::new();
    items.extend(bound.named.iter().map(|(name, value)| format!("{name}={}", text(value))));
    items.extend(bound.star.iter().map(|value| format!("*={}", text(value))));
    items.extend(bound.extra.iter().map(|(name, value)| format!("**{name}={}", text(value))));
    items.sort();
    [vec!["ok".to_owned()], items].concat().join(" ")
}

#[test]
fn every_small_call_binds_as_in_python() {
    let lines: Vec<&str> = include_str!("data/bind.txt").lines().skip(1).collect();
    assert_eq!(lines.len(), 800);
    for line in lines {
        let parts: Vec<&str> = line.split(" | ").collect();
        let positional = (0..parts[1].parse().unwrap()).map(Value::Int).collect();
        let keyword: Params =
            parts[2].split_whitespace().map(|name| (name.to_owned(), name.into())).collect();
        match bind(&signature(parts[0]), positional, keyword) {
            Ok(bound) => assert_eq!(outcome(bound), parts[3], "{line}"),
            // Ours says more after Python's words: how many were taken, which name was meant.
            Err(error) => {
                let Fault::Rejected { kind, message, .. } = Fault::from(error) else {
                    unreachable!()
                };
                assert_eq!(kind, "TypeError");
                // `error`: inspect binds these four, the call itself refuses.
                // Python says `keyword-only` in some of the cases where it is true, ours in all.
                let plain = |text: &str| text.replace(" keyword-only", "");
                let same = parts[3] == "error" || plain(&message).starts_with(&plain(parts[3]));
                assert!(same, "{line}\n{message}");
            }
        }
    }
}

#[test]
fn an_error_says_what_to_do() {
    let sig = signature("adata, n_perms=9, *, seed=9");
    let check = |positional: usize, keyword: &str, expected: &str| {
        let positional = vec![Value::None; positional];
        let error = bind(&sig, positional, Params::from([(keyword.to_owned(), Value::None)]));
        assert_eq!(error.unwrap_err().to_string(), expected);
    };
    check(3, "seed", "too many positional arguments: expected at most 2, got 3");
    check(1, "n_perm", "got an unexpected keyword argument 'n_perm'. Did you mean 'n_perms'?");
    check(1, "zzz", "got an unexpected keyword argument 'zzz'");
}

#[test]
fn an_open_binding_keeps_what_the_host_does_not_know() {
    let keyword =
        Params::from([("tile".to_owned(), Value::Int(2)), ("a".to_owned(), Value::Int(1))]);
    let bound = bind_open(&signature("a"), vec![], keyword).unwrap();
    assert_eq!(outcome(bound), "ok **tile=2 a=1");
}

#[test]
fn defaults_are_filled_in_on_request() {
    let sig = signature("a, b=9, *, c=9");
    let bound = bind(&sig, vec![Value::Int(1), Value::Int(2)], Params::new()).unwrap();
    let expected = [("a", 1), ("b", 2), ("c", 9)].map(|(n, v)| (n.to_owned(), Value::Int(v)));
    assert_eq!(bound.with_defaults(&sig), Params::from(expected));
}

#[test]
fn the_annotated_data_is_taken_out_by_the_first_parameter() {
    let sig = signature("adata, key");
    let data = Value::Data(dispatch::Dataset::new().into());
    let mut bound = bind(&sig, vec![data, "batch".into()], Params::new()).unwrap();
    assert!(bound.take_data(&sig).unwrap().is_empty());
    assert_eq!(bound.named.len(), 1);
    let mut bound = bind(&sig, vec!["no".into(), "batch".into()], Params::new()).unwrap();
    let fault = bound.take_data(&sig).unwrap_err();
    assert_eq!(fault, Fault::rejected("TypeError", "expected an AnnData for 'adata', got str"));
}
