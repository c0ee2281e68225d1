//! Inputs of any size, the same on every machine: positions, clusters in stripes, sparse counts, a graph of neighbours.

use dispatch::{Categorical, Dataset, Dense, Frame, Index, Sparse, Value};

/// What an input is like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) cells: usize,
    pub(crate) genes: usize,
    pub(crate) clusters: usize,
    /// One value in so many is stored.
    pub(crate) stored: u32,
}

/// How X is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Storage {
    CsrF32,
    CsrF64,
    CscF32,
    DenseF32,
}

/// Thirty-two bits of (i, j), well mixed (Wang's integer hash).
fn hash(i: usize, j: usize) -> u32 {
    let mut h = (i as u32).wrapping_mul(0x9e37_79b9) ^ (j as u32).wrapping_mul(0x85eb_ca6b);
    h = (h ^ 61) ^ (h >> 16);
    h = h.wrapping_mul(9);
    h ^= h >> 4;
    h = h.wrapping_mul(0x27d4_eb2d);
    h ^ (h >> 15)
}

/// `X`, `obs/cluster`, `obsm/spatial` and `obsp/spatial_connectivities`.
pub(crate) fn dataset(shape: Shape, storage: Storage) -> Dataset {
    let Shape { cells, genes, clusters, .. } = shape;
    let names =
        |letter: char, count: usize| Index::text((0..count).map(|i| format!("{letter}{i}")));
    let code = |i: usize| match hash(i, 1) % 5 {
        0 => hash(i, 2) as usize % clusters,
        _ => i * clusters / cells,
    };
    let labels: Vec<String> = (0..clusters).map(|c| format!("T{c:03}")).collect();
    let codes = (0..cells).map(|i| code(i) as i32).collect::<Vec<i32>>();
    let cluster = Categorical::new(codes, labels.iter().map(String::as_str)).into();
    let mut data = Dataset::new();
    data.set("obs", Frame::new(names('c', cells), [("cluster", cluster)]).into());
    data.set("var", Frame::new(names('g', genes), [] as [(&str, Value); 0]).into());
    data.set("X", x(shape, storage));
    // Cells in rows of a square, each shaken.
    let side = cells.isqrt().max(1);
    let shaken = |i: usize, axis: usize| f64::from(hash(i, 3 + axis)) / f64::from(u32::MAX);
    let at = (0..cells).flat_map(|i| {
        [10.0 * ((i % side) as f64 + shaken(i, 0)), 10.0 * ((i / side) as f64 + shaken(i, 1))]
    });
    data.set("obsm/spatial", Dense::new(vec![cells, 2], at.collect::<Vec<f64>>()).into());
    data.set("obsp/spatial_connectivities", graph(cells, side).into());
    data
}

fn x(shape: Shape, storage: Storage) -> Value {
    let Shape { cells, genes, stored, .. } = shape;
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for i in 0..cells {
        for g in (0..genes).filter(|&g| hash(i, g + 7).is_multiple_of(stored)) {
            indices.push(g as i32);
            values.push((2.0 + (hash(g, i) % 6) as f32).ln());
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
