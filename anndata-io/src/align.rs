//! Whether the slots of an AnnData object fit each other.
//!
//! anndata refuses an object whose `obsm` has other rows than `obs`; so do we, both ways, because
//! every backend takes the fit for granted.

use dispatch::{Map, Value};

/// A slot that does not fit.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) at: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

/// Checks kinds and lengths of all slots that are there.
pub(crate) fn check(slots: &Map) -> Result<(), Misfit> {
    let (cells, genes) = lengths(slots);
    for (name, value) in slots {
        match name.as_str() {
            "X" => fits("X", value, &[cells, genes])?,
            "obs" => frame("obs", value, cells)?,
            "var" => frame("var", value, genes)?,
            "layers" => each(name, value, &[cells, genes])?,
            "obsm" => each(name, value, &[cells])?,
            "varm" => each(name, value, &[genes])?,
            "obsp" => each(name, value, &[cells, cells])?,
            "varp" => each(name, value, &[genes, genes])?,
            "raw" => raw(value, cells)?,
            "uns" => drop(members(name, value)?),
            _ => {}
        }
    }
    Ok(())
}

/// Cells and genes: the lengths of `obs` and `var`, else of the first slot that has them.
pub(crate) fn lengths(slots: &Map) -> (usize, usize) {
    let axis = |value: &Value, axis: usize| shape(value).and_then(|s| s.get(axis).copied());
    let slot = |name: &str, k: usize| slots.get(name).and_then(|v| axis(v, k));
    let member = |name: &str, k: usize| match slots.get(name) {
        Some(Value::Map(map)) => map.values().find_map(|v| axis(v, k)),
        _ => None,
    };
    let first = |frame: &str, k: usize, along: &[&str]| {
        let named = slots.get(frame).and_then(Value::len);
        let members = || along.iter().find_map(|name| member(name, 0));
        named.or_else(|| slot("X", k)).or_else(|| member("layers", k)).or_else(members).unwrap_or(0)
    };
    (first("obs", 0, &["obsm", "obsp"]), first("var", 1, &["varm", "varp"]))
}

/// Lengths of the axes of a value that can be aligned.
fn shape(value: &Value) -> Option<Vec<usize>> {
    match value {
        Value::Dense(d) => Some(d.shape.clone()),
        Value::Strings(s) => Some(s.shape.clone()),
        Value::Sparse(s) => Some(vec![s.shape.0, s.shape.1]),
        Value::Frame(f) => Some(vec![f.index.len(), f.columns.len()]),
        _ => None,
    }
}

fn fits(at: &str, value: &Value, lengths: &[usize]) -> Result<(), Misfit> {
    let expected = || match lengths {
        [n] => format!("an array, sparse matrix or frame of {n} rows"),
        _ => format!("an array or sparse matrix of shape {lengths:?}"),
    };
    let got = match shape(value) {
        // `obsm` may have more axes than are aligned, the others may not.
        Some(shape) if lengths.len() == 1 && shape.starts_with(lengths) => return Ok(()),
        Some(shape) if shape == lengths && !matches!(value, Value::Frame(_)) => return Ok(()),
        Some(shape) => format!("{} of shape {shape:?}", value.type_name()),
        None => value.type_name().to_owned(),
    };
    Err(Misfit { at: at.to_owned(), expected: expected(), got })
}

fn frame(at: &str, value: &Value, rows: usize) -> Result<(), Misfit> {
    match value {
        Value::Frame(f) if f.index.len() == rows => Ok(()),
        other => Err(Misfit {
            at: at.to_owned(),
            expected: format!("a frame of {rows} rows"),
            got: other.type_name().to_owned(),
        }),
    }
}

fn members<'a>(at: &str, value: &'a Value) -> Result<&'a Map, Misfit> {
    match value {
        Value::Map(map) => Ok(map),
        other => Err(Misfit {
            at: at.to_owned(),
            expected: "a group".to_owned(),
            got: other.type_name().to_owned(),
        }),
    }
}

fn each(at: &str, value: &Value, lengths: &[usize]) -> Result<(), Misfit> {
    members(at, value)?
        .iter()
        .try_for_each(|(name, value)| fits(&format!("{at}/{name}"), value, lengths))
}

/// `raw` shares the cells and has genes of its own.
fn raw(value: &Value, cells: usize) -> Result<(), Misfit> {
    let slots = members("raw", value)?;
    let genes = lengths(slots).1;
    for (name, value) in slots {
        let at = format!("raw/{name}");
        match name.as_str() {
            "X" => fits(&at, value, &[cells, genes])?,
            "var" => frame(&at, value, genes)?,
            "varm" => each(&at, value, &[genes])?,
            _ => {
                let (expected, got) = ("`X`, `var` or `varm`".to_owned(), format!("`{name}`"));
                return Err(Misfit { at, expected, got });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dispatch::{Dense, Frame, Index};

    use super::*;

    fn slots(cells: usize, obsm: Value) -> Map {
        let names = (0..cells).map(|i| format!("c{i}"));
        let obs = Frame::new(Index::text(names), Vec::<(String, Value)>::new());
        let obsm = Map::from([("spatial".to_owned(), obsm)]);
        Map::from([("obs".to_owned(), obs.into()), ("obsm".to_owned(), obsm.into())])
    }

    #[test]
    fn a_slot_that_does_not_fit_is_named() {
        let fitting = Dense::new(vec![3, 2], vec![0.0; 6]);
        assert!(check(&slots(3, fitting.clone().into())).is_ok());
        let misfit = check(&slots(4, fitting.into())).unwrap_err();
        assert_eq!(misfit.at, "obsm/spatial");
        assert_eq!(misfit.expected, "an array, sparse matrix or frame of 4 rows");
        assert_eq!(misfit.got, "ndarray of shape [3, 2]");
        assert_eq!(check(&slots(0, Value::Int(1))).unwrap_err().got, "int");
    }
}
