// Sums of genes by cluster under permuted labels, and their comparison with the observed ones: integers throughout.
// Narrow words and sums are 64-bit, wide ones 128-bit. Entries of genes are counted through all genes; of those here, the
// first has number `offset`.
#include "concord.cuh"

// Clusters whose sums a block holds at a time, and the most threads of such a block.
constexpr u32 CLUSTERS = 16;
constexpr u32 SUMMERS = 128;

// expressing[gene * k + cluster] counts cells with a positive value; the buffer holds zeros before. Grid: (any, genes from
// `first_gene` on).
KERNEL ligrec_expressing(ARRAY(const u64) starts, ARRAY(const u32) cells, ARRAY(const u8) positive,
                         ARRAY(const u32) labels, u64 k, u64 first_gene, u64 offset, ARRAY(u64) expressing) {
    const u64 gene = first_gene + blockIdx.y, end = starts[gene + 1], step = (u64)gridDim.x * blockDim.x;
    for (u64 e = starts[gene] + (u64)blockIdx.x * blockDim.x + threadIdx.x; e < end; e += step) {
        if (positive[e - offset]) atomic_add(&expressing[gene * k + labels[cells[e - offset]]], 1);
    }
}

// sums[(gene * k + cluster) * count + q]: one permutation per thread, a column of clusters of its own in shared memory.
template <class Word>
DEVICE void add_up(VIEW(Word) column, VIEW(const u64) starts, VIEW(const u32) cells, VIEW(const Word) words,
                   VIEW(const u32) labels, u64 k, u64 first_gene, u64 offset, VIEW(const u32) table, u64 count,
                   VIEW(Word) sums) {
    const u64 q = (u64)blockIdx.x * blockDim.x + threadIdx.x, gene = first_gene + blockIdx.y;
    if (q >= count) return;
    for (u64 low = 0; low < k; low += CLUSTERS) {
        const u64 size = k - low < CLUSTERS ? k - low : CLUSTERS;
        for (u64 c = 0; c < size; ++c) column[c * SUMMERS + threadIdx.x] = 0;
        for (u64 e = starts[gene]; e < starts[gene + 1]; ++e) {
            const u64 label = labels[table[(u64)cells[e - offset] * count + q]];
            if (label >= low && label - low < size) column[(label - low) * SUMMERS + threadIdx.x] += words[e - offset];
        }
        for (u64 c = 0; c < size; ++c) {
            sums[(gene * k + low + c) * count + q] = column[c * SUMMERS + threadIdx.x];
        }
    }
}

// Grid: (permutations, genes from `first_gene` on); at most SUMMERS threads.
KERNEL ligrec_sums_narrow(ARRAY(const u64) starts, ARRAY(const u32) cells, ARRAY(const i64) words,
                          ARRAY(const u32) labels, u64 k, u64 first_gene, u64 offset, ARRAY(const u32) table,
                          u64 count, ARRAY(i64) sums) {
    SHARED(i64, column, CLUSTERS * SUMMERS);
    add_up<i64>(column, starts, cells, words, labels, k, first_gene, offset, table, count, sums);
}

KERNEL ligrec_sums_wide(ARRAY(const u64) starts, ARRAY(const u32) cells, ARRAY(const i128) words,
                        ARRAY(const u32) labels, u64 k, u64 first_gene, u64 offset, ARRAY(const u32) table,
                          u64 count, ARRAY(i128) sums) {
    SHARED(i128, column, CLUSTERS * SUMMERS);
    add_up<i128>(column, starts, cells, words, labels, k, first_gene, offset, table, count, sums);
}

// Where infinite values land: bit 0 for inf, bit 1 for -inf at marks[(gene * k + cluster) * count + q], zeros before.
// Entry e of the list has gene genes[e], cell cells[e] and bit bits[e]; a thread owns its permutation.
KERNEL ligrec_infinities(ARRAY(const u32) genes, ARRAY(const u32) cells, ARRAY(const u8) bits, u64 entries,
                         ARRAY(const u32) labels, u64 k, ARRAY(const u32) table, u64 count, ARRAY(u8) marks) {
    const u64 q = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (q >= count) return;
    for (u64 e = 0; e < entries; ++e) {
        const u64 label = labels[table[(u64)cells[e] * count + q]];
        const u64 at = ((u64)genes[e] * k + label) * count + q;
        marks[at] = marks[at] | bits[e];
    }
}

// One warp per entry (sides s and t, each a gene and a cluster): how many permutations have T_p > T_0, decided as
// (S_s - M_s) n_t + (S_t - M_t) n_s > 0. `infinite` says whether marks are to be looked at; an infinite observed
// statistic is exceeded by nothing, an infinite permuted one exceeds, and inf - inf exceeds nothing.
template <class Word>
DEVICE void exceed(VIEW(const u32) entries, u64 entry_count, VIEW(const Word) sums, VIEW(const i128) observed,
                   VIEW(const u64) sizes, u64 k, u64 count, u64 infinite, VIEW(const u8) marks,
                   VIEW(const u8) base_is_infinite, VIEW(u64) exceeding) {
    const u64 entry = ((u64)blockIdx.x * blockDim.x + threadIdx.x) / 32;
    if (entry >= entry_count) return;
    const u64 s = entries[2 * entry], t = entries[2 * entry + 1];
    const i128 n_s = (i128)sizes[s % k], n_t = (i128)sizes[t % k];
    u64 more = 0;
    for (u64 q = threadIdx.x % 32; q < count; q += 32) {
        const i128 a = (i128)sums[s * count + q] - observed[s], b = (i128)sums[t * count + q] - observed[t];
        bool exceeds = a * n_t + b * n_s > 0;
        if (infinite) {
            const u32 mark = marks[s * count + q] | marks[t * count + q];
            const bool base = base_is_infinite[s] || base_is_infinite[t];
            exceeds = !base && (mark == 1 || (mark == 0 && exceeds));
        }
        more += exceeds ? 1 : 0;
    }
    for (u32 width = 16; width > 0; width /= 2) more += __shfl_down_sync(~0u, more, width);
    if (threadIdx.x % 32 == 0) exceeding[entry] += more;
}

KERNEL ligrec_exceed_narrow(ARRAY(const u32) entries, u64 entry_count, ARRAY(const i64) sums,
                            ARRAY(const i128) observed, ARRAY(const u64) sizes, u64 k, u64 count, u64 infinite,
                            ARRAY(const u8) marks, ARRAY(const u8) base_is_infinite, ARRAY(u64) exceeding) {
    exceed<i64>(entries, entry_count, sums, observed, sizes, k, count, infinite, marks, base_is_infinite, exceeding);
}

KERNEL ligrec_exceed_wide(ARRAY(const u32) entries, u64 entry_count, ARRAY(const i128) sums,
                          ARRAY(const i128) observed, ARRAY(const u64) sizes, u64 k, u64 count, u64 infinite,
                          ARRAY(const u8) marks, ARRAY(const u8) base_is_infinite, ARRAY(u64) exceeding) {
    exceed<i128>(entries, entry_count, sums, observed, sizes, k, count, infinite, marks, base_is_infinite, exceeding);
}
