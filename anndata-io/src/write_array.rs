//! Arrays of numbers and strings: element types, packing and marks, as h5py and anndata choose them.

use std::borrow::Cow;

use dispatch::{Buffer, Dense, Indices, Order};
use hdf5_pure::{DatasetBuilder, EnumTypeBuilder};

use crate::Compression;
use crate::encoding::Encoding;
use crate::error::Error;
use crate::parent::marks;
use crate::write::Writer;

type Done = Result<(), Error>;

impl Writer<'_> {
    /// A marked scalar.
    pub(crate) fn number(&self, array: &mut DatasetBuilder, path: &str, data: &Buffer) -> Done {
        self.put(array, path, &[], data)?;
        set_marks(array, Encoding::NumericScalar);
        Ok(())
    }

    /// A marked array in C order, whatever the order of `dense`, as h5py writes it.
    pub(crate) fn dense(&self, array: &mut DatasetBuilder, path: &str, dense: &Dense) -> Done {
        let c = match dense.order {
            Order::C => Cow::Borrowed(dense),
            Order::F => Cow::Owned(dense.to_order(Order::C)),
        };
        self.put(array, path, &c.shape, &c.data)?;
        set_marks(array, Encoding::Array);
        Ok(())
    }

    pub(crate) fn put(
        &self,
        array: &mut DatasetBuilder,
        path: &str,
        shape: &[usize],
        data: &Buffer,
    ) -> Done {
        if shape.iter().product::<usize>() != data.len() {
            let what = format!("{} elements for shape {shape:?}", data.len());
            return Err(self.unstorable(path, what));
        }
        set_numbers(array, data).map_err(|e| self.unstorable(path, e.to_string()))?;
        let lengths: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        array.with_shape(&lengths);
        if let (Compression::Gzip(level), false) =
            (self.compression, shape.is_empty() || data.is_empty())
        {
            array.with_chunks(&chunk(&lengths, data.dtype().size() as u64));
            array.with_deflate(u32::from(level.min(9)));
        }
        Ok(())
    }

    /// The texts, none missing and none with a NUL, which HDF5 takes for the end.
    pub(crate) fn texts<'t>(
        &self,
        path: &str,
        texts: impl IntoIterator<Item = Option<&'t str>>,
    ) -> Result<Vec<&'t str>, Error> {
        texts
            .into_iter()
            .map(|text| match text {
                None => {
                    Err(self.unstorable(path, "a missing string, which only one axis can have"))
                }
                Some(t) if t.contains('\0') => {
                    Err(self.unstorable(path, format!("NUL inside the string {t:?}")))
                }
                Some(t) => Ok(t),
            })
            .collect()
    }

    /// Marked text of variable length; fixed-width text would reach Python as bytes.
    pub(crate) fn strings(
        &self,
        array: &mut DatasetBuilder,
        shape: &[usize],
        texts: &[&str],
        encoding: Encoding,
    ) {
        let lengths: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        array.with_vlen_strings(texts).with_shape(&lengths);
        set_marks(array, encoding);
    }

    pub(crate) fn indices(
        &self,
        array: &mut DatasetBuilder,
        path: &str,
        indices: &Indices,
    ) -> Done {
        let data = match indices {
            Indices::I32(v) => Buffer::I32(v.clone()),
            Indices::I64(v) => Buffer::I64(v.clone()),
        };
        self.put(array, path, &[data.len()], &data)
    }
}

/// anndata writes an HDF5 null dataspace, which hdf5-pure cannot; anndata's reader looks at the mark only.
pub(crate) fn null(array: &mut DatasetBuilder) {
    array.with_f32_data(&[0.0]).with_shape(&[]);
    set_marks(array, Encoding::Null);
}

fn set_marks(array: &mut DatasetBuilder, encoding: Encoding) {
    for (name, value) in marks(encoding) {
        array.set_attr(name, value);
    }
}

/// Whole rows, about a mebibyte of them, so that a row can be read without unpacking all.
fn chunk(shape: &[u64], size: u64) -> Vec<u64> {
    let row: u64 = shape[1..].iter().product::<u64>() * size;
    let mut chunk = shape.to_vec();
    chunk[0] = ((1 << 20) / row.max(1)).clamp(1, shape[0]);
    chunk
}

fn set_numbers(array: &mut DatasetBuilder, data: &Buffer) -> Result<(), hdf5_pure::FormatError> {
    match data {
        Buffer::Bool(v) => {
            // What h5py makes of a NumPy bool.
            let base = hdf5_pure::make_i8_type();
            let bool8 =
                EnumTypeBuilder::with_base(base).value("FALSE", 0).value("TRUE", 1).build()?;
            let bytes = v.iter().map(|&b| u8::from(b)).collect();
            array.with_raw_data(bool8, bytes, v.len() as u64)
        }
        Buffer::F16(v) => {
            let bytes = v.iter().flat_map(|x| x.to_le_bytes()).collect();
            array.with_raw_data(half_type(), bytes, v.len() as u64)
        }
        Buffer::I8(v) => array.with_i8_data(v),
        Buffer::I16(v) => array.with_i16_data(v),
        Buffer::I32(v) => array.with_i32_data(v),
        Buffer::I64(v) => array.with_i64_data(v),
        Buffer::U8(v) => array.with_u8_data(v),
        Buffer::U16(v) => array.with_u16_data(v),
        Buffer::U32(v) => array.with_u32_data(v),
        Buffer::U64(v) => array.with_u64_data(v),
        Buffer::F32(v) => array.with_f32_data(v),
        Buffer::F64(v) => array.with_f64_data(v),
    };
    Ok(())
}

/// IEEE 754 binary16, little-endian.
fn half_type() -> hdf5_pure::Datatype {
    hdf5_pure::Datatype::FloatingPoint {
        size: 2,
        byte_order: hdf5_pure::DatatypeByteOrder::LittleEndian,
        layout: hdf5_pure::FloatingPointLayout {
            bit_offset: 0,
            bit_precision: 16,
            exponent_location: 10,
            exponent_size: 5,
            mantissa_location: 0,
            mantissa_size: 10,
            exponent_bias: 15,
        },
    }
}
