//! Frames and categoricals: groups whose members belong together.

use std::collections::BTreeSet;

use dispatch::{Categorical, Frame, Index, Value};
use hdf5_pure::AttrValue;

use crate::error::{Error, Stop};
use crate::node::Node;
use crate::read::Reader;

/// The name that stands for an index without a name.
pub(crate) const NAMELESS: &str = "_index";

impl Reader {
    /// A frame; in an `old` one (AnnData 0.7) the categories are in a group of their own.
    pub(crate) fn frame(&mut self, node: &Node, old: bool) -> Result<Value, Stop> {
        let order = column_order(node)?;
        let index_name = node.text_attr("_index")?.to_owned();
        let index = self.column(node, &node.child(&index_name)?, &index_name, old)?;
        let rows = one_axis(node, &index_name, &index)?;
        let mut columns = Vec::with_capacity(order.len());
        for (position, name) in order.iter().enumerate() {
            let child = node.child(name)?;
            let read = |reader: &mut Reader| reader.column(node, &child, name, old);
            let Some(column) = self.attempt(&child.at, Some(position), read)? else { continue };
            let got = one_axis(node, name, &column)?;
            if got != rows {
                let expected = format!("{rows} rows, as in the index");
                return Err(child.unexpected(expected, format!("{got} rows")).into());
            }
            columns.push((name.clone(), column));
        }
        self.strays(node, &order, &index_name)?;
        let name = (index_name != NAMELESS).then_some(index_name);
        let index = Index { names: vec![name], levels: vec![index] };
        Ok(Frame::new(index, columns).into())
    }

    /// Lists the members of a frame that are neither a column nor the index.
    fn strays(&mut self, node: &Node, order: &[String], index: &str) -> Result<(), Error> {
        let first = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
        let mut known: BTreeSet<String> = order.iter().map(|name| first(name)).collect();
        known.extend([first(index), "__categories".to_owned()]);
        for (name, child) in node.children()? {
            if !known.contains(&name) {
                self.skip(child.at, "not named in the frame's column-order".to_owned(), None);
            }
        }
        Ok(())
    }

    fn column(&mut self, frame: &Node, child: &Node, name: &str, old: bool) -> Result<Value, Stop> {
        if !old || !has_categories(frame, name)? {
            return self.value(child);
        }
        let labels = frame.child(&format!("__categories/{name}"))?;
        let ordered = labels.attrs.get("ordered").and_then(AttrValue::as_i64) == Some(1);
        let categories = self.value(&labels)?;
        categorical(child, &child.buffer()?.to_f64(), categories, ordered)
    }

    /// A categorical of AnnData 0.8 and later.
    pub(crate) fn categorical(&mut self, node: &Node) -> Result<Value, Stop> {
        let ordered = node.attrs.get("ordered").and_then(AttrValue::as_i64).ok_or_else(|| {
            node.unexpected("attribute `ordered` of 0 or 1", node.attr_kind("ordered"))
        })?;
        let codes = node.child("codes")?;
        let categories = self.value(&node.child("categories")?)?;
        categorical(&codes, &codes.buffer()?.to_f64(), categories, ordered != 0)
    }
}

/// Old frames mark a categorical by an attribute with an object reference to its categories, which
/// hdf5-pure leaves out; the place of the categories says the same.
fn has_categories(frame: &Node, name: &str) -> Result<bool, Error> {
    match frame.find("__categories")? {
        Some(group) => Ok(group.find(name)?.is_some()),
        None => Ok(false),
    }
}

fn column_order(node: &Node) -> Result<Vec<String>, Error> {
    let attr = node.attrs.get("column-order");
    let names = attr.and_then(AttrValue::as_strings).map(<[String]>::to_vec);
    // h5py stores an empty list as an empty array of float64.
    let empty = || attr.and_then(AttrValue::to_f64s).filter(Vec::is_empty).map(|_| Vec::new());
    names.or_else(empty).ok_or_else(|| {
        let got = node.attr_kind("column-order");
        node.unexpected("attribute `column-order` with the names of the columns", got)
    })
}

/// Rows of a column or index, which must have exactly one axis.
fn one_axis(frame: &Node, name: &str, value: &Value) -> Result<usize, Error> {
    let shape: &[usize] = match value {
        Value::Dense(d) => &d.shape,
        Value::Strings(s) => &s.shape,
        Value::Masked(m) => &m.values.shape,
        Value::Categorical(c) => return Ok(c.codes.len()),
        other => {
            let expected = format!("a column `{name}` with one axis");
            return Err(frame.unexpected(expected, other.type_name()));
        }
    };
    match shape {
        [rows] => Ok(*rows),
        _ => Err(frame
            .unexpected(format!("a column `{name}` with one axis"), format!("shape {shape:?}"))),
    }
}

/// A categorical from its parts. Codes are integers of at most 32 bits in any file that pandas wrote,
/// so they pass through `f64` unchanged.
fn categorical(
    node: &Node,
    codes: &[f64],
    categories: Value,
    ordered: bool,
) -> Result<Value, Stop> {
    let count = match &categories {
        Value::Dense(d) if d.shape.len() == 1 => d.data.len(),
        Value::Strings(s) if s.shape.len() == 1 => s.values.len(),
        other => return Err(Stop::Unknown(format!("categories that are a {}", other.type_name()))),
    };
    let in_range = |c: f64| c.trunc() == c && (-1.0..count as f64).contains(&c);
    if let Some(code) = codes.iter().find(|&&c| !in_range(c)) {
        return Err(node
            .unexpected(format!("codes from -1 to {count} - 1"), code.to_string())
            .into());
    }
    let codes = codes.iter().map(|&c| c as i32).collect();
    Ok(Categorical { codes, categories: Box::new(categories), ordered }.into())
}
