// The counter-based permutations of `reference::rng`, element by element: table[i * count + q] is the image of i
// under permutation first + q, so that threads of neighbouring permutations read neighbouring words.
#include "concord.cuh"

struct Key {
    u32 word[4];
};

// Ten rounds of Philox4x32.
DEVICE Key philox(u32 c0, u32 c1, u32 c2, u32 c3, u64 seed) {
    u32 k0 = (u32)seed, k1 = (u32)(seed >> 32);
    for (u32 round = 0; round < 10; ++round) {
        const u64 even = (u64)c0 * 0xD2511F53u, odd = (u64)c2 * 0xCD9E8D57u;
        c0 = (u32)(odd >> 32) ^ c1 ^ k0;
        c1 = (u32)odd;
        c2 = (u32)(even >> 32) ^ c3 ^ k1;
        c3 = (u32)even;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    Key key;
    key.word[0] = c0;
    key.word[1] = c1;
    key.word[2] = c2;
    key.word[3] = c3;
    return key;
}

// h mixed, then scaled to 0..n.
DEVICE u32 scaled(u32 h, u32 n) {
    h ^= h >> 16;
    h *= 0x7feb352du;
    h ^= h >> 15;
    h *= 0x846ca68bu;
    return __umulhi(h, n);
}

// 512 elements or more: a Feistel network on Z_a x Z_b with a * b >= m, walked until it lands below m.
// `word` is four times the number of the function. Grid: (permutations, rows).
KERNEL permutations_network(ARRAY(u32) table, u64 m, u64 a, u64 count, u64 first, u64 word, u64 seed) {
    const u64 q = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (q >= count) return;
    const u64 p = first + q;
    const u32 left = (u32)a, right = (u32)((m + a - 1) / a);
    u32 keys[12];
    for (u32 t = 0; t < 3; ++t) {
        const Key key = philox((u32)p, (u32)(p >> 32), 0, (u32)word + t, seed);
        for (u32 w = 0; w < 4; ++w) keys[4 * t + w] = key.word[w];
    }
    for (u64 i = blockIdx.y; i < m; i += gridDim.y) {
        u32 v = (u32)i;
        do {
            u32 r = v / left, l = v % left;
            for (u32 round = 0; round < 12; round += 2) {
                l += scaled(r + keys[round], left);
                l = l >= left ? l - left : l;
                r += scaled(l + keys[round + 1], right);
                r = r >= right ? r - right : r;
            }
            v = r * left + l;
        } while (v >= m);
        table[i * count + q] = v;
    }
}

// Fewer than 512 elements: Fisher-Yates with Lemire's bounded numbers, in the column of the table itself.
KERNEL permutations_shuffle(ARRAY(u32) table, u64 m, u64 count, u64 first, u64 word, u64 seed) {
    const u64 q = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (q >= count) return;
    const u64 p = first + q;
    for (u64 i = 0; i < m; ++i) table[i * count + q] = (u32)i;
    Key words;
    u32 block = 0, used = 4;
    for (u32 i = (u32)m; i-- > 1;) {
        const u32 n = i + 1, rejected_below = (0u - n) % n;
        u64 product;
        do {
            if (used == 4) {
                words = philox((u32)p, (u32)(p >> 32), block << 16, (u32)word + 3, seed);
                block += 1;
                used = 0;
            }
            product = (u64)words.word[used++] * n;
        } while ((u32)product < rejected_below);
        const u64 j = product >> 32;
        const u32 swapped = table[i * count + q];
        table[i * count + q] = table[j * count + q];
        table[j * count + q] = swapped;
    }
}
