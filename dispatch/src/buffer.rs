//! Typed flat storage: the numbers of an array with the dtype they had in AnnData.
//!
//! A dtype is part of the input (an integer graph and a float graph are different calls), so it is
//! kept from the file to the backend and never widened on the way.

use half::f16;

macro_rules! buffers {
    ($($variant:ident, $ty:ty, $name:literal, $size:literal;)*) => {
        /// The element type of an array, named as NumPy names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Dtype { $(#[doc = $name] $variant),* }

        /// A flat array of one [`Dtype`].
        ///
        /// Two buffers are equal when dtype and bits are equal: NaN equals the same NaN, `0.0` differs from `-0.0`.
        #[derive(Clone, Debug)]
        pub enum Buffer { $(#[doc = concat!("Elements of dtype `", $name, "`.")] $variant(Vec<$ty>)),* }

        impl Dtype {
            /// Every dtype, in declaration order.
            pub const ALL: &'static [Dtype] = &[$(Dtype::$variant),*];

            /// NumPy's name: `float32`, `int64`, `bool` ...
            pub fn name(self) -> &'static str { match self { $(Dtype::$variant => $name),* } }

            /// Bytes of one element.
            pub fn size(self) -> usize { match self { $(Dtype::$variant => $size),* } }
        }

        impl Buffer {
            /// The dtype of the elements.
            pub fn dtype(&self) -> Dtype { match self { $(Buffer::$variant(_) => Dtype::$variant),* } }

            /// Number of elements.
            pub fn len(&self) -> usize { match self { $(Buffer::$variant(v) => v.len()),* } }

            /// An empty buffer of a dtype.
            pub fn empty(dtype: Dtype) -> Buffer { match dtype { $(Dtype::$variant => Buffer::$variant(Vec::new())),* } }

            /// The elements at `positions`, in that order.
            ///
            /// # Panics
            /// When a position is out of range; positions come from this crate's own bookkeeping.
            pub fn take(&self, positions: &[usize]) -> Buffer {
                match self { $(Buffer::$variant(v) => Buffer::$variant(positions.iter().map(|&i| v[i]).collect())),* }
            }

            /// Element `i` at place `places[i]`, of which each is named once: what [`take`](Buffer::take) undoes.
            ///
            /// # Panics
            /// When a place is not below the number of elements.
            pub fn put(&self, places: &[usize]) -> Buffer {
                match self { $(Buffer::$variant(v) => {
                    let mut put = vec![<$ty>::default(); v.len()];
                    places.iter().zip(v).for_each(|(&at, &x)| put[at] = x);
                    Buffer::$variant(put)
                }),* }
            }

            /// Appends the elements as little-endian bytes.
            pub fn write_le(&self, out: &mut Vec<u8>) {
                match self { $(Buffer::$variant(v) => for x in v { out.extend_from_slice(&x.bits_le()); }),* }
            }

            /// The elements of a dtype from their little-endian bytes; `None` if there is a part of an element left over.
            pub fn from_le(dtype: Dtype, bytes: &[u8]) -> Option<Buffer> {
                match dtype {
                    $(Dtype::$variant => {
                        let (elements, rest) = bytes.as_chunks::<$size>();
                        let read = || elements.iter().map(|b| <$ty>::of_bits_le(*b)).collect();
                        rest.is_empty().then(|| Buffer::$variant(read()))
                    }),*
                }
            }

            /// All elements as `f64`; 64-bit integers beyond 2^53 are rounded.
            pub fn to_f64(&self) -> Vec<f64> {
                match self { $(Buffer::$variant(v) => v.iter().map(|x| x.as_f64()).collect()),* }
            }

            /// Element `i` as `f64`, or `None` past the end.
            pub fn f64_at(&self, i: usize) -> Option<f64> {
                match self { $(Buffer::$variant(v) => v.get(i).map(|x| x.as_f64())),* }
            }

            /// Converts `values` to a dtype as NumPy's `astype` does for values in range
            /// (floats truncate towards zero, out-of-range values saturate, non-zero is true).
            pub fn from_f64(dtype: Dtype, values: &[f64]) -> Buffer {
                match dtype {
                    $(Dtype::$variant => Buffer::$variant(values.iter().map(|&x| <$ty>::from_f64(x)).collect())),*
                }
            }
        }

        impl PartialEq for Buffer {
            fn eq(&self, other: &Buffer) -> bool {
                match (self, other) {
                    $((Buffer::$variant(a), Buffer::$variant(b)) => {
                        a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.bits_le() == y.bits_le())
                    })*
                    _ => false,
                }
            }
        }

        $(impl From<Vec<$ty>> for Buffer { fn from(v: Vec<$ty>) -> Buffer { Buffer::$variant(v) } })*
    };
}

buffers! {
    Bool, bool, "bool", 1;
    I8, i8, "int8", 1;
    I16, i16, "int16", 2;
    I32, i32, "int32", 4;
    I64, i64, "int64", 8;
    U8, u8, "uint8", 1;
    U16, u16, "uint16", 2;
    U32, u32, "uint32", 4;
    U64, u64, "uint64", 8;
    F16, f16, "float16", 2;
    F32, f32, "float32", 4;
    F64, f64, "float64", 8;
}

impl Eq for Buffer {}

impl Dtype {
    /// The dtype of a NumPy name, or `None`.
    pub fn from_name(name: &str) -> Option<Dtype> {
        Dtype::ALL.iter().copied().find(|d| d.name() == name)
    }

    /// `float16`, `float32` or `float64`.
    pub fn is_float(self) -> bool {
        matches!(self, Dtype::F16 | Dtype::F32 | Dtype::F64)
    }
}

impl Buffer {
    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What each element type must offer to the generated code above.
trait Element: Copy {
    type Bytes: AsRef<[u8]> + PartialEq + IntoIterator<Item = u8>;
    fn bits_le(self) -> Self::Bytes;
    fn of_bits_le(bytes: Self::Bytes) -> Self;
    fn as_f64(self) -> f64;
    fn from_f64(x: f64) -> Self;
}

macro_rules! elements {
    ($($ty:ty),*) => {$(
        impl Element for $ty {
            type Bytes = [u8; size_of::<$ty>()];
            fn bits_le(self) -> Self::Bytes { self.to_le_bytes() }
            fn of_bits_le(bytes: Self::Bytes) -> Self { <$ty>::from_le_bytes(bytes) }
            fn as_f64(self) -> f64 { self as f64 }
            fn from_f64(x: f64) -> Self { x as $ty }
        }
    )*};
}
elements!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

impl Element for bool {
    type Bytes = [u8; 1];
    fn bits_le(self) -> [u8; 1] {
        [u8::from(self)]
    }
    fn of_bits_le([byte]: [u8; 1]) -> bool {
        byte != 0
    }
    fn as_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
    fn from_f64(x: f64) -> bool {
        x != 0.0
    }
}

impl Element for f16 {
    type Bytes = [u8; 2];
    fn bits_le(self) -> [u8; 2] {
        self.to_le_bytes()
    }
    fn of_bits_le(bytes: [u8; 2]) -> f16 {
        f16::from_le_bytes(bytes)
    }
    fn as_f64(self) -> f64 {
        self.to_f64()
    }
    fn from_f64(x: f64) -> f16 {
        f16::from_f64(x)
    }
}
