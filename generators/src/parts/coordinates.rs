//! Where the cells are.

use dispatch::{Buffer, Dense, Dtype, Order, Value};

use crate::Random;
use crate::knob::levels;

levels! {
    /// How cells are laid out.
    Layout {
        /// Integers on a rectangle twice as wide as high, filled row by row; many equal distances.
        Lattice = "lattice",
        /// Anywhere in a rectangle of 100 by 60.
        Uniform = "uniform",
        /// Four tight heaps far apart: dense inside, nothing between.
        Heaps = "heaps",
        /// Uniform integers, each place taken by two cells or more.
        Duplicates = "duplicates",
        /// On one oblique line, at integers.
        Collinear = "collinear",
        /// All in one place.
        Coincident = "coincident",
    }
}

/// How far the whole layout is moved: large enough that a float32 keeps sixteenths only.
pub const HUGE_OFFSET: f64 = 1e6;

/// The places of `cells` cells in the plane.
pub fn places(layout: Layout, cells: usize, random: &mut Random) -> Vec<[f64; 2]> {
    let width = ((2 * cells) as f64).sqrt().ceil().max(1.0) as usize;
    let heaps = [[0.0, 0.0], [100.0, 10.0], [20.0, 60.0], [90.0, 70.0]];
    let mut taken: Vec<[f64; 2]> = Vec::new();
    (0..cells)
        .map(|i| match layout {
            Layout::Lattice => [(i % width) as f64, (i / width) as f64],
            Layout::Uniform => [100.0 * random.unit(), 60.0 * random.unit()],
            Layout::Heaps => {
                let [x, y] = heaps[random.below(heaps.len())];
                [x + random.normal(), y + random.normal()]
            }
            Layout::Duplicates => {
                if i % 2 == 0 {
                    taken.push([random.below(20) as f64, random.below(12) as f64]);
                }
                taken[random.below(taken.len())]
            }
            Layout::Collinear => {
                let t = random.below(4 * cells) as f64;
                [2.0 * t, t]
            }
            Layout::Coincident => [3.0, 4.0],
        })
        .collect()
}

/// The places as an `obsm` array: moved by `offset`, with a third column of depths if `dims` is 3.
pub fn array(
    places: &[[f64; 2]],
    dims: usize,
    offset: f64,
    dtype: Dtype,
    order: Order,
    random: &mut Random,
) -> Value {
    let depths: Vec<f64> = places.iter().map(|_| 30.0 * random.unit()).collect();
    let at = |cell: usize, axis: usize| match axis {
        0 | 1 => places[cell][axis] + offset,
        _ => depths[cell],
    };
    let cells = places.len();
    let values: Vec<f64> = match order {
        Order::C => (0..cells * dims).map(|k| at(k / dims, k % dims)).collect(),
        Order::F => (0..cells * dims).map(|k| at(k % cells, k / cells)).collect(),
    };
    Dense { shape: vec![cells, dims], data: Buffer::from_f64(dtype, &values), order }.into()
}

/// The distance of two places.
pub fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    (dx * dx + dy * dy).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Levels;

    #[test]
    fn layouts_are_what_they_say() {
        let mut random = Random::new(3, "layouts");
        let mut of = |layout| places(layout, 40, &mut random);
        let distinct = |p: &[[f64; 2]]| {
            let mut keys: Vec<_> = p.iter().map(|q| q.map(f64::to_bits)).collect();
            keys.sort_unstable();
            keys.dedup();
            keys.len()
        };
        assert_eq!(distinct(&of(Layout::Lattice)), 40);
        assert!(distinct(&of(Layout::Duplicates)) <= 20);
        assert_eq!(distinct(&of(Layout::Coincident)), 1);
        assert!(of(Layout::Collinear).iter().all(|[x, y]| *x == 2.0 * y));
        for layout in [Layout::Lattice, Layout::Duplicates, Layout::Collinear] {
            assert!(of(layout).iter().flatten().all(|x| x.fract() == 0.0), "{layout:?}");
        }
        assert!(Layout::ALL.iter().all(|&layout| places(layout, 0, &mut random).is_empty()));
    }

    #[test]
    fn memory_order_does_not_change_the_values() {
        let places = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let of = |order| match array(&places, 3, 10.0, Dtype::F32, order, &mut Random::new(0, "z"))
        {
            Value::Dense(dense) => dense,
            other => panic!("expected an array, got {}", other.type_name()),
        };
        assert_eq!(of(Order::C).to_f64(), of(Order::F).to_f64());
        assert_eq!(of(Order::C).to_f64()[..2], [11.0, 12.0]);
        assert_ne!(of(Order::C).data, of(Order::F).data);
    }
}
