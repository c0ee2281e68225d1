//! Products of permuted integers in AVX-512 registers.

use std::arch::x86_64::__m512i;

use pulp::cast;
use pulp::x86::V4;

use super::quantized::{Products, Row};

impl Products for V4 {
    type Wide = __m512i;

    #[inline(always)]
    fn widen(self, row: &Row<i32>) -> __m512i {
        self.avx512f._mm512_cvtepi32_epi64(cast(*row))
    }

    #[inline(always)]
    fn add(self, sums: __m512i, u: __m512i, v: &Row<i32>) -> __m512i {
        let f = self.avx512f;
        f._mm512_add_epi64(sums, f._mm512_mul_epi32(u, self.widen(v)))
    }

    #[inline(always)]
    fn store(self, wide: __m512i) -> Row<i64> {
        cast(wide)
    }
}
