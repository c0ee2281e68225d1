// Moran's I and Geary's C: one block per feature, but where the graph is read, which comes in rows `top .. top + rows`: `top` begins
// a leaf of the tree. The formulas and the exact counting of permutations are those of `reference::spatial_autocorr`; sums
// follow `tree`, rows of the graph their stored order.
#include "concord.cuh"

DEVICE f64 not_a_number() { return of_bits(0x7ff8000000000000ull); }
DEVICE bool is_finite(f64 x) { return (bits_of(x) >> 52 & 0x7ff) != 0x7ff; }
// e with 2^e <= x < 2^(e+1); the least exponent for a subnormal x.
DEVICE i32 exponent_of(f64 x) { return (i32)(bits_of(x) >> 52 & 0x7ff) - 1023; }
DEVICE f64 power_of_two(i32 s) {
    s = s < -1022 ? -1022 : s > 1023 ? 1023 : s;
    return of_bits((u64)(s + 1023) << 52);
}
DEVICE i32 rounded(f64 x) {
    x = nearest_even(x);
    if (!(x > -2147483648.0)) return x == x ? (i32)-2147483647 - 1 : 0;
    return x < 2147483647.0 ? (i32)x : 2147483647;
}

// A block's feature over n cells, and the graph.
struct Feature {
    u64 n, at, leaves_at;
};
DEVICE Feature feature_of_block(u64 n) {
    Feature f;
    f.n = n;
    f.at = blockIdx.x * n;
    f.leaves_at = blockIdx.x * ((n + LEAF - 1) / LEAF);
    return f;
}

// Edges of row r of those that are here: from starts[r] to starts[r + 1].
#define GRAPH(KIND) KIND(const u64) starts, KIND(const u32) indices, KIND(const f64) weights

// sum_j w_ij z_j in stored order, of row r.
DEVICE f64 lag(u64 r, u64 at, VIEW(const f64) z, GRAPH(VIEW)) {
    f64 total = -0.0;
    for (u64 e = starts[r]; e < starts[r + 1]; ++e) total = total + weights[e] * z[at + indices[e]];
    return total;
}
// sum_j w_ij (x_i - x_j)^2 in stored order, of row r, which is that of cell i.
DEVICE f64 contrast(u64 r, u64 i, u64 at, VIEW(const f64) x, GRAPH(VIEW)) {
    f64 total = -0.0;
    for (u64 e = starts[r]; e < starts[r + 1]; ++e) {
        const f64 difference = x[at + i] - x[at + indices[e]];
        total = total + weights[e] * (difference * difference);
    }
    return total;
}

// n/(S0 D) of Moran, (n-1)/(2 S0 D) of Geary.
DEVICE f64 factor(u64 geary, u64 n, f64 s0, f64 d) {
    return geary ? ((f64)n - 1.0) / (2.0 * s0) / d : (f64)n / s0 / d;
}

// Stored values of sparse features into dense columns that hold zeros. Grid: (any, features).
KERNEL autocorr_scatter(ARRAY(f64) x, u64 n, ARRAY(const u64) starts, ARRAY(const u32) rows, ARRAY(const f64) values) {
    const u64 f = blockIdx.y, end = starts[f + 1];
    const u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 e = starts[f] + (u64)blockIdx.x * blockDim.x + threadIdx.x; e < end; e += step) {
        x[f * n + rows[e]] = values[e];
    }
}

// z = x - mean(x), and its square sum, 0 where x is constant; centres[2f], centres[2f + 1] are what was taken off x.
KERNEL autocorr_centre(ARRAY(const f64) x, ARRAY(f64) z, ARRAY(f64) leaves, u64 n, ARRAY(f64) centres, ARRAY(f64) squares) {
    const Feature f = feature_of_block(n);
    const f64 first = n > 0 ? x[f.at] : 0.0;
    const f64 unlike = tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return x[f.at + i] == first ? 0.0 : 1.0; });
    const f64 mean = tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return x[f.at + i]; }) / (f64)n;
    const f64 rest = tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return x[f.at + i] - mean; }) / (f64)n;
    for (u64 i = threadIdx.x; i < n; i += blockDim.x) z[f.at + i] = (x[f.at + i] - mean) - rest;
    __syncthreads();
    const f64 d = tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return z[f.at + i] * z[f.at + i]; });
    if (threadIdx.x > 0) return;
    centres[2 * blockIdx.x] = mean;
    centres[2 * blockIdx.x + 1] = rest;
    squares[blockIdx.x] = unlike > 0.0 ? d : 0.0;
}

// Leaves of the statistic's numerator, those over some rows of the graph. A warp per leaf; grid: (any, features).
KERNEL autocorr_leaves(ARRAY(const f64) x, ARRAY(const f64) z, u64 n, u64 geary, u64 top, u64 rows, GRAPH(ARRAY),
                       ARRAY(f64) leaves) {
    const u64 at = blockIdx.y * n, leaves_at = blockIdx.y * ((n + LEAF - 1) / LEAF) + top / LEAF;
    const u64 warps = blockDim.x / 32, count = (rows + LEAF - 1) / LEAF;
    for (u64 leaf = blockIdx.x * warps + threadIdx.x / 32; leaf < count; leaf += gridDim.x * warps) {
        const f64 total = leaf_of<Plus>(leaf, rows, [=](u64 r) {
            return geary ? contrast(r, top + r, at, x, starts, indices, weights)
                         : z[at + top + r] * lag(r, at, z, starts, indices, weights);
        });
        if (threadIdx.x % 32 == 0) leaves[leaves_at + leaf] = total;
    }
}

// The statistic, from the leaves of its numerator; NaN where x is constant or not finite, or S0 = 0.
KERNEL autocorr_score(ARRAY(f64) leaves, u64 n, f64 s0, u64 geary, ARRAY(const f64) squares, ARRAY(f64) scores) {
    const f64 numerator = fold<Plus>((n + LEAF - 1) / LEAF, leaves, feature_of_block(n).leaves_at);
    if (threadIdx.x > 0) return;
    const f64 d = squares[blockIdx.x];
    const bool defined = d > 0.0 && is_finite(d) && s0 != 0.0;
    scores[blockIdx.x] = defined ? factor(geary, n, s0, d) * numerator : not_a_number();
}

// The power of two that takes a square sum into [1, 4).
DEVICE f64 scale_of(f64 squares) { return power_of_two(-(exponent_of(squares) >> 1)); }

// Scales z so that its square sum is in [1, 4), where the statistic is defined. Grid: (any, features).
KERNEL autocorr_scale(ARRAY(f64) z, u64 n, ARRAY(const f64) squares, ARRAY(const f64) scores) {
    const u64 f = blockIdx.y;
    if (!is_finite(scores[f])) return;
    const f64 scale = scale_of(squares[f]);
    const u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) z[f * n + i] = z[f * n + i] * scale;
}

// The lag of z at some rows of the graph. Grid: (any, features).
KERNEL autocorr_lag(ARRAY(const f64) z, u64 n, u64 top, u64 rows, GRAPH(ARRAY), ARRAY(f64) y) {
    const u64 at = blockIdx.y * n, step = (u64)gridDim.x * blockDim.x;
    for (u64 r = (u64)blockIdx.x * blockDim.x + threadIdx.x; r < rows; r += step) {
        y[at + top + r] = lag(r, at, z, starts, indices, weights);
    }
}

// Mean and variance of the statistic over all n! permutations of rows, into moments[2f] and moments[2f + 1]; y is the lag
// of z.
KERNEL autocorr_moments(ARRAY(const f64) z, ARRAY(const f64) y, ARRAY(f64) leaves, u64 n, ARRAY(const f64) row_sums,
                        ARRAY(const f64) column_sums, f64 s0, u64 geary, ARRAY(const f64) scores, ARRAY(f64) moments) {
    const Feature f = feature_of_block(n);
#define SUM(expression) tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return expression; })
#define Z z[f.at + i]
    const f64 d = SUM(Z * Z), y_mean = SUM(y[f.at + i]) / (f64)n;
#define Y (y[f.at + i] - y_mean)
    const f64 k = factor(geary, n, s0, d), per_draw = k * k / ((f64)n - 1.0), yy = SUM(Y * Y);
    f64 mean = 0.0, variance = per_draw * d * yy;
    if (geary) {
        const f64 a_mean = SUM(Z * Z) / (f64)n, r_mean = SUM(row_sums[i]) / (f64)n;
#define A (Z * Z - a_mean)
#define R (row_sums[i] - r_mean)
        const f64 fixed = SUM(column_sums[i] * (Z * Z));
        const f64 aa = SUM(A * A), rr = SUM(R * R), az = SUM(A * Z), ry = SUM(R * Y);
        mean = k * (fixed + s0 * d / (f64)n);
        variance = per_draw * (aa * rr + 4.0 * d * yy - 4.0 * az * ry);
#undef A
#undef R
    }
#undef SUM
#undef Y
#undef Z
    if (threadIdx.x > 0) return;
    const bool defined = is_finite(d) && scores[blockIdx.x] == scores[blockIdx.x];
    moments[2 * blockIdx.x] = defined ? mean : not_a_number();
    moments[2 * blockIdx.x + 1] = defined ? variance : not_a_number();
}

// The Euclidean norm, taken at a power of two where squares do not vanish.
template <class Term>
DEVICE f64 norm(u64 n, VIEW(f64) leaves, u64 first, Term term) {
    const f64 largest = tree<Larger>(n, leaves, first, [=](u64 i) { return term(i) < 0.0 ? -term(i) : term(i); });
    const i32 scale = exponent_of(largest);
    const f64 squares = tree<Plus>(n, leaves, first, [=](u64 i) {
        const f64 x = term(i) * power_of_two(-scale);
        return x * x;
    });
    return square_root(squares) * power_of_two(scale);
}

// The largest s with 2^s norm <= 2^31 - 2^16.
DEVICE i32 largest_scale(f64 norm) {
    const i32 s = 30 - exponent_of(norm);
    return norm * power_of_two(s) <= 2147418112.0 ? s : s - 1;
}

// Where the integers of a feature go: channel c of feature f at (2 f + c) n.
struct Integers {
    VIEW(i32) u;
    VIEW(i32) v;
    VIEW(i32) base;
    VIEW(u64) totals;
    VIEW(u64) observed;
};

// One channel in 32-bit integers; also those of a cell whose value is 0, the sum of v, and sum u v of the feature.
template <class U, class V>
DEVICE void quantize(const Integers& out, u64 channel, u64 n, i32 alpha, i32 beta, f64 u_of_zero, U u, V v) {
    const u64 at = 2 * blockIdx.x + channel;
    u64 total = 0, products = 0;
    for (u64 i = threadIdx.x; i < n; i += blockDim.x) {
        const i32 a = rounded(u(i) * power_of_two(alpha)), b = rounded(v(i) * power_of_two(beta));
        out.u[at * n + i] = a;
        out.v[at * n + i] = b;
        total += (u64)(i64)b;
        products += (u64)((i64)a * b);
    }
    if (threadIdx.x == 0) out.base[at] = rounded(u_of_zero * power_of_two(alpha));
    // Integers modulo 2^64: the order of the threads does not matter.
    atomic_add(&out.totals[at], total);
    atomic_add(&out.observed[blockIdx.x], products);
}

// z, scaled, and y, its lag, as integer channels, ready to be permuted. Buffers of integers and totals hold zeros before.
KERNEL autocorr_channels(ARRAY(const f64) z, ARRAY(const f64) y, ARRAY(f64) leaves, u64 n, ARRAY(const f64) row_sums, f64 s0,
                         u64 geary, ARRAY(const f64) centres, ARRAY(const f64) squares, ARRAY(const f64) scores,
                         ARRAY(i32) u, ARRAY(i32) v, ARRAY(i32) base, ARRAY(u64) totals, ARRAY(u64) observed,
                         ARRAY(f64) units) {
    const Feature f = feature_of_block(n);
    if (!is_finite(scores[blockIdx.x])) return;
#define SUM(expression) tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return expression; })
    const f64 d = SUM(z[f.at + i] * z[f.at + i]);
    const f64 y_mean = SUM(y[f.at + i]) / (f64)n;
    const f64 a_mean = SUM(z[f.at + i] * z[f.at + i]) / (f64)n, r_mean = SUM(row_sums[i]) / (f64)n;
#undef SUM
    const f64 sign = geary ? -2.0 : 1.0;
    auto u0 = [=](u64 i) { return sign * z[f.at + i]; };
    auto v0 = [=](u64 i) { return y[f.at + i] - y_mean; };
    auto u1 = [=](u64 i) { return z[f.at + i] * z[f.at + i] - a_mean; };
    auto v1 = [=](u64 i) { return row_sums[i] - r_mean; };
    const f64 norms[4] = {norm(n, leaves, f.leaves_at, u0), norm(n, leaves, f.leaves_at, v0),
                          geary ? norm(n, leaves, f.leaves_at, u1) : 0.0, geary ? norm(n, leaves, f.leaves_at, v1) : 0.0};
    i32 alpha[2], beta[2], exponent = 0;
    bool active[2], any = false;
    for (u32 c = 0; c < 2; ++c) {
        active[c] = norms[2 * c] > 0.0 && norms[2 * c + 1] > 0.0;
        alpha[c] = largest_scale(norms[2 * c]);
        beta[c] = largest_scale(norms[2 * c + 1]);
        if (active[c] && (!any || alpha[c] + beta[c] < exponent)) exponent = alpha[c] + beta[c];
        any = any || active[c];
    }
    const f64 scale = scale_of(squares[blockIdx.x]);
    const f64 zero = ((0.0 - centres[2 * blockIdx.x]) - centres[2 * blockIdx.x + 1]) * scale;
    const Integers out = {u, v, base, totals, observed};
    for (u32 c = 0; c < 2; ++c) {
        const i32 spare = alpha[c] + beta[c] - exponent;
        alpha[c] -= spare / 2;
        beta[c] -= spare - spare / 2;
    }
    if (active[0]) quantize(out, 0, n, alpha[0], beta[0], sign * zero, u0, v0);
    if (active[1]) quantize(out, 1, n, alpha[1], beta[1], zero * zero - a_mean, u1, v1);
    if (threadIdx.x == 0) units[blockIdx.x] = factor(geary, n, s0, d) * power_of_two(-exponent);
}

// a - b to float64, although it may need 65 bits.
DEVICE f64 difference(i64 a, i64 b) {
    return a < b ? -(f64)((u64)b - (u64)a) : (f64)((u64)a - (u64)b);
}

// One permutation per thread: sum_i u_i v_pi(i) over both channels, exactly. Only cells with a stored value are
// walked, since all others have the same u: it is `base * sum v` plus what the stored ones add to it.
// Grid: (permutations, features).
KERNEL autocorr_permute(ARRAY(const i32) u, ARRAY(const i32) v, ARRAY(const i32) base, ARRAY(const u64) totals,
                        ARRAY(const u64) observed, ARRAY(const f64) units, ARRAY(const f64) scores, u64 n, u64 channels,
                        ARRAY(const u64) starts, ARRAY(const u32) rows, u64 dense, ARRAY(const u32) table, u64 count,
                        u64 first, u64 n_perms, ARRAY(f64) sims, ARRAY(u64) at_least) {
    const u64 q = (u64)blockIdx.x * blockDim.x + threadIdx.x, f = blockIdx.y;
    if (q >= count) return;
    const u64 begin = dense ? 0 : starts[f], end = dense ? n : starts[f + 1];
    u64 sum = 0;
    for (u64 c = 0; c < channels; ++c) {
        const u64 at = 2 * f + c;
        const i64 rest = base[at];
        sum += (u64)rest * totals[at];
        for (u64 e = begin; e < end; ++e) {
            const u64 i = dense ? e : rows[e];
            const i64 more = u[at * n + i] - rest;
            sum += (u64)more * (u64)(i64)v[at * n + table[i * count + q]];
        }
    }
    const i64 permuted = (i64)sum, as_it_is = (i64)observed[f];
    const f64 score = scores[f], unit = units[f];
    // Negative total weight turns the order around.
    const bool reaches = unit >= 0.0 ? permuted >= as_it_is : permuted <= as_it_is;
    const bool defined = is_finite(score);
    if (reaches && defined) atomic_add(&at_least[f], 1);
    sims[f * n_perms + first + q] = defined ? score + unit * difference(permuted, as_it_is) : not_a_number();
}

// z as integers of a norm below 2^31, for permutations of cells, and what a unit of their products is worth. Buffers hold
// zeros before.
KERNEL autocorr_integers(ARRAY(const f64) z, ARRAY(f64) leaves, u64 n, f64 s0, u64 geary, ARRAY(const f64) scores,
                         ARRAY(i32) u, ARRAY(f64) units) {
    const Feature f = feature_of_block(n);
    if (!is_finite(scores[blockIdx.x])) return;
    const f64 raw = tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return z[f.at + i] * z[f.at + i]; });
    const f64 scale = scale_of(raw);
    auto own = [=](u64 i) { return z[f.at + i] * scale; };
    const f64 d = tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return own(i) * own(i); });
    const i32 alpha = largest_scale(norm(n, leaves, f.leaves_at, own));
    for (u64 i = threadIdx.x; i < n; i += blockDim.x) u[f.at + i] = rounded(own(i) * power_of_two(alpha));
    if (threadIdx.x == 0) units[blockIdx.x] = factor(geary, n, s0, d) * power_of_two(-2 * alpha);
}

// One permutation of cells per thread: sum_ij w_ij u_pi(i) u_pi(j) over some rows of the graph, or with squared differences for
// Geary, exactly; it is added to sums[f * stride + first + q]. Grid: (permutations, features).
KERNEL autocorr_relabel(ARRAY(const i32) u, u64 n, u64 top, u64 rows, ARRAY(const u64) starts, ARRAY(const u32) indices,
                        ARRAY(const i32) weights, u64 geary, ARRAY(const u32) table, u64 count, u64 first, u64 stride,
                        ARRAY(i128) sums) {
    const u64 q = (u64)blockIdx.x * blockDim.x + threadIdx.x, f = blockIdx.y;
    if (q >= count) return;
    i128 total = 0;
    for (u64 r = 0; r < rows; ++r) {
        const i64 own = u[f * n + table[(top + r) * count + q]];
        for (u64 e = starts[r]; e < starts[r + 1]; ++e) {
            const i64 other = u[f * n + table[(u64)indices[e] * count + q]];
            const i64 product = geary ? (own - other) * (own - other) : own * other;
            total += (i128)product * weights[e];
        }
    }
    sums[f * stride + first + q] += total;
}

// n sum z^4 / (sum z^2)^2 of each feature, z scaled so that fourth powers neither vanish nor overflow.
KERNEL autocorr_kurtosis(ARRAY(const f64) z, ARRAY(f64) leaves, u64 n, ARRAY(f64) b2) {
    const Feature f = feature_of_block(n);
    const f64 raw = tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return z[f.at + i] * z[f.at + i]; });
    const f64 scale = scale_of(raw);
    auto square = [=](u64 i) { return (z[f.at + i] * scale) * (z[f.at + i] * scale); };
    const f64 d = tree<Plus>(n, leaves, f.leaves_at, square);
    const f64 fourth = tree<Plus>(n, leaves, f.leaves_at, [=](u64 i) { return square(i) * square(i); });
    if (threadIdx.x == 0) b2[blockIdx.x] = (f64)n * fourth / (d * d);
}
