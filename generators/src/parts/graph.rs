//! Neighbour graphs, and the ways a sparse matrix may hold them.
//!
//! kNN graphs hide bugs: each row has the same sum, so a forgotten normalisation changes nothing. Hence the
//! irregular ones, the asymmetric weights, the cells without neighbours. Weights are dyadic, so that sums of them are
//! exact in every float type.

use dispatch::{Buffer, Dtype, Format, Indices, Sparse};

use super::triangulation::{LATTICE, distinct, triangles};
use crate::Random;
use crate::knob::levels;

levels! {
    /// Which cells are neighbours.
    Shape {
        /// A cycle.
        Ring = "ring",
        /// A rectangle with opposite sides glued; the most square one that has the cells.
        Torus = "torus",
        /// All cells and one in the middle.
        Star = "star",
        /// Each with each.
        Complete = "complete",
        /// The four nearest; directed.
        Knn = "knn",
        /// All within a radius that gives about five on average; some cells may have none.
        Radius = "radius",
        /// Delaunay's triangulation.
        Delaunay = "delaunay",
        /// Up to six others at random; directed.
        Random = "random",
        /// No edges.
        Empty = "empty",
    }
}

levels! {
    /// What the edges weigh.
    Weights {
        /// 1.
        One = "one",
        /// Multiples of 1/8 from 1/8 to 2, the two directions of an edge apart.
        Dyadic = "dyadic",
        /// As dyadic, about one in four of them negative.
        Signed = "signed",
    }
}

levels! {
    /// Which cells lose all their edges.
    Isolated {
        /// None.
        None = "none",
        /// The first.
        First = "first",
        /// The last.
        Last = "last",
        /// The first half.
        Half = "half",
    }
}

/// How a graph is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Of the weights. Integers store eight times a dyadic weight, `bool` whether there is an edge.
    pub dtype: Dtype,
    /// Whether `indptr` and `indices` are `int64`.
    pub wide: bool,
    /// Whether the indices of each row stand in descending order.
    pub unsorted: bool,
    /// Compressed rows or columns.
    pub format: Format,
}

/// A stored entry: from, to, weight.
pub type Entry = (usize, usize, f64);

/// A directed graph; an undirected one has each edge twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    cells: usize,
    entries: Vec<Entry>,
}

impl Graph {
    /// A graph of some directed edges, all of weight 1.
    pub fn new(cells: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Graph {
        Graph { cells, entries: edges.into_iter().map(|(i, j)| (i, j, 1.0)).collect() }
    }

    /// A graph of a shape on some places (see [`snap`]); shapes without geometry only count them.
    pub fn of(shape: Shape, places: &[[i64; 2]], random: &mut Random) -> Graph {
        let n = places.len();
        match shape {
            Shape::Ring => Graph::undirected(n, (0..n).map(|i| (i, (i + 1) % n))),
            Shape::Torus => torus(n),
            Shape::Star => Graph::undirected(n, (0..n).map(|i| (n / 2, i))),
            Shape::Complete => {
                let all = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
                Graph::new(n, all.filter(|(i, j)| i != j))
            }
            Shape::Knn => knn(places, 4),
            Shape::Radius => {
                // n pi r^2 / area = 5, with 22/7 for pi.
                let squared = LATTICE * LATTICE * 35 / (22 * n.max(1) as i64);
                radius(places, squared)
            }
            Shape::Delaunay => delaunay(places),
            Shape::Random => sparse(n, random),
            Shape::Empty => Graph::new(n, []),
        }
    }

    /// Each edge in both directions, once, without loops.
    fn undirected(cells: usize, edges: impl Iterator<Item = (usize, usize)>) -> Graph {
        let mut both: Vec<(usize, usize)> =
            edges.filter(|(i, j)| i != j).flat_map(|(i, j)| [(i, j), (j, i)]).collect();
        both.sort_unstable();
        both.dedup();
        Graph::new(cells, both)
    }

    /// The stored entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The graph without the edges of some cells.
    pub fn isolate(mut self, isolated: Isolated) -> Graph {
        let n = self.cells;
        let gone = |cell: usize| match isolated {
            Isolated::None => false,
            Isolated::First => cell == 0,
            Isolated::Last => cell + 1 == n,
            Isolated::Half => cell < n / 2,
        };
        self.entries.retain(|&(i, j, _)| !gone(i) && !gone(j));
        self
    }

    /// The graph with other weights.
    pub fn weigh(mut self, weights: Weights, random: &mut Random) -> Graph {
        for (_, _, weight) in &mut self.entries {
            *weight = match weights {
                Weights::One => 1.0,
                Weights::Dyadic => (1 + random.below(16)) as f64 / 8.0,
                Weights::Signed => {
                    let size = (1 + random.below(16)) as f64 / 8.0;
                    if random.below(4) == 0 { -size } else { size }
                }
            };
        }
        self
    }

    /// The graph with a loop of weight 1 at each cell that has an edge.
    pub fn with_loops(mut self) -> Graph {
        let mut cells: Vec<usize> = self.entries.iter().map(|e| e.0).collect();
        cells.sort_unstable();
        cells.dedup();
        self.entries.extend(cells.into_iter().map(|i| (i, i, 1.0)));
        self
    }

    /// The graph with entries of weight 0 stored where there is no edge, about one to two cells.
    pub fn with_zeros(mut self, random: &mut Random) -> Graph {
        let mut taken: Vec<(usize, usize)> = self.entries.iter().map(|e| (e.0, e.1)).collect();
        taken.sort_unstable();
        let places = (0..self.cells).step_by(2).map(|i| (i, random.below(self.cells)));
        let free = places.filter(|place| taken.binary_search(place).is_err());
        self.entries.extend(free.map(|(i, j)| (i, j, 0.0)));
        self
    }

    /// The graph with every third entry stored twice; duplicates add up.
    pub fn with_duplicates(mut self) -> Graph {
        let again: Vec<Entry> = self.entries.iter().step_by(3).copied().collect();
        self.entries.extend(again);
        self
    }

    /// The sparse matrix of the graph; row i holds the edges from cell i.
    pub fn store(&self, layout: Layout) -> Sparse {
        // Counting sort by row, then by column within the row: duplicates stay neighbours in a sorted row.
        let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.cells];
        for &(i, j, weight) in &self.entries {
            rows[i].push((j, weight));
        }
        let (mut indptr, mut indices, mut weights) = (vec![0], Vec::new(), Vec::new());
        for row in &mut rows {
            row.sort_by_key(|&(j, _)| if layout.unsorted { self.cells - j } else { j });
            for &(j, weight) in row.iter() {
                indices.push(j as i64);
                weights.push(weight);
            }
            indptr.push(indices.len() as i64);
        }
        let width = |v: Vec<i64>| match layout.wide {
            true => Indices::I64(v),
            false => Indices::I32(v.into_iter().map(|i| i as i32).collect()),
        };
        let csr = Sparse {
            format: Format::Csr,
            shape: (self.cells, self.cells),
            indptr: width(indptr),
            indices: width(indices),
            data: self.buffer(weights, layout.dtype),
        };
        match layout.format {
            Format::Csr => csr,
            Format::Csc => csr.recompress(),
        }
    }

    fn buffer(&self, mut weights: Vec<f64>, dtype: Dtype) -> Buffer {
        let is_dyadic = weights.iter().any(|w| w.fract() != 0.0);
        if is_dyadic && !dtype.is_float() && dtype != Dtype::Bool {
            weights.iter_mut().for_each(|w| *w *= 8.0);
        }
        Buffer::from_f64(dtype, &weights)
    }
}

/// Places on a lattice fine enough to tell `points` apart; the larger side of their box fills it.
pub fn snap(points: &[[f64; 2]]) -> Vec<[i64; 2]> {
    let bound = |axis: usize, pick: fn(f64, f64) -> f64| {
        points.iter().map(|p| p[axis]).reduce(pick).unwrap_or(0.0)
    };
    let low = [bound(0, f64::min), bound(1, f64::min)];
    let side = (bound(0, f64::max) - low[0]).max(bound(1, f64::max) - low[1]);
    let scale = if side > 0.0 { (LATTICE - 1) as f64 / side } else { 0.0 };
    let axis = |p: &[f64; 2], k: usize| ((p[k] - low[k]) * scale) as i64;
    points.iter().map(|p| [axis(p, 0), axis(p, 1)]).collect()
}

/// Random places, as [`snap`] returns them.
pub fn scatter(cells: usize, random: &mut Random) -> Vec<[i64; 2]> {
    let mut coordinate = || random.below(LATTICE as usize) as i64;
    (0..cells).map(|_| [coordinate(), coordinate()]).collect()
}

/// The `k` nearest other cells of each, the lower index first among equals; directed.
pub fn knn(places: &[[i64; 2]], k: usize) -> Graph {
    let n = places.len();
    let k = k.min(n.saturating_sub(1));
    let nearest = |i: usize| {
        let mut others: Vec<(i64, usize)> =
            (0..n).filter(|&j| j != i).map(|j| (squared(places[i], places[j]), j)).collect();
        if k < others.len() {
            others.select_nth_unstable(k);
        }
        others.truncate(k);
        others.sort_unstable();
        others.into_iter().map(move |(_, j)| (i, j))
    };
    Graph::new(n, (0..n).flat_map(nearest))
}

/// All pairs whose squared distance is at most `squared_radius`.
pub fn radius(places: &[[i64; 2]], squared_radius: i64) -> Graph {
    let n = places.len();
    let near = |&(i, j): &(usize, usize)| squared(places[i], places[j]) <= squared_radius;
    Graph::undirected(n, (0..n).flat_map(|j| (0..j).map(move |i| (i, j))).filter(near))
}

/// The edges of Delaunay's triangulation; along a line, the edges between its neighbours.
///
/// Of cells in one place only the first has edges, as in SciPy.
pub fn delaunay(places: &[[i64; 2]]) -> Graph {
    let sides = |t: [usize; 3]| [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])];
    let triangles = triangles(places);
    if triangles.is_empty() {
        let line = distinct(places);
        return Graph::undirected(places.len(), line.windows(2).map(|w| (w[0], w[1])));
    }
    Graph::undirected(places.len(), triangles.into_iter().flat_map(sides))
}

fn torus(n: usize) -> Graph {
    let height =
        (1..=n).take_while(|h| h * h <= n).filter(|h| n.is_multiple_of(*h)).last().unwrap_or(1);
    let width = n / height;
    Graph::undirected(
        n,
        (0..n).flat_map(|i| {
            let (row, column) = (i / width, i % width);
            [(i, row * width + (column + 1) % width), (i, (row + 1) % height * width + column)]
        }),
    )
}

/// Each cell with 0 to 6 random others.
fn sparse(n: usize, random: &mut Random) -> Graph {
    let mut edges = Vec::new();
    for i in 0..n {
        let degree = random.below(7).min(n - 1);
        let start = edges.len();
        while edges.len() < start + degree {
            let edge = (i, random.below(n));
            if edge.1 != i && !edges[start..].contains(&edge) {
                edges.push(edge);
            }
        }
    }
    Graph::new(n, edges)
}

fn squared(a: [i64; 2], b: [i64; 2]) -> i64 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    dx * dx + dy * dy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Levels;

    const PLAIN: Layout =
        Layout { dtype: Dtype::F64, wide: false, unsorted: false, format: Format::Csr };

    fn of(shape: Shape, n: usize) -> Graph {
        let mut random = Random::new(n as u64, "graph");
        Graph::of(shape, &scatter(n, &mut random), &mut random)
    }

    fn degrees(graph: &Graph, n: usize) -> Vec<usize> {
        (0..n).map(|i| graph.entries().iter().filter(|e| e.0 == i).count()).collect()
    }

    #[test]
    fn shapes_have_their_degrees() {
        assert_eq!(degrees(&of(Shape::Ring, 7), 7), [2; 7]);
        assert_eq!(degrees(&of(Shape::Torus, 12), 12), [4; 12]);
        assert_eq!(degrees(&of(Shape::Complete, 5), 5), [4; 5]);
        assert_eq!(degrees(&of(Shape::Star, 5), 5), [1, 1, 4, 1, 1]);
        assert_eq!(degrees(&of(Shape::Knn, 9), 9), [4; 9]);
        assert!(of(Shape::Empty, 9).entries().is_empty());
        let irregular = degrees(&of(Shape::Random, 64), 64);
        assert!(irregular.contains(&0) && irregular.contains(&6));
    }

    #[test]
    fn every_shape_builds_for_every_small_number_of_cells() {
        for &shape in Shape::ALL {
            for n in 0..10 {
                let graph = of(shape, n);
                let mut pairs: Vec<_> = graph.entries().iter().map(|e| (e.0, e.1)).collect();
                assert!(pairs.iter().all(|(i, j)| i != j), "{shape:?} {n} has a loop");
                pairs.sort_unstable();
                pairs.dedup();
                assert_eq!(pairs.len(), graph.entries().len(), "{shape:?} {n} has a duplicate");
                assert_eq!(graph.store(PLAIN).validate(), Ok(()));
            }
        }
    }

    #[test]
    fn neighbours_are_near_and_ties_go_to_the_lower_index() {
        let line: Vec<[i64; 2]> = (0..5).map(|x| [x, 0]).collect();
        let nearest = knn(&line, 1);
        let pairs: Vec<_> = nearest.entries().iter().map(|e| (e.0, e.1)).collect();
        assert_eq!(pairs, [(0, 1), (1, 0), (2, 1), (3, 2), (4, 3)]);
        assert_eq!(degrees(&radius(&line, 4), 5), [2, 3, 4, 3, 2]);
        assert_eq!(degrees(&delaunay(&line), 5), [1, 2, 2, 2, 1]);
    }

    #[test]
    fn isolation_is_by_row_and_column() {
        for (isolated, gone) in [
            (Isolated::First, vec![0]),
            (Isolated::Last, vec![8]),
            (Isolated::Half, vec![0, 1, 2, 3]),
        ] {
            let graph = of(Shape::Random, 9).isolate(isolated).with_loops();
            assert!(graph.entries().iter().all(|e| !gone.contains(&e.0) && !gone.contains(&e.1)));
            assert!(!graph.entries().is_empty());
        }
    }

    #[test]
    fn storage_keeps_zeros_duplicates_order_and_width() {
        let mut random = Random::new(1, "graph");
        let graph = of(Shape::Random, 20).weigh(Weights::Dyadic, &mut random);
        let (edges, total) =
            (graph.entries().len(), graph.entries().iter().map(|e| e.2).sum::<f64>());
        let zeros = graph.clone().with_zeros(&mut random).store(PLAIN);
        assert!(zeros.nnz() > edges && zeros.data.to_f64().iter().sum::<f64>() == total);
        let doubled = graph.clone().with_duplicates();
        assert_eq!(doubled.store(PLAIN).nnz(), edges + edges.div_ceil(3));
        let layout = Layout { dtype: Dtype::I64, wide: true, unsorted: true, format: Format::Csc };
        let csc = doubled.store(layout);
        assert_eq!(
            (csc.indices.dtype(), csc.data.dtype(), csc.format),
            (Dtype::I64, Dtype::I64, Format::Csc)
        );
        assert!(csc.data.to_f64().iter().all(|w| (1.0..=16.0).contains(w)));
        let csr = doubled.store(Layout { unsorted: true, ..PLAIN });
        assert!((0..20).all(|i| csr.lane(i).map(|e| e.0).is_sorted_by(|a, b| a >= b)));
        assert_eq!(csr.validate(), Ok(()));
    }

    #[test]
    fn snapping_fills_the_lattice_and_keeps_the_order() {
        let places = snap(&[[5.0, 1.0], [7.0, 2.0], [6.0, 1.5]]);
        assert_eq!(
            places,
            [[0, 0], [LATTICE - 1, (LATTICE - 1) / 2], [(LATTICE - 1) / 2, (LATTICE - 1) / 4]]
        );
        assert_eq!(snap(&[[2.0, 2.0], [2.0, 2.0]]), [[0, 0], [0, 0]]);
        assert!(snap(&[]).is_empty());
    }
}
