//! Ordered maps and sets that are sorted vectors, for small tables.
//!
//! They behave as std's `BTreeMap` and `BTreeSet`. A B-tree's code for one pair of types is some seven kilobytes on MIPS, of
//! which a quarter of the program consisted; a sorted vector's is a tenth of that. To insert or remove, what lies behind is
//! moved: quicker than a tree up to some hundred elements, and no burden up to some thousand. Tables that grow with the
//! number of clients or routes (bindings, objects) are B-trees.

use std::borrow::Borrow;
use std::fmt;
use std::mem;
use std::ops::{Bound, RangeBounds};

/// An ordered map for up to some thousand elements.
#[derive(Clone, PartialEq, Eq)]
pub struct FlatMap<K, V>(Vec<(K, V)>);

impl<K, V> FlatMap<K, V> {
    /// An empty one.
    pub const fn new() -> FlatMap<K, V> {
        FlatMap(Vec::new())
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Elements by ascending key.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter(self.0.iter())
    }

    /// Keys, ascending.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// Values by ascending key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// Values by ascending key, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Keys with their values, which may be changed, by ascending key.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Values by ascending key.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// Keeps the elements that `keep` is true for.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }
}

impl<K: Ord, V> FlatMap<K, V> {
    /// Where `key` is, or belongs.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(there, _)| there.borrow().cmp(key))
    }

    /// The value of `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// The key equal to `key`, and its value.
    pub fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.0.get(self.find(key).ok()?).map(|(key, value)| (key, value))
    }

    /// The elements whose keys are in `range`, by ascending key.
    pub fn range(&self, range: impl RangeBounds<K>) -> Iter<'_, K, V> {
        let before = |key: &K| match range.start_bound() {
            Bound::Included(start) => key < start,
            Bound::Excluded(start) => key <= start,
            Bound::Unbounded => false,
        };
        let within = |key: &K| match range.end_bound() {
            Bound::Included(end) => key <= end,
            Bound::Excluded(end) => key < end,
            Bound::Unbounded => true,
        };
        let start = self.0.partition_point(|(key, _)| before(key));
        let end = self.0.partition_point(|(key, _)| within(key));
        Iter(self.0.get(start..end).unwrap_or_default().iter())
    }

    /// The value of `key`, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether `key` has a value.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Gives `key` a value, and the one before back.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(at) => self.0.get_mut(at).map(|(_, there)| mem::replace(there, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes the value of `key` out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// The value of `key`, made by `value` if it has none.
    pub fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, value()));
                at
            }
        };
        // `at` is in the vector: found, or inserted just now
        #[allow(clippy::indexing_slicing)]
        &mut self.0[at].1
    }
}

impl<K: Ord, V> FlatMap<K, V> {
    /// The value of `key`, `value` if it has none.
    pub fn or_insert(&mut self, key: K, value: V) -> &mut V {
        self.or_insert_with(key, || value)
    }
}

impl<K: Ord, V: Default> FlatMap<K, V> {
    /// The value of `key`, the default if it has none.
    pub fn or_default(&mut self, key: K) -> &mut V {
        self.or_insert_with(key, V::default)
    }
}

impl<K, V> Default for FlatMap<K, V> {
    fn default() -> FlatMap<K, V> {
        FlatMap::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for FlatMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord, V> Extend<(K, V)> for FlatMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, elements: I) {
        for (key, value) in elements {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for FlatMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(elements: I) -> FlatMap<K, V> {
        let mut map = FlatMap::new();
        map.extend(elements);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for FlatMap<K, V> {
    fn from(elements: [(K, V); N]) -> FlatMap<K, V> {
        elements.into_iter().collect()
    }
}

impl<K, V> IntoIterator for FlatMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a FlatMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

/// As with std's maps: panics where there is no such key. For tests; elsewhere there is [`FlatMap::get`].
impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> std::ops::Index<&Q> for FlatMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        let Some(value) = self.get(key) else { panic!("no such key") };
        value
    }
}

/// The elements of a [`FlatMap`].
#[derive(Debug)]
pub struct Iter<'a, K, V>(std::slice::Iter<'a, (K, V)>);

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter(self.0.clone())
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

/// An ordered set for up to some thousand elements.
#[derive(Clone, PartialEq, Eq)]
pub struct FlatSet<K>(Vec<K>);

impl<K> FlatSet<K> {
    /// An empty one.
    pub const fn new() -> FlatSet<K> {
        FlatSet(Vec::new())
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Elements, ascending.
    pub fn iter(&self) -> std::slice::Iter<'_, K> {
        self.0.iter()
    }
}

impl<K: Ord> FlatSet<K> {
    /// Keeps the elements that `keep` says yes to.
    pub fn retain(&mut self, keep: impl FnMut(&K) -> bool) {
        self.0.retain(keep);
    }

    /// The element equal to `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&K>
    where
        K: Borrow<Q>,
    {
        self.0.get(self.find(key).ok()?)
    }

    /// Whether `key` is in it.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Adds an element; `false` if it was there, and stays.
    pub fn insert(&mut self, key: K) -> bool {
        self.find(&key).map_err(|at| self.0.insert(at, key)).is_err()
    }

    /// Removes an element; `false` if it was not there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).map(|at| self.0.remove(at)).is_ok()
    }

    /// The elements that are not in `other`, ascending.
    pub fn difference<'a>(&'a self, other: &'a FlatSet<K>) -> impl Iterator<Item = &'a K> {
        self.iter().filter(|key| !other.contains(*key))
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|there| there.borrow().cmp(key))
    }
}

impl<K> Default for FlatSet<K> {
    fn default() -> FlatSet<K> {
        FlatSet::new()
    }
}

impl<K: fmt::Debug> fmt::Debug for FlatSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl<K: Ord> FromIterator<K> for FlatSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(elements: I) -> FlatSet<K> {
        let mut set = FlatSet::new();
        for element in elements {
            set.insert(element);
        }
        set
    }
}

impl<K: Ord, const N: usize> From<[K; N]> for FlatSet<K> {
    fn from(elements: [K; N]) -> FlatSet<K> {
        elements.into_iter().collect()
    }
}

impl<K> IntoIterator for FlatSet<K> {
    type Item = K;
    type IntoIter = std::vec::IntoIter<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K> IntoIterator for &'a FlatSet<K> {
    type Item = &'a K;
    type IntoIter = std::slice::Iter<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn maps_and_sets_behave_as_trees(steps in proptest::collection::vec((0u8..6, 0u8..20, any::<u16>()), 0..200)) {
            let (mut map, mut tree) = (FlatMap::new(), BTreeMap::new());
            let (mut set, mut tree_set) = (FlatSet::new(), BTreeSet::new());
            for (step, key, value) in steps {
                match step {
                    0 | 1 => prop_assert_eq!(map.insert(key, value), tree.insert(key, value)),
                    2 => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    3 => {
                        *map.or_default(key) ^= value;
                        *tree.entry(key).or_default() ^= value;
                    }
                    4 => {
                        map.retain(|key, there| u16::from(*key) < value || *there > 9);
                        tree.retain(|key, there| u16::from(*key) < value || *there > 9);
                    }
                    _ => prop_assert_eq!(map.get_mut(&key).map(mem::take), tree.get_mut(&key).map(mem::take)),
                }
                if step % 2 == 0 {
                    prop_assert_eq!(set.insert(key), tree_set.insert(key));
                } else {
                    prop_assert_eq!(set.remove(&key), tree_set.remove(&key));
                }
                prop_assert_eq!(map.get(&key), tree.get(&key));
                prop_assert_eq!((map.contains_key(&key), set.contains(&key)), (tree.contains_key(&key), tree_set.contains(&key)));
                prop_assert!(map.iter().eq(&tree) && map.iter().rev().eq(tree.iter().rev()) && set.iter().eq(&tree_set));
                let low = key.saturating_sub(3);
                prop_assert!(map.range(low..key).eq(tree.range(low..key)) && map.range(..=key).eq(tree.range(..=key)));
                prop_assert!(map.range(key..).eq(tree.range(key..)));
                prop_assert_eq!((map.len(), set.is_empty()), (tree.len(), tree_set.is_empty()));
            }
            prop_assert_eq!(map.clone().into_iter().rev().collect::<FlatMap<_, _>>(), map);
        }
    }
}
