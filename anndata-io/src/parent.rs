//! What can hold groups and arrays while a file is being built: the file itself or a group.

use hdf5_pure::{AttrValue, DatasetBuilder, FileBuilder, FinishedGroup, GroupBuilder};

use crate::encoding::Encoding;

/// A place for members.
pub(crate) trait Parent {
    fn array(&mut self, name: &str) -> &mut DatasetBuilder;
    fn group(&mut self, name: &str) -> GroupBuilder;
    fn adopt(&mut self, group: FinishedGroup);
    fn attr(&mut self, name: &str, value: AttrValue);

    /// Marks how the object is encoded.
    fn mark(&mut self, encoding: Encoding) {
        for (name, value) in marks(encoding) {
            self.attr(name, value);
        }
    }
}

/// The two attributes of an encoding.
pub(crate) fn marks(encoding: Encoding) -> [(&'static str, AttrValue); 2] {
    let (name, version) = encoding.marks();
    [("encoding-type", text(name)), ("encoding-version", text(version))]
}

/// A text attribute. Fixed-width text would reach Python as bytes.
pub(crate) fn text(value: &str) -> AttrValue {
    AttrValue::VarLenString(value.to_owned())
}

impl Parent for FileBuilder {
    fn array(&mut self, name: &str) -> &mut DatasetBuilder {
        self.create_dataset(name)
    }
    fn group(&mut self, name: &str) -> GroupBuilder {
        self.create_group(name)
    }
    fn adopt(&mut self, group: FinishedGroup) {
        self.add_group(group);
    }
    fn attr(&mut self, name: &str, value: AttrValue) {
        self.set_attr(name, value);
    }
}

impl Parent for GroupBuilder {
    fn array(&mut self, name: &str) -> &mut DatasetBuilder {
        self.create_dataset(name)
    }
    fn group(&mut self, name: &str) -> GroupBuilder {
        self.create_group(name)
    }
    fn adopt(&mut self, group: FinishedGroup) {
        self.add_group(group);
    }
    fn attr(&mut self, name: &str, value: AttrValue) {
        self.set_attr(name, value);
    }
}
