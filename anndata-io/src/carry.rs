//! Copying objects that were not understood from one file to the next, as they are.
//!
//! Numbers, text, records of numbers and their attributes can be copied. An array whose elements
//! point into the file (records with text of variable length, references) cannot: copied bytes would
//! point nowhere.

use std::collections::BTreeMap;
use std::path::Path;

use hdf5_pure::Datatype;

use crate::Unread;
use crate::error::Error;
use crate::node::{Node, Object};
use crate::parent::Parent;

/// Objects waiting to be copied, by the path of the group that holds them.
#[derive(Default)]
pub(crate) struct Carried<'a> {
    by_group: BTreeMap<&'a str, Vec<(&'a Unread, Node)>>,
}

impl<'a> Carried<'a> {
    /// The objects at the paths of `unread` in the file of `root`, to be written to `to`.
    ///
    /// # Errors
    /// [`Error::Uncopyable`] names all that cannot be copied.
    pub(crate) fn collect(
        root: &Node,
        unread: &'a [Unread],
        to: &Path,
    ) -> Result<Carried<'a>, Error> {
        let (mut carried, mut lost) = (Carried::default(), Vec::new());
        for slot in unread {
            let Some(node) = root.find(&slot.path)? else {
                lost.push(format!("`{}` (neither a group nor an array)", slot.path));
                continue;
            };
            match obstacle(&node)? {
                Some(what) => lost.push(format!("`{}` ({what})", slot.path)),
                None => carried.by_group.entry(group_of(slot)).or_default().push((slot, node)),
            }
        }
        if lost.is_empty() { Ok(carried) } else { Err(uncopyable(to, &lost)) }
    }

    /// Names of the columns of the frame at `path`, with those that are carried at their old places.
    pub(crate) fn column_order(&self, path: &str, mut names: Vec<String>) -> Vec<String> {
        for (slot, _) in self.by_group.get(path).into_iter().flatten() {
            if let Some(position) = slot.column {
                names.insert(position.min(names.len()), name_of(slot).to_owned());
            }
        }
        names
    }

    /// Copies the objects that belong into the group at `path`.
    pub(crate) fn put(&mut self, parent: &mut dyn Parent, path: &str) -> Result<(), Error> {
        for (slot, node) in self.by_group.remove(path).unwrap_or_default() {
            copy(&node, parent, name_of(slot))?;
        }
        Ok(())
    }

    /// An object whose group is gone from the data has no place any more.
    pub(crate) fn check_all_written(&self, file: &Path) -> Result<(), Error> {
        let slots = self.by_group.values().flatten();
        let lost: Vec<String> =
            slots.map(|(slot, _)| format!("`{}` (its group is gone)", slot.path)).collect();
        if lost.is_empty() { Ok(()) } else { Err(uncopyable(file, &lost)) }
    }
}

fn uncopyable(file: &Path, slots: &[String]) -> Error {
    Error::Uncopyable { file: file.to_owned(), slots: slots.join(", ") }
}

fn group_of(slot: &Unread) -> &str {
    slot.path.rsplit_once('/').map_or("", |(group, _)| group)
}

fn name_of(slot: &Unread) -> &str {
    slot.path.rsplit_once('/').map_or(slot.path.as_str(), |(_, name)| name)
}

/// Why an object cannot be copied, if so.
fn obstacle(node: &Node) -> Result<Option<String>, Error> {
    if let Some(name) = unseen_attr(node)? {
        return Ok(Some(format!("its attribute `{name}` is of a type that cannot be copied")));
    }
    match &node.object {
        Object::Group(_) => {
            for (_, child) in node.children()? {
                if let Some(what) = obstacle(&child)? {
                    return Ok(Some(what));
                }
            }
            Ok(None)
        }
        Object::Array(_) => {
            let datatype = node.datatype()?;
            let text = node.holds_text()?;
            if !text && points_elsewhere(&datatype) {
                return Ok(Some(format!("elements of type {datatype} cannot be copied")));
            }
            let count = match text {
                true => node.readable()?.read_string().map_err(|e| node.damaged(e))?.len(),
                false => node.readable()?.read_raw().map_err(|e| node.damaged(e))?.len(),
            };
            // hdf5-pure reads a null dataspace but writes none.
            let null = node.shape()?.is_empty() && count == 0;
            Ok(null.then(|| "an array without a dataspace".to_owned()))
        }
    }
}

/// An attribute that hdf5-pure leaves out because it has no value for its type.
fn unseen_attr(node: &Node) -> Result<Option<String>, Error> {
    let types = match &node.object {
        Object::Group(group) => group.attr_datatypes(),
        Object::Array(array) => array.attr_datatypes(),
    };
    let types: BTreeMap<String, Datatype> =
        types.map_err(|e| node.damaged(e))?.into_iter().collect();
    Ok(types.into_keys().find(|name| !node.attrs.contains_key(name)))
}

/// Whether elements hold addresses of the file that they are in.
fn points_elsewhere(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::VariableLength { .. } | Datatype::Reference { .. } => true,
        Datatype::Compound { members, .. } => members.iter().any(|m| points_elsewhere(&m.datatype)),
        Datatype::Array { base_type, .. } | Datatype::Enumeration { base_type, .. } => {
            points_elsewhere(base_type)
        }
        Datatype::FixedPoint { .. }
        | Datatype::FloatingPoint { .. }
        | Datatype::Time { .. }
        | Datatype::String { .. }
        | Datatype::BitField { .. }
        | Datatype::Opaque { .. } => false,
        // A type that this version does not know: better refused than copied wrongly.
        _ => true,
    }
}

fn copy(node: &Node, parent: &mut dyn Parent, name: &str) -> Result<(), Error> {
    let attrs = || node.attrs.iter().map(|(k, v)| (k.as_str(), v.clone()));
    match &node.object {
        Object::Group(_) => {
            let mut group = parent.group(name);
            for (name, value) in attrs() {
                group.attr(name, value);
            }
            for (name, child) in node.children()? {
                copy(&child, &mut group, &name)?;
            }
            parent.adopt(group.finish());
        }
        Object::Array(_) => {
            let source = node.readable()?;
            let lengths = source.shape().map_err(|e| node.damaged(e))?;
            let datatype = node.datatype()?;
            let array = parent.array(name);
            if matches!(datatype, Datatype::VariableLength { .. }) {
                let texts = source.read_string().map_err(|e| node.damaged(e))?;
                array.with_vlen_strings(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            } else {
                let raw = source.read_raw().map_err(|e| node.damaged(e))?;
                array.with_raw_data(datatype, raw, lengths.iter().product());
            }
            array.with_shape(&lengths);
            for (name, value) in attrs() {
                array.set_attr(name, value);
            }
        }
    }
    Ok(())
}
