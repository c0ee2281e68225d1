//! Inputs of any size for measuring, the same on every machine: positions, clusters in stripes, sparse counts, a graph of
//! neighbours.
//!
//! Recipes ask what is hard to get right and are small; here only the amount of work counts. Each seed gives other
//! numbers in the same amount: the sparsity differs by chance, shapes, graph and number of clusters do not.

use std::collections::BTreeSet;

use dispatch::{Call, Categorical, Dataset, Dense, Frame, Index, Params, Sparse, Value};

/// What an input is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of cells.
    pub cells: usize,
    /// Number of genes.
    pub genes: usize,
    /// Number of clusters; each has at least a fifth of an even share.
    pub clusters: usize,
    /// One value of X in so many is stored.
    pub stored: u32,
}

/// How X is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Sparse rows, float32.
    CsrF32,
    /// Sparse rows, float64.
    CsrF64,
    /// Sparse columns, float32.
    CscF32,
    /// Dense, float32.
    DenseF32,
}

/// Thirty-two bits of (i, j), well mixed (Wang's integer hash); others for each seed.
#[derive(Clone, Copy)]
struct Hash(u32);

impl Hash {
    fn at(self, i: usize, j: usize) -> u32 {
        hash(i as u32 ^ self.0, j as u32)
    }
}

fn hash(i: u32, j: u32) -> u32 {
    let mut h = i.wrapping_mul(0x9e37_79b9) ^ j.wrapping_mul(0x85eb_ca6b);
    h = (h ^ 61) ^ (h >> 16);
    h = h.wrapping_mul(9);
    h ^= h >> 4;
    h = h.wrapping_mul(0x27d4_eb2d);
    h ^ (h >> 15)
}

/// `X`, `obs/cluster`, `obsm/spatial` and `obsp/spatial_connectivities`; another seed, other numbers.
pub fn dataset(shape: Shape, storage: Storage, seed: u64) -> Dataset {
    let Shape { cells, genes, clusters, .. } = shape;
    // Seed 0 leaves the numbers of a cell as they are.
    let hash = Hash(if seed == 0 { 0 } else { hash(seed as u32, (seed >> 32) as u32) });
    let names =
        |letter: char, count: usize| Index::text((0..count).map(|i| format!("{letter}{i}")));
    let code = |i: usize| match hash.at(i, 1) % 5 {
        0 => hash.at(i, 2) as usize % clusters,
        _ => i * clusters / cells,
    };
    let labels: Vec<String> = (0..clusters).map(|c| format!("T{c:03}")).collect();
    let codes = (0..cells).map(|i| code(i) as i32).collect::<Vec<i32>>();
    let cluster = Categorical::new(codes, labels.iter().map(String::as_str)).into();
    let mut data = Dataset::new();
    data.set("obs", Frame::new(names('c', cells), [("cluster", cluster)]).into());
    data.set("var", Frame::new(names('g', genes), [] as [(&str, Value); 0]).into());
    data.set("X", x(shape, storage, hash));
    // Cells in rows of a square, each shaken.
    let side = cells.isqrt().max(1);
    let shaken = |i: usize, axis: usize| f64::from(hash.at(i, 3 + axis)) / f64::from(u32::MAX);
    let at = (0..cells).flat_map(|i| {
        [10.0 * ((i % side) as f64 + shaken(i, 0)), 10.0 * ((i / side) as f64 + shaken(i, 1))]
    });
    data.set("obsm/spatial", Dense::new(vec![cells, 2], at.collect::<Vec<f64>>()).into());
    data.set("obsp/spatial_connectivities", graph(cells, side).into());
    data
}

fn x(shape: Shape, storage: Storage, hash: Hash) -> Value {
    let Shape { cells, genes, stored, .. } = shape;
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for i in 0..cells {
        for g in (0..genes).filter(|&g| hash.at(i, g + 7).is_multiple_of(stored)) {
            indices.push(g as i32);
            values.push((2.0 + (hash.at(i, g + genes + 7) % 6) as f32).ln());
        }
        indptr.push(indices.len() as i32);
    }
    let csr = Sparse::csr((cells, genes), indptr, indices, values);
    match storage {
        Storage::CsrF32 => csr.into(),
        Storage::CscF32 => csr.recompress().into(),
        Storage::CsrF64 => Sparse { data: csr.data.to_f64().into(), ..csr }.into(),
        Storage::DenseF32 => {
            let mut dense = vec![0f32; cells * genes];
            for i in 0..cells {
                csr.lane(i).for_each(|(g, v)| dense[i * genes + g] = v as f32);
            }
            Dense::new(vec![cells, genes], dense).into()
        }
    }
}

/// Up to six neighbours of each cell: beside it, above and below, and on one diagonal.
fn graph(cells: usize, side: usize) -> Sparse {
    let (mut indptr, mut indices) = (vec![0], Vec::new());
    for i in 0..cells {
        let near = [i.wrapping_sub(side + 1), i.wrapping_sub(side), i.wrapping_sub(1)];
        let near = near.into_iter().chain([i + 1, i + side, i + side + 1]);
        indices.extend(near.filter(|j| *j < cells).map(|j| j as i32));
        indptr.push(indices.len() as i32);
    }
    let weights = vec![1f32; indices.len()];
    Sparse::csr((cells, cells), indptr, indices, weights)
}

/// The work of a call, in units that its time is stated in; to within what chance does to the sparsity.
///
/// `operations` and `bytes` are counts from what the function is defined to compute, not of what a backend does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// What is counted.
    pub unit: &'static str,
    /// How many of it.
    pub count: u64,
    /// Additions, subtractions and multiplications that these units are; comparisons and reads are none.
    pub operations: u64,
    /// Bytes of the input that must be read once, stored as [`Storage::CsrF32`] and what [`dataset`] puts beside it.
    pub bytes: u64,
}

/// A call of a function on data that [`dataset`] made, and its work; `None` for a function that is not known here.
pub fn call(
    function: &str,
    shape: Shape,
    n_perms: Option<u64>,
    data: Dataset,
) -> Option<(Call, Work)> {
    let Shape { cells, genes, stored, .. } = shape;
    let entries_of = |genes: usize| (cells * genes / stored.max(1) as usize) as u64;
    let n = cells as u64;
    // A value or weight of four bytes and an index of four; a start of each row.
    let csr = |entries: u64| 8 * entries + 4 * (n + 1);
    let perms = n_perms.map_or(Value::None, |n| Value::Int(n as i64));
    let (given, work) = match function {
        "spatial_autocorr" => {
            (vec![("mode", "moran".into()), ("n_perms", perms), ("seed", Value::Int(1))], {
                // A permutation costs a multiplication and an addition for each entry, the statistic one for each edge.
                let count = entries_of(genes) * (6 + n_perms.unwrap_or(0));
                let bytes = csr(entries_of(genes)) + csr(6 * n);
                Work { unit: "nonzero-edge", count, operations: 2 * count, bytes }
            })
        }
        "co_occurrence" => (vec![("cluster_key", "cluster".into())], {
            let count = n * n.saturating_sub(1) / 2;
            // Two differences, two squares and their sum; two coordinates of eight bytes and a label of four.
            Work { unit: "pair of cells", count, operations: 5 * count, bytes: 20 * n }
        }),
        "ligrec" => (
            vec![
                ("cluster_key", "cluster".into()),
                ("interactions", interactions(genes)),
                ("n_perms", Value::Int(n_perms.unwrap_or(100) as i64)),
                ("use_raw", false.into()),
                ("seed", Value::Int(1)),
            ],
            {
                // Of genes in no interaction nothing is asked.
                let entries = entries_of(asked(genes));
                let count = entries * n_perms.unwrap_or(100);
                Work { unit: "addition", count, operations: count, bytes: csr(entries) + 4 * n }
            },
        ),
        _ => return None,
    };
    let given = given.into_iter().chain([("copy", true.into())]);
    let params: Params = given.map(|(name, value)| (name.to_owned(), value)).collect();
    Some((Call::new(function, data, params), work))
}

/// Half as many pairs as there are genes, and one more.
fn interactions(genes: usize) -> Value {
    let gene = |g: usize| Value::Text(format!("g{g}"));
    Value::List(pairs(genes).map(|(a, b)| Value::Tuple(vec![gene(a), gene(b)])).collect())
}

fn pairs(genes: usize) -> impl Iterator<Item = (usize, usize)> {
    let g = genes.max(1);
    // Three at least: two pairs would be read as (sources, targets).
    (0..(genes / 2 + 1).max(3)).map(move |i| (i % g, (3 * i + 1) % g))
}

/// Genes in some interaction.
fn asked(genes: usize) -> usize {
    pairs(genes).flat_map(|(a, b)| [a, b]).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { cells: 300, genes: 20, clusters: 4, stored: 5 };

    #[test]
    fn another_seed_gives_other_numbers_in_the_same_amount() {
        let made = |seed| dataset(SHAPE, Storage::CsrF32, seed);
        let (a, b) = (made(1), made(2));
        assert_eq!(a.digest(), made(1).digest());
        for slot in ["X", "obsm/spatial", "obs/cluster"] {
            assert_ne!(a.get(slot), b.get(slot), "{slot}");
        }
        let graph = "obsp/spatial_connectivities";
        assert_eq!(a.get(graph), b.get(graph));
        let stored = |data: &Dataset| match data.get("X") {
            Some(Value::Sparse(x)) => x.data.len() as f64,
            other => panic!("{other:?}"),
        };
        // Binomial of 6000 entries with chance 1/5: four standard deviations are 124.
        assert!((stored(&a) - 1200.0).abs() < 124.0 && (stored(&b) - 1200.0).abs() < 124.0);
    }

    #[test]
    fn every_function_with_recipes_can_be_measured() {
        for generator in crate::GENERATORS {
            let data = dataset(SHAPE, Storage::CsrF32, 0);
            let (call, work) = call(generator.function, SHAPE, Some(10), data).unwrap();
            assert!(work.count > 0 && call.function == generator.function);
            assert!(work.operations >= work.count && work.bytes > 0);
        }
        assert_eq!(call("nothing", SHAPE, None, Dataset::new()), None);
    }

    #[test]
    fn the_bytes_are_those_of_the_slots_that_are_read() {
        let shape = Shape { cells: 2000, genes: 60, clusters: 4, stored: 5 };
        let data = dataset(shape, Storage::CsrF32, 1);
        let csr = |slot: &str| match data.get(slot) {
            Some(Value::Sparse(m)) => (m.data.len() * 8 + m.indptr.len() * 4) as f64,
            other => panic!("{other:?}"),
        };
        let of = |function| call(function, shape, None, Dataset::new()).unwrap().1.bytes as f64;
        let stored = csr("X") + csr("obsp/spatial_connectivities");
        // Chance moves 24,000 entries by 0.6 %; cells at the border have fewer than six neighbours: 2 % of 2000.
        assert!((of("spatial_autocorr") / stored - 1.0).abs() < 0.04);
        assert_eq!(of("co_occurrence"), 2000.0 * (2.0 * 8.0 + 4.0));
        // 31 interactions ask for the first 31 genes and for genes 1, 4, 7, ... 58, ten of which are not among those.
        assert_eq!(asked(60), 41);
        assert_eq!(of("ligrec"), 8.0 * 2000.0 * 41.0 / 5.0 + 4.0 * 2001.0 + 4.0 * 2000.0);
    }
}
