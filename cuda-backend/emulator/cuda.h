// What CUDA C++ gives a kernel, for a host compiler: indices, barriers, shuffles, integer atomics, and memory
// that checks every access. A block runs at a time, its threads in an order that a seed may shuffle.
//
// Faults: a barrier or shuffle that not all threads reach, an index outside its buffer, a kernel called with
// other arguments than it has. There are no float atomics here on purpose: a kernel that uses one does not compile.
#pragma once
#include <cmath>
#include <cstring>
#include <type_traits>

#include "fiber.h"

typedef uint8_t u8;
typedef uint32_t u32;
typedef int32_t i32;
typedef uint64_t u64;
typedef int64_t i64;
typedef __int128 i128;
typedef float f32;
typedef double f64;

struct Dim {
    u32 x, y, z;
};
inline thread_local Dim threadIdx, blockIdx, blockDim, gridDim;

namespace emulated {

void wait_for_block();
void wait_for_warp();
[[noreturn]] void fault(const char* format, ...);
void* shared(int place, size_t bytes);
extern thread_local u64 exchanged[1024];
extern thread_local u32 threads;

template <class T>
class Array {
    T* start;
    u64 count;

public:
    Array(void* start, u64 bytes) : start(static_cast<T*>(start)), count(bytes / sizeof(T)) {}
    operator Array<const T>() const { return Array<const T>(const_cast<std::remove_const_t<T>*>(start), count * sizeof(T)); }
    T& operator[](u64 i) const {
        if (i >= count) fault("element %llu of %llu", (unsigned long long)i, (unsigned long long)count);
        return start[i];
    }
};

template <class T>
T exchange(T value, u32 source) {
    static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
    std::memcpy(&exchanged[threadIdx.x], &value, sizeof value);
    wait_for_warp();
    std::memcpy(&value, &exchanged[source], sizeof value);
    wait_for_warp();
    return value;
}

}  // namespace emulated

#define KERNEL static void
#define DEVICE static inline
#define ARRAY(T) emulated::Array<T>
#define VIEW(T) emulated::Array<T>
// Like `__shared__ T name[count]`: one array for the block, made when the first thread arrives, full of poison.
#define SHARED(T, name, count) \
    emulated::Array<T> name(emulated::shared(__LINE__, sizeof(T) * (count)), sizeof(T) * (count))

inline void __syncthreads() { emulated::wait_for_block(); }
inline void __syncwarp(u32 = ~0u) { emulated::wait_for_warp(); }
template <class T>
T __shfl_down_sync(u32, T value, u32 delta) {
    u32 lane = threadIdx.x % 32;
    return emulated::exchange(value, lane + delta < 32 ? threadIdx.x + delta : threadIdx.x);
}
// One block runs at a time and fibers change only at barriers, so plain arithmetic is atomic.
template <class T>
T atomicAdd(T* at, T more) {
    static_assert(std::is_integral<T>::value, "float atomics depend on the order of threads");
    T before = *at;
    *at = before + more;
    return before;
}
inline u64 atomic_add(u64* at, u64 more) { return atomicAdd(at, more); }
inline u32 __umulhi(u32 a, u32 b) { return u32((u64(a) * b) >> 32); }
inline f32 __fmaf_rn(f32 a, f32 b, f32 c) { return std::fma(a, b, c); }
inline f32 __fsub_rn(f32 a, f32 b) { return a - b; }
inline f32 __fmul_rn(f32 a, f32 b) { return a * b; }
inline u64 bits_of(f64 x) {
    u64 bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}
inline f64 of_bits(u64 bits) {
    f64 x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}
inline f64 nearest_even(f64 x) { return std::nearbyint(x); }
inline f64 square_root(f64 x) { return std::sqrt(x); }
inline f32 infinity32() { return INFINITY; }
