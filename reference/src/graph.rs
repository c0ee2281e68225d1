//! A spatial graph as the statistics need it: weights in `f64`, compressed by rows.

use dispatch::{Dataset, Dtype, Fault, Format, Indices, Sparse, Value};

use crate::args::{slot, type_error, value_error};
use crate::sum::sum;

/// A weighted directed graph on `n` cells; duplicate and zero entries are kept as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Start of each row; `n + 1` entries.
    pub indptr: Vec<usize>,
    /// The target of each edge.
    pub indices: Vec<u32>,
    /// The weight of each edge.
    pub weights: Vec<f64>,
    /// The dtype the weights were stored in.
    pub dtype: Dtype,
}

/// Sums over the weights of a graph that the moments of Moran's I and Geary's C consist of.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// `sum_ij w_ij`.
    pub s0: f64,
    /// `1/2 sum_ij (w_ij + w_ji)^2`, duplicates added up first.
    pub s1: f64,
    /// `sum_i (r_i + c_i)^2`.
    pub s2: f64,
    /// Row sums `r_i = sum_j w_ij`.
    pub rows: Vec<f64>,
    /// Column sums `c_j = sum_i w_ij`.
    pub columns: Vec<f64>,
    /// The edges without their direction, of which `s1` consists: [`Graph::undirected`].
    pub edges: Graph,
}

impl Graph {
    /// The graph in `obsp[key]`: CSR, CSC or dense, of any numeric dtype.
    ///
    /// # Errors
    /// `KeyError` if it is not there, `TypeError` if it is no matrix, `ValueError` if it is not a well-formed
    /// matrix of cells by cells.
    pub fn read(data: &Dataset, key: &str) -> Result<Graph, Fault> {
        let (graph, columns) = match slot(data, "obsp", key)? {
            Value::Sparse(sparse) => {
                let what =
                    |problem| value_error(format!("malformed graph `obsp[{key}]`: {problem}"));
                sparse.validate().map_err(what)?;
                let graph = match sparse.format {
                    Format::Csr => Graph::from_csr(sparse),
                    Format::Csc => Graph::from_csr(&sparse.recompress()),
                };
                (graph, sparse.shape.1)
            }
            Value::Dense(dense) if dense.shape.len() == 2 => {
                let [rows, columns] = [dense.shape[0], dense.shape[1]];
                (Graph::from_dense(rows, columns, &dense.to_f64(), dense.dtype()), columns)
            }
            other => {
                return Err(type_error(format!(
                    "graph `obsp[{key}]` must be a matrix, got {}",
                    other.type_name()
                )));
            }
        };
        let (n, rows) = (data.n_obs(), graph.len());
        if (rows, columns) != (n, n) {
            return Err(value_error(format!(
                "graph `obsp[{key}]` must be {n} x {n} (cells), it is {rows} x {columns}"
            )));
        }
        Ok(graph)
    }

    fn from_csr(sparse: &Sparse) -> Graph {
        Graph {
            indptr: sparse.indptr.to_vec(),
            indices: match &sparse.indices {
                Indices::I32(targets) => targets.iter().map(|&j| j as u32).collect(),
                Indices::I64(targets) => targets.iter().map(|&j| j as u32).collect(),
            },
            weights: sparse.data.to_f64(),
            dtype: sparse.data.dtype(),
        }
    }

    fn from_dense(rows: usize, columns: usize, values: &[f64], dtype: Dtype) -> Graph {
        let mut graph = Graph { indptr: vec![0], indices: vec![], weights: vec![], dtype };
        for i in 0..rows {
            for j in (0..columns).filter(|j| values[i * columns + j] != 0.0) {
                graph.indices.push(j as u32);
                graph.weights.push(values[i * columns + j]);
            }
            graph.indptr.push(graph.indices.len());
        }
        graph
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The edges of a row: targets and weights.
    #[inline(always)]
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.indptr[i]..self.indptr[i + 1];
        let targets = self.indices[range.clone()].iter().map(|&j| j as usize);
        targets.zip(self.weights[range].iter().copied())
    }

    /// The most edges that one row has.
    pub fn longest_row(&self) -> usize {
        self.indptr.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
    }

    /// Divides each row by the sum of its magnitudes, in `f64`; a row that sums to zero stays as it is.
    ///
    /// # Errors
    /// `ValueError` for NaN or infinity among the weights, as the host's `sklearn.preprocessing.normalize`.
    pub fn row_normalized(&self) -> Result<Graph, Fault> {
        if let Some(k) = self.weights.iter().position(|w| !w.is_finite()) {
            return Err(value_error(format!(
                "graph weights must be finite for `transformation=True`, entry {k} is {}",
                self.weights[k]
            )));
        }
        let mut graph = self.clone();
        for i in 0..self.len() {
            let row = &mut graph.weights[self.indptr[i]..self.indptr[i + 1]];
            let total: f64 = row.iter().map(|w| w.abs()).sum();
            if total != 0.0 {
                row.iter_mut().for_each(|w| *w /= total);
            }
        }
        Ok(graph)
    }

    /// The edges without their direction: row `i` has `w_ij + w_ji` for each `j > i` with an edge either way, and `w_ii`.
    ///
    /// `sum_ij w_ij x_i x_j` is the same over them, of which a graph of neighbours has about 3.5 a cell for 6 directed
    /// ones. Duplicates are added up.
    pub fn undirected(&self) -> Graph {
        // Branches that depend on which end is the lesser would be guessed wrong half of the time: there are none.
        let ends = |i: usize, j: u32| ((i as u32).min(j), (i as u32).max(j));
        let mut starts = vec![0; self.len() + 1];
        self.each_edge(|i, j, _| starts[ends(i, j).0 as usize + 1] += 1);
        (0..self.len()).for_each(|i| starts[i + 1] += starts[i]);
        let mut next = starts.clone();
        let mut sorted = vec![(0, 0.0); self.indices.len()];
        self.each_edge(|i, j, weight| {
            let (first, last) = ends(i, j);
            let at = &mut next[first as usize];
            sorted[*at] = (last, weight);
            *at += 1;
        });
        // Each row moves forward to where the one before it ends, and what it has twice is added up on the way.
        let (mut indptr, mut count) = (Vec::with_capacity(starts.len()), 0);
        // One more than the place of the last edge to each cell, which is in this row or in an earlier one.
        let mut known = vec![0; self.len()];
        for row in starts.windows(2) {
            let first = count;
            indptr.push(first);
            for k in row[0]..row[1] {
                let (last, weight) = sorted[k];
                let place = &mut known[last as usize];
                let is_new = *place <= first;
                let at = if is_new { count } else { *place - 1 };
                sorted[at] = (last, weight + if is_new { 0.0 } else { sorted[at].1 });
                *place = at + 1;
                count += usize::from(is_new);
            }
        }
        indptr.push(count);
        let (indices, weights) = sorted[..count].iter().copied().unzip();
        Graph { indptr, indices, weights, dtype: self.dtype }
    }

    /// The same edges between the places of their ends in `order`, which has each cell once; row after row as `order` has
    /// them.
    pub fn along(&self, order: &[u32]) -> Graph {
        let mut places = vec![0u32; self.len()];
        order.iter().zip(0..).for_each(|(&cell, place)| places[cell as usize] = place);
        let mut moved = Graph {
            indptr: Vec::with_capacity(self.indptr.len()),
            indices: Vec::with_capacity(self.indices.len()),
            weights: Vec::with_capacity(self.weights.len()),
            dtype: self.dtype,
        };
        moved.indptr.push(0);
        for &cell in order {
            let range = self.indptr[cell as usize]..self.indptr[cell as usize + 1];
            moved.indices.extend(self.indices[range.clone()].iter().map(|&j| places[j as usize]));
            moved.weights.extend_from_slice(&self.weights[range]);
            moved.indptr.push(moved.indices.len());
        }
        moved
    }

    /// All cells in the order in which a breadth-first search along the edges meets them, so that neighbours are near each
    /// other; a new search starts at the first cell not met.
    pub fn search_order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = Vec::with_capacity(self.len());
        let mut met = vec![false; self.len()];
        let mut next = 0;
        for start in 0..self.len() {
            if !std::mem::replace(&mut met[start], true) {
                order.push(start as u32);
            }
            while let Some(&cell) = order.get(next) {
                next += 1;
                for (neighbour, _) in self.row(cell as usize) {
                    if !std::mem::replace(&mut met[neighbour], true) {
                        order.push(neighbour as u32);
                    }
                }
            }
        }
        order
    }

    /// The spatial lag `y_i = sum_j w_ij z_j`, each row in stored order.
    pub fn lag(&self, z: &[f64], out: &mut [f64]) {
        for (i, y) in out.iter_mut().enumerate() {
            *y = self.row(i).map(|(j, w)| w * z[j]).sum();
        }
    }

    /// The transposed graph; its rows are sorted, duplicates stand side by side.
    pub fn transposed(&self) -> Graph {
        let mut indptr = vec![0; self.len() + 1];
        self.indices.iter().for_each(|&j| indptr[j as usize + 1] += 1);
        (0..self.len()).for_each(|j| indptr[j + 1] += indptr[j]);
        let (mut next, mut indices, mut weights) =
            (indptr.clone(), vec![0; self.indices.len()], vec![0.0; self.indices.len()]);
        self.each_edge(|i, j, weight| {
            let at = &mut next[j as usize];
            (indices[*at], weights[*at]) = (i as u32, weight);
            *at += 1;
        });
        Graph { indptr, indices, weights, dtype: self.dtype }
    }

    /// Does something with the ends and the weight of each edge.
    #[inline(always)]
    fn each_edge(&self, mut edge: impl FnMut(usize, u32, f64)) {
        for i in 0..self.len() {
            let range = self.indptr[i]..self.indptr[i + 1];
            let ends = self.indices[range.clone()].iter().zip(&self.weights[range]);
            ends.for_each(|(&j, &weight)| edge(i, j, weight));
        }
    }

    /// The sums over the weights; O(edges).
    pub fn moments(&self) -> Moments {
        let n = self.len();
        let (mut rows, mut columns) = (vec![0.0; n], vec![0.0; n]);
        for (i, total) in rows.iter_mut().enumerate() {
            for (j, w) in self.row(i) {
                *total += w;
                columns[j] += w;
            }
        }
        let edges = self.undirected();
        // The square of `w_ij + w_ji` counts for (i, j) and for (j, i), that of `2 w_ii` once.
        let squares = |i: usize| {
            let square = |(j, w): (usize, f64)| if j == i { 2.0 * w * w } else { w * w };
            edges.row(i).map(square).sum::<f64>()
        };
        Moments {
            s0: sum(n, |i| rows[i]),
            s1: sum(n, squares),
            s2: sum(n, |i| (rows[i] + columns[i]).powi(2)),
            rows,
            columns,
            edges,
        }
    }
}

#[cfg(test)]
mod tests {
    use dispatch::{Dense, Frame, Index};

    use super::*;

    fn read(value: impl Into<Value>, n: usize) -> Result<Graph, Fault> {
        let mut data = Dataset::new();
        let index = Index::text((0..n).map(|i| i.to_string()));
        data.set("obs", Frame::new(index, [] as [(String, Value); 0]).into());
        data.set("obsp/g", value.into());
        Graph::read(&data, "g")
    }

    /// 0 -> 2 twice (1 and 2), 0 -> 0 (4), 1 -> 0 (-2), row 2 empty.
    fn example() -> Sparse {
        Sparse::csr((3, 3), vec![0, 3, 4, 4], vec![2, 0, 2, 0], vec![1i32, 4, 2, -2])
    }

    #[test]
    fn moments_by_hand() {
        let moments = read(example(), 3).unwrap().moments();
        assert_eq!((moments.rows, moments.columns), (vec![7.0, -2.0, 0.0], vec![2.0, 0.0, 3.0]));
        // W + W^T = [[8, -2, 3], [-2, 0, 0], [3, 0, 0]].
        assert_eq!((moments.s0, moments.s1, moments.s2), (5.0, 45.0, 81.0 + 4.0 + 9.0));
    }

    #[test]
    fn directions_are_added_up() {
        let both = read(example(), 3).unwrap().undirected();
        assert_eq!((&both.indptr[..], &both.indices[..]), (&[0, 3, 3, 3][..], &[2, 0, 1][..]));
        assert_eq!(both.weights, [3.0, 4.0, -2.0]);
        // Numbered 2, 0, 1: the edges of the second are 1 - 0 (3), 1 - 1 (4), 1 - 2 (-2).
        let along = both.along(&[2, 0, 1]);
        assert_eq!((along.indptr, along.indices), (vec![0, 0, 3, 3], vec![0, 1, 2]));
        assert_eq!(along.weights, [3.0, 4.0, -2.0]);
    }

    #[test]
    fn a_search_meets_every_cell_once() {
        // 0 -> 2, 0 -> 0; 1 -> 0; 3 and 4 apart.
        let edges = Sparse::csr((5, 5), vec![0, 2, 3, 3, 4, 4], vec![2, 0, 0, 4], vec![1.0; 4]);
        assert_eq!(read(edges, 5).unwrap().search_order(), [0, 2, 1, 3, 4]);
    }

    #[test]
    fn every_storage_is_the_same_graph() {
        let csr = read(example(), 3).unwrap();
        assert_eq!(csr.dtype, Dtype::I32);
        let csc = read(example().recompress(), 3).unwrap();
        let dense = Dense::new(vec![3, 3], vec![4.0, 0.0, 3.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let dense = read(dense, 3).unwrap();
        let moments = |graph: &Graph| {
            let Moments { s0, s1, s2, rows, columns, .. } = graph.moments();
            ([s0, s1, s2], rows, columns)
        };
        assert_eq!(moments(&csr), moments(&csc));
        assert_eq!(moments(&csr), moments(&dense));
    }

    #[test]
    fn rows_are_divided_by_their_magnitudes_whatever_the_dtype() {
        let graph = read(example(), 3).unwrap().row_normalized().unwrap();
        assert_eq!(graph.weights, vec![1.0 / 7.0, 4.0 / 7.0, 2.0 / 7.0, -1.0]);
    }

    #[test]
    fn bad_graphs_are_refused() {
        let kind = |result: Result<Graph, Fault>| match result {
            Err(Fault::Rejected { kind, .. }) => kind,
            other => format!("{other:?}"),
        };
        assert_eq!(kind(read(Value::None, 3)), "TypeError");
        assert_eq!(kind(read(example(), 4)), "ValueError");
        let broken = Sparse { indices: dispatch::Indices::I32(vec![2, 0, 2, 3]), ..example() };
        assert_eq!(kind(read(broken, 3)), "ValueError");
        let infinite = Sparse::csr((1, 1), vec![0, 1], vec![0], vec![f32::INFINITY]);
        assert_eq!(kind(read(infinite, 1).unwrap().row_normalized()), "ValueError");
        assert_eq!(kind(Graph::read(&Dataset::new(), "g")), "KeyError");
    }
}
