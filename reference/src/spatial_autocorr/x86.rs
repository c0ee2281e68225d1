//! Products of permuted integers in the registers of AVX-512 and AVX2.

use std::arch::x86_64::{__m256i, __m512i};

use pulp::cast;
use pulp::x86::{V3, V4};

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

impl Products for V3 {
    type Wide = [__m256i; 2];

    #[inline(always)]
    fn widen(self, row: &Row<i32>) -> [__m256i; 2] {
        let [low, high]: [[i32; 4]; 2] = cast(*row);
        [self.avx2._mm256_cvtepi32_epi64(cast(low)), self.avx2._mm256_cvtepi32_epi64(cast(high))]
    }

    #[inline(always)]
    fn add(self, sums: [__m256i; 2], u: [__m256i; 2], v: &Row<i32>) -> [__m256i; 2] {
        let (two, v) = (self.avx2, self.widen(v));
        [
            two._mm256_add_epi64(sums[0], two._mm256_mul_epi32(u[0], v[0])),
            two._mm256_add_epi64(sums[1], two._mm256_mul_epi32(u[1], v[1])),
        ]
    }

    #[inline(always)]
    fn store(self, wide: [__m256i; 2]) -> Row<i64> {
        cast(wide)
    }
}
