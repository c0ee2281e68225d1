// Pairs of cells by labels and distance. One cell per thread against a tile of cells in shared memory; every thread
// counts in its own column, so nothing is added atomically until a block is done.
#include "concord.cuh"

// Levels of one launch, and the slots that a pair may fall into: below level r for each r, and beyond the last.
constexpr u32 LEVELS = 64;
constexpr u32 SLOTS = LEVELS + 1;
constexpr u32 TILE = 256;

// The number of levels below a value; `levels` ascends and ends in infinity.
DEVICE u32 place(VIEW(const f32) levels, f32 value) {
    u32 at = 0;
    for (u32 step = LEVELS / 2; step > 0; step /= 2) at += value > levels[at + step - 1] ? step : 0;
    return at + (value > levels[at] ? 1 : 0);
}

// Task t is six words: cells a0..a1 (at most a block), cells b0..b1, the pair of labels, and whether it pairs a label
// with itself, where each pair of cells is met once. A column counts to 65,535, so b1 - b0 stays below that.
// counts[pair * SLOTS + slot] is added to. Cells are (x, y) in turn, sorted by label.
KERNEL cooc_count(ARRAY(const f32) cells, ARRAY(const u64) tasks, ARRAY(const f32) thresholds, u64 level_count,
                  ARRAY(u64) counts) {
    SHARED(u16, columns, SLOTS * 256);
    SHARED(f32, levels, LEVELS);
    SHARED(f32, tile, 2 * TILE);
    const u64 task = 6 * (u64)blockIdx.x;
    const u64 i = tasks[task] + threadIdx.x, a1 = tasks[task + 1], b0 = tasks[task + 2], b1 = tasks[task + 3];
    const u64 pair = tasks[task + 4], itself = tasks[task + 5];
    for (u32 slot = 0; slot < SLOTS; ++slot) columns[slot * blockDim.x + threadIdx.x] = 0;
    for (u32 r = threadIdx.x; r < LEVELS; r += blockDim.x) levels[r] = r < level_count ? thresholds[r] : infinity32();
    const f32 x = i < a1 ? cells[2 * i] : 0.0f, y = i < a1 ? cells[2 * i + 1] : 0.0f;
    for (u64 start = b0; start < b1; start += TILE) {
        const u64 size = b1 - start < TILE ? b1 - start : TILE;
        for (u64 w = threadIdx.x; w < 2 * size; w += blockDim.x) tile[w] = cells[2 * start + w];
        __syncthreads();
        for (u64 c = 0; i < a1 && c < size; ++c) {
            if (itself && start + c <= i) continue;
            // The canonical predicate: fma(dy, dy, dx dx) against the squared threshold, in float32.
            const f32 dx = __fsub_rn(x, tile[2 * c]), dy = __fsub_rn(y, tile[2 * c + 1]);
            const f32 squared = __fmaf_rn(dy, dy, __fmul_rn(dx, dx));
            columns[place(levels, squared) * blockDim.x + threadIdx.x] += 1;
        }
        __syncthreads();
    }
    // A slot per thread; each starts at another column, or all would wait for one bank.
    for (u32 slot = threadIdx.x; slot < SLOTS; slot += blockDim.x) {
        u64 total = 0;
        for (u32 t = 0; t < blockDim.x; ++t) total += columns[slot * blockDim.x + (slot + t) % blockDim.x];
        if (total > 0) atomic_add(&counts[pair * SLOTS + slot], total);
    }
}
