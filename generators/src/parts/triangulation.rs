//! Delaunay triangulation on a lattice, exact.
//!
//! Predicates in floating point need care (or expansions) to be right, and to be the same everywhere. Points on a
//! lattice of 2^14 by 2^14 need neither: every in-circle determinant fits an `i64`. A generator may choose its points,
//! so this is enough, and it is why there is no dependency for it.
//!
//! Bowyer (1981) and Watson (1981) with a vertex at infinity: the outside of each hull edge is a triangle too,
//! so no large enclosing triangle has to be invented and taken away again. O(n^2).

/// Lattice points per axis. Differences are below 2^14, their squares sum to less than 2^29, a cross product too;
/// the determinant is three products of such a pair, below 2^60.
pub(super) const LATTICE: i64 = 1 << 14;

/// The vertex at infinity; always the last of its triangle.
const INFINITY: usize = usize::MAX;

type Point = [i64; 2];
/// Positions of three points, counter-clockwise.
type Triangle = [usize; 3];

/// The triangles of the distinct points, by position; empty if all points are on one line.
///
/// Of points that coincide the first takes part. Four points on one circle get one of their two diagonals.
pub(super) fn triangles(points: &[Point]) -> Vec<Triangle> {
    let order = distinct(points);
    let Some(start) = first_triangle(points, &order) else { return Vec::new() };
    let [a, b, c] = start;
    let mut triangles = vec![start, [b, a, INFINITY], [c, b, INFINITY], [a, c, INFINITY]];
    for &p in order.iter().filter(|p| !start.contains(p)) {
        insert(points, p, &mut triangles);
    }
    triangles.retain(|t| t[2] != INFINITY);
    triangles
}

/// Positions of the distinct points, by x, then y; the first of each place.
pub(super) fn distinct(points: &[Point]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|&i| (points[i], i));
    order.dedup_by_key(|i| points[*i]);
    order
}

/// The first two points and the first that is not on their line, counter-clockwise.
fn first_triangle(points: &[Point], order: &[usize]) -> Option<Triangle> {
    let (&a, rest) = order.split_first()?;
    let (&b, rest) = rest.split_first()?;
    let side = |c: usize| turn(points[a], points[b], points[c]);
    let c = rest.iter().copied().find(|&c| side(c) != 0)?;
    Some(if side(c) > 0 { [a, b, c] } else { [b, a, c] })
}

/// Replaces the triangles whose circle holds the point by a fan around it.
fn insert(points: &[Point], p: usize, triangles: &mut Vec<Triangle>) {
    let mut edges: Vec<(usize, usize)> = Vec::new();
    triangles.retain(|t| {
        let gone = conflicts(points, t, points[p]);
        if gone {
            edges.extend([(t[0], t[1]), (t[1], t[2]), (t[2], t[0])]);
        }
        !gone
    });
    // An edge between two of the triangles taken away occurs in both directions; the others bound the hole.
    for &(u, v) in edges.iter().filter(|(u, v)| !edges.contains(&(*v, *u))) {
        triangles.push(match (u, v) {
            (INFINITY, v) => [v, p, INFINITY],
            (u, INFINITY) => [p, u, INFINITY],
            (u, v) => [u, v, p],
        });
    }
}

fn conflicts(points: &[Point], &[a, b, c]: &Triangle, p: Point) -> bool {
    if c == INFINITY {
        // The circle through two points and infinity is the half plane outside, and the open edge itself.
        let side = turn(points[a], points[b], p);
        side > 0 || (side == 0 && between(points[a], points[b], p))
    } else {
        in_circle(points[a], points[b], points[c], p)
    }
}

/// Positive if the turn from `a` over `b` to `c` is to the left, 0 on a line.
fn turn(a: Point, b: Point, c: Point) -> i64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Whether `p`, on the line of `a` and `b`, lies strictly between them.
fn between(a: Point, b: Point, p: Point) -> bool {
    (a[0] - p[0]) * (b[0] - p[0]) + (a[1] - p[1]) * (b[1] - p[1]) < 0
}

/// Whether `p` is strictly inside the circle of the counter-clockwise triangle.
fn in_circle(a: Point, b: Point, c: Point, p: Point) -> bool {
    let [(ax, ay), (bx, by), (cx, cy)] = [a, b, c].map(|q| (q[0] - p[0], q[1] - p[1]));
    let lift = |x: i64, y: i64| x * x + y * y;
    let determinant = lift(ax, ay) * (bx * cy - by * cx) - lift(bx, by) * (ax * cy - ay * cx)
        + lift(cx, cy) * (ax * by - ay * bx);
    determinant > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    fn random_points(n: usize, side: usize, seed: u64) -> Vec<Point> {
        let mut random = Random::new(seed, "points");
        (0..n).map(|_| [random.below(side) as i64, random.below(side) as i64]).collect()
    }

    /// Every point is used, no circle holds a point, and the triangles tile the convex hull.
    fn check(points: &[Point]) {
        let triangles = triangles(points);
        let places = distinct(points);
        assert!(
            places.iter().all(|p| triangles.iter().any(|t| t.contains(p))),
            "a point is left out"
        );
        for &[a, b, c] in &triangles {
            assert!(turn(points[a], points[b], points[c]) > 0, "flat or clockwise");
            assert!(
                places.iter().all(|&p| !in_circle(points[a], points[b], points[c], points[p])),
                "a circle holds a point"
            );
        }
        let doubled_area: i64 =
            triangles.iter().map(|t| turn(points[t[0]], points[t[1]], points[t[2]])).sum();
        assert_eq!(
            doubled_area,
            doubled_hull_area(points, &places),
            "the hull is not covered once"
        );
    }

    /// Twice the area of the convex hull (Andrew's monotone chain).
    fn doubled_hull_area(points: &[Point], places: &[usize]) -> i64 {
        let chain = |order: &mut dyn Iterator<Item = usize>| {
            let mut hull: Vec<Point> = Vec::new();
            for i in order {
                while hull.len() > 1
                    && turn(hull[hull.len() - 2], hull[hull.len() - 1], points[i]) <= 0
                {
                    hull.pop();
                }
                hull.push(points[i]);
            }
            hull
        };
        let mut hull = chain(&mut places.iter().copied());
        hull.pop();
        hull.extend(chain(&mut places.iter().rev().copied()));
        hull.windows(2).map(|w| w[0][0] * w[1][1] - w[0][1] * w[1][0]).sum()
    }

    #[test]
    fn random_points_are_triangulated() {
        for seed in 0..20 {
            check(&random_points(3 + 4 * seed as usize, LATTICE as usize, seed));
        }
    }

    #[test]
    fn degenerate_points_are_triangulated() {
        // Small sides: many points on one circle, on one line, in one place, on the edge of the hull.
        for side in 2..9 {
            for seed in 0..40 {
                let mut points = random_points(12, side, seed);
                points.extend([[0, 0], [1, 0], [0, 1]]);
                check(&points);
            }
        }
        let grid: Vec<Point> = (0..49).map(|i| [i % 7, i / 7]).collect();
        check(&grid);
    }

    #[test]
    fn the_far_corners_do_not_overflow() {
        let far = LATTICE - 1;
        check(&[[0, 0], [far, 0], [0, far], [far, far], [far / 2, far / 2], [1, far - 1]]);
    }

    #[test]
    fn a_line_has_no_triangles() {
        assert!(triangles(&[[0, 0], [2, 4], [1, 2], [1, 2], [5, 10]]).is_empty());
        assert!(triangles(&[]).is_empty());
    }
}
