//! Circles in a graph, and the shortest chains that show them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A directed graph; each arrow bears the reasons for it.
#[derive(Debug, Clone)]
pub struct Graph<N, R> {
    arrows: BTreeMap<N, BTreeMap<N, BTreeSet<R>>>,
}

/// Nodes each of which reaches all others.
#[derive(Debug)]
pub struct Circle<N, R> {
    pub members: BTreeSet<N>,
    /// Closed chains, the shortest first, such that without the last arrow of each the circle is open.
    pub chains: Vec<Vec<Arrow<N, R>>>,
}

/// An arrow, and the reasons for it.
#[derive(Debug)]
pub struct Arrow<N, R> {
    pub from: N,
    pub to: N,
    pub reasons: BTreeSet<R>,
}

impl<N, R> Default for Graph<N, R> {
    fn default() -> Self {
        Self {
            arrows: BTreeMap::new(),
        }
    }
}

impl<N: Ord + Clone, R: Ord + Clone> Graph<N, R> {
    /// Adds a reason for an arrow.
    pub fn add(&mut self, from: N, to: N, reason: R) {
        let reasons = self.arrows.entry(from).or_default().entry(to).or_default();
        reasons.insert(reason);
    }

    /// All circles. A node's arrow to itself is none.
    pub fn circles(&self) -> Vec<Circle<N, R>> {
        let reached: BTreeMap<&N, BTreeSet<&N>> = self.arrows.keys().map(|node| (node, self.reached(node))).collect();
        let mut circles: Vec<Circle<N, R>> = Vec::new();
        for (node, from_here) in &reached {
            let back = |other: &&N| reached.get(other).is_some_and(|reached| reached.contains(node));
            let members: BTreeSet<N> = from_here.iter().copied().filter(back).cloned().collect();
            if members.len() > 1 && circles.iter().all(|circle| !circle.members.contains(node)) {
                let chains = self.within(&members).opened();
                circles.push(Circle { members, chains });
            }
        }
        circles
    }

    /// The nodes at the end of a way from this one.
    fn reached<'g>(&'g self, from: &'g N) -> BTreeSet<&'g N> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            open.extend(self.next(node).filter(|next| reached.insert(*next)));
        }
        reached
    }

    fn next<'g>(&'g self, node: &N) -> impl Iterator<Item = &'g N> {
        self.arrows.get(node).into_iter().flat_map(BTreeMap::keys)
    }

    /// The part with these nodes only.
    fn within(&self, members: &BTreeSet<N>) -> Self {
        let mut part = self.clone();
        part.arrows.retain(|from, _| members.contains(from));
        for (from, arrows) in &mut part.arrows {
            arrows.retain(|to, _| members.contains(to) && to != from);
        }
        part
    }

    /// Takes away the arrow with the fewest reasons of a shortest closed chain until there is no more; these chains.
    fn opened(mut self) -> Vec<Vec<Arrow<N, R>>> {
        let mut chains = Vec::new();
        while let Some(mut chain) = self.shortest_chain() {
            let thinnest = (0..chain.len()).min_by_key(|&index| chain[index].reasons.len());
            chain.rotate_left(thinnest.map_or(0, |index| index + 1));
            if let Some(Arrow { from, to, .. }) = chain.last() {
                self.arrows.get_mut(from).map(|arrows| arrows.remove(to));
            }
            chains.push(chain);
        }
        chains
    }

    fn shortest_chain(&self) -> Option<Vec<Arrow<N, R>>> {
        let chains = self.arrows.keys().filter_map(|node| self.shortest_chain_through(node));
        let nodes = chains.min_by_key(Vec::len)?;
        let next = nodes.iter().cycle().skip(1);
        let arrows = nodes.iter().zip(next).map(|(&from, &to)| Arrow {
            from: from.clone(),
            to: to.clone(),
            reasons: self.arrows[from][to].clone(),
        });
        Some(arrows.collect())
    }

    /// The nodes of a shortest closed chain from this node on.
    fn shortest_chain_through<'g>(&'g self, start: &'g N) -> Option<Vec<&'g N>> {
        let mut before: BTreeMap<&N, &N> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(node) = open.pop_front() {
            for next in self.next(node) {
                if next == start {
                    let mut chain = vec![node];
                    while let Some(earlier) = before.get(chain[chain.len() - 1]) {
                        chain.push(earlier);
                    }
                    chain.reverse();
                    return Some(chain);
                }
                if !before.contains_key(next) {
                    before.insert(next, node);
                    open.push_back(next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(char, char, &[u8])]) -> Graph<char, u8> {
        let mut graph = Graph::default();
        for &(from, to, reasons) in arrows {
            reasons.iter().for_each(|&reason| graph.add(from, to, reason));
        }
        graph
    }

    fn chains(circle: &Circle<char, u8>) -> Vec<String> {
        let text = |chain: &Vec<Arrow<char, u8>>| chain.iter().map(|arrow| arrow.from).collect();
        circle.chains.iter().map(text).collect()
    }

    #[test]
    fn arrows_that_only_meet_are_no_circle() {
        let diamond = graph(&[
            ('a', 'b', &[1]),
            ('a', 'c', &[1]),
            ('b', 'd', &[1]),
            ('c', 'd', &[1]),
            ('d', 'd', &[1]),
        ]);
        assert!(diamond.circles().is_empty());
    }

    #[test]
    fn a_chain_ends_with_the_arrow_that_has_the_fewest_reasons() {
        let circles = graph(&[
            ('a', 'b', &[1]),
            ('b', 'c', &[1, 2]),
            ('c', 'a', &[1, 2]),
            ('x', 'a', &[1]),
        ])
        .circles();
        assert_eq!(circles.len(), 1);
        assert_eq!(circles[0].members, BTreeSet::from(['a', 'b', 'c']));
        assert_eq!(chains(&circles[0]), ["bca"]);
    }

    #[test]
    fn chains_are_told_until_the_circle_is_open() {
        let circles = graph(&[
            ('a', 'b', &[1, 2]),
            ('b', 'a', &[1]),
            ('b', 'c', &[1, 2]),
            ('c', 'a', &[1]),
        ])
        .circles();
        assert_eq!(chains(&circles[0]), ["ab", "abc"]);
    }

    #[test]
    fn circles_apart_are_told_apart() {
        let circles = graph(&[
            ('a', 'b', &[1]),
            ('b', 'a', &[1]),
            ('b', 'c', &[1]),
            ('c', 'd', &[1]),
            ('d', 'c', &[1]),
        ])
        .circles();
        assert_eq!(circles.len(), 2);
    }
}
