//! Values as Python source.

use std::fmt::Write as _;

use dispatch::{Buffer, Dense, Format, Frame, Index, Order, Value, text_of};

/// Python source of an expression that gives the value, with numpy as `np`, pandas as `pd` and scipy.sparse as `sp`.
///
/// # Errors
/// When Python source cannot hold it: an AnnData passed as an argument.
pub fn literal(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::None => "None".to_owned(),
        Value::Bool(b) => truth(*b).to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Float(x) => match float(*x) {
            special if special.starts_with("np.") => format!("float({special})"),
            number => number,
        },
        Value::Text(t) => text(t),
        Value::List(items) => format!("[{}]", all(items)?),
        Value::Tuple(items) if items.len() == 1 => format!("({},)", all(items)?),
        Value::Tuple(items) => format!("({})", all(items)?),
        Value::Map(map) => {
            let entry = |(k, v): (&String, &Value)| Ok(format!("{}: {}", text(k), literal(v)?));
            format!("{{{}}}", map.iter().map(entry).collect::<Result<Vec<_>, String>>()?.join(", "))
        }
        Value::Dense(dense) => array(dense),
        Value::Strings(s) => {
            let entry = |v: &Option<String>| v.as_deref().map_or_else(|| "None".to_owned(), text);
            let entries = s.values.iter().map(entry).collect::<Vec<_>>().join(", ");
            match s.shape.as_slice() {
                [_] => format!("np.array([{entries}], dtype=object)"),
                shape => format!("np.array([{entries}], dtype=object).reshape({shape:?})"),
            }
        }
        Value::Masked(m) => {
            let missing = m.mask.iter().map(|b| truth(*b)).collect::<Vec<_>>().join(", ");
            let array = array(&m.values);
            let class = if m.values.dtype().name() == "bool" { "Boolean" } else { "Integer" };
            format!("pd.arrays.{class}Array({array}, np.array([{missing}], dtype=bool))")
        }
        Value::Sparse(s) => {
            let class = match s.format {
                Format::Csr => "csr_matrix",
                Format::Csc => "csc_matrix",
            };
            let index =
                |values: Vec<usize>, dtype| format!("np.array({values:?}, dtype=\"{dtype}\")");
            let (indices, indptr) = (s.indices.to_vec(), s.indptr.to_vec());
            format!(
                "sp.{class}(({}, {}, {}), shape={:?})",
                array(&Dense::vector(s.data.clone())),
                index(indices, s.indices.dtype().name()),
                index(indptr, s.indptr.dtype().name()),
                s.shape
            )
        }
        Value::Categorical(c) => format!(
            "pd.Categorical.from_codes({:?}, {}, ordered={})",
            c.codes,
            literal(&c.categories)?,
            truth(c.ordered)
        ),
        Value::Frame(f) => frame(f)?,
        Value::Data(_) => return Err("an AnnData as an argument has no Python literal".to_owned()),
    })
}

fn all(items: &[Value]) -> Result<String, String> {
    Ok(items.iter().map(literal).collect::<Result<Vec<_>, _>>()?.join(", "))
}

fn truth(b: bool) -> &'static str {
    if b { "True" } else { "False" }
}

/// Shortest decimals that read back to the same bits, as Rust's and Python's `repr` both print.
fn float(x: f64) -> String {
    match x {
        x if x.is_nan() => "np.nan".to_owned(),
        f64::INFINITY => "np.inf".to_owned(),
        f64::NEG_INFINITY => "-np.inf".to_owned(),
        x => format!("{x:?}"),
    }
}

/// A Python string; nothing in it can end the literal or the line.
pub(super) fn text(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            // Writing to a string cannot fail.
            c => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out + "\""
}

fn array(dense: &Dense) -> String {
    let c = dense.to_order(Order::C);
    let list = |entries: Vec<String>| entries.join(", ");
    let entries = match &c.data {
        Buffer::Bool(v) => list(v.iter().map(|b| truth(*b).to_owned()).collect()),
        Buffer::I64(v) => list(v.iter().map(i64::to_string).collect()),
        Buffer::U64(v) => list(v.iter().map(u64::to_string).collect()),
        b if b.dtype().is_float() => list(b.to_f64().into_iter().map(float).collect()),
        b => list(b.to_f64().into_iter().map(|x| format!("{x}")).collect()),
    };
    let dtype = c.dtype().name();
    match c.shape.as_slice() {
        // `np.bool` exists since NumPy 2, `np.bool_` always.
        [] if dtype == "bool" => format!("np.bool_({entries})"),
        [] => format!("np.{dtype}({entries})"),
        [_] => format!("np.array([{entries}], dtype=\"{dtype}\")"),
        shape => {
            let array = format!("np.array([{entries}], dtype=\"{dtype}\").reshape({shape:?})");
            if dense.order == Order::F { format!("np.asfortranarray({array})") } else { array }
        }
    }
}

fn frame(frame: &Frame) -> Result<String, String> {
    // Columns by number first: names may occur twice.
    let column = |(i, c): (usize, &Value)| Ok(format!("{i}: {}", literal(c)?));
    let columns =
        frame.columns.iter().enumerate().map(column).collect::<Result<Vec<_>, String>>()?;
    let (rows, names) = (index(&frame.index)?, index(&frame.column_index)?);
    Ok(format!("pd.DataFrame({{{}}}, index={rows}).set_axis({names}, axis=1)", columns.join(", ")))
}

fn index(index: &Index) -> Result<String, String> {
    let name = |n: &Option<String>| n.as_deref().map_or_else(|| "None".to_owned(), text);
    match (index.names.as_slice(), index.levels.as_slice()) {
        ([only], [level]) => Ok(format!("pd.Index({}, name={})", literal(level)?, name(only))),
        (names, levels) => {
            let levels: Vec<Vec<String>> = levels.iter().map(text_of).collect();
            let quoted = |level: &Vec<String>| {
                format!("[{}]", level.iter().map(|t| text(t)).collect::<Vec<_>>().join(", "))
            };
            let arrays = levels.iter().map(quoted).collect::<Vec<_>>().join(", ");
            let names = names.iter().map(name).collect::<Vec<_>>().join(", ");
            Ok(format!("pd.MultiIndex.from_arrays([{arrays}], names=[{names}])"))
        }
    }
}

#[cfg(test)]
mod tests {
    use dispatch::{Categorical, Strings};

    use super::*;

    #[test]
    fn values_read_as_a_person_would_write_them() {
        let pair = Value::Tuple(vec!["a\"\n".into(), Value::Float(1.0)]);
        assert_eq!(literal(&pair).unwrap(), r#"("a\"\U0000000a", 1.0)"#);
        assert_eq!(literal(&Value::Tuple(vec![Value::None])).unwrap(), "(None,)");
        assert_eq!(literal(&Value::Float(f64::NEG_INFINITY)).unwrap(), "-np.inf");
        let scalar = Value::from(Dense::new(vec![], vec![5i64]));
        assert_eq!(literal(&scalar).unwrap(), "np.int64(5)");
        let matrix = Dense::new(vec![2, 1], vec![0.5f32, f32::NAN]).to_order(Order::F);
        let expected =
            r#"np.asfortranarray(np.array([0.5, np.nan], dtype="float32").reshape([2, 1]))"#;
        assert_eq!(literal(&matrix.into()).unwrap(), expected);
        let labels = Categorical::new(vec![0, -1], ["x"]);
        let expected =
            r#"pd.Categorical.from_codes([0, -1], np.array(["x"], dtype=object), ordered=False)"#;
        assert_eq!(literal(&labels.into()).unwrap(), expected);
        let frame = Frame::new(Index::text(["r"]), [("c", Strings::new(["v"]).into())]);
        assert!(literal(&frame.into()).unwrap().starts_with("pd.DataFrame({0: np.array([\"v\"]"));
    }
}
