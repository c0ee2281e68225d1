// What all kernels share. The same text is compiled by NVRTC for a GPU and by a host compiler, with
// emulator/cuda.h in place of the CUDA runtime, for the emulated device.
//
// A kernel takes an ARRAY, which nothing else in the launch overlaps; a function takes a VIEW, since what it reads the
// kernel may have written.
//
// Rules: every parameter is a buffer or 8 bytes wide; blocks are one-dimensional, a multiple of 32 threads; all
// threads of a warp reach every shuffle; float sums follow `tree`, what ends in a count is integer, and no
// float is ever added atomically. Compiled with --fmad=false, so a fused multiply-add is one that is written.
#pragma once

#ifndef CONCORD_EMULATED
typedef unsigned char u8;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;
typedef __int128 i128;
typedef float f32;
typedef double f64;
#define KERNEL extern "C" __global__ void __launch_bounds__(256, 2)
#define DEVICE static __device__ __forceinline__
#define ARRAY(T) T* __restrict__
#define VIEW(T) T*
#define SHARED(T, name, count) __shared__ T name[count]
DEVICE u64 bits_of(f64 x) { return (u64)__double_as_longlong(x); }
DEVICE f64 of_bits(u64 bits) { return __longlong_as_double((i64)bits); }
DEVICE f64 nearest_even(f64 x) { return rint(x); }
DEVICE f64 square_root(f64 x) { return __dsqrt_rn(x); }
DEVICE f32 infinity32() { return __int_as_float(0x7f800000); }
DEVICE u64 atomic_add(u64* at, u64 more) { return atomicAdd(at, more); }
#endif
typedef unsigned short u16;

// Every kernel, for the table of the emulated device.
#define KERNELS(each)                                                                     \
    each(permutations_network) each(permutations_shuffle)                                 \
    each(autocorr_scatter) each(autocorr_centre) each(autocorr_leaves)                    \
    each(autocorr_score) each(autocorr_scale) each(autocorr_lag) each(autocorr_moments)   \
    each(autocorr_channels) each(autocorr_permute)                                        \
    each(autocorr_integers) each(autocorr_relabel) each(autocorr_kurtosis)                \
    each(cooc_count)                                                                      \
    each(ligrec_expressing) each(ligrec_sums_narrow) each(ligrec_sums_wide)               \
    each(ligrec_infinities) each(ligrec_exceed_narrow) each(ligrec_exceed_wide)

// Leaves of the summation tree, in terms.
constexpr u32 LEAF = 256;

struct Plus {
    DEVICE f64 of(f64 a, f64 b) { return a + b; }
};
struct Larger {
    DEVICE f64 of(f64 a, f64 b) { return b > a ? b : a; }
};

// Leaf `leaf` of the tree over term(0) .. term(n - 1): lane l of the warp adds terms l, l + 32, ...; lanes meet by halving.
// Lane 0 has it.
template <class Op, class Term>
DEVICE f64 leaf_of(u64 leaf, u64 n, Term term) {
    const u32 lane = threadIdx.x % 32;
    f64 total = 0.0;
    for (u64 i = leaf * LEAF + lane; i < n && i < (leaf + 1) * LEAF; i += 32) total = Op::of(total, term(i));
    for (u32 width = 16; width > 0; width /= 2) total = Op::of(total, __shfl_down_sync(~0u, total, width));
    return total;
}

// What the leaves of a block come to: they meet in adjacent pairs, level by level.
template <class Op>
DEVICE f64 fold(u64 count, VIEW(f64) leaves, u64 first) {
    __syncthreads();
    for (u64 step = 1; step < count; step *= 2) {
        for (u64 i = 2 * step * threadIdx.x; i + step < count; i += 2 * step * blockDim.x) {
            leaves[first + i] = Op::of(leaves[first + i], leaves[first + i + step]);
        }
        __syncthreads();
    }
    const f64 total = count > 0 ? leaves[first] : 0.0;
    __syncthreads();
    return total;
}

// term(0) + .. + term(n - 1) in the order of `reference::sum`. `leaves` has a place for each leaf of this block.
template <class Op, class Term>
DEVICE f64 tree(u64 n, VIEW(f64) leaves, u64 first, Term term) {
    const u64 count = (n + LEAF - 1) / LEAF;
    for (u64 leaf = threadIdx.x / 32; leaf < count; leaf += blockDim.x / 32) {
        const f64 total = leaf_of<Op>(leaf, n, term);
        if (threadIdx.x % 32 == 0) leaves[first + leaf] = total;
    }
    return fold<Op>(count, leaves, first);
}
