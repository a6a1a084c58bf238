/// The one of `known` that somebody who wrote `word` most likely meant, if any is near enough: at most one typing
/// error (a letter missing, added, changed, or swapped with its neighbour) for every three letters.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    let allowed = (word.len() / 3).max(1);
    known
        .into_iter()
        .filter(|known| known.len().abs_diff(word.len()) <= allowed)
        .map(|known| (distance(&word, &known.chars().flat_map(char::to_lowercase).collect::<Vec<_>>()), known))
        .filter(|(distance, known)| *distance <= allowed && *distance < known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Typing errors between `a` and `b`: optimal string alignment, one row of the table at a time.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        let mut previous_b = None;
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&row, j) + usize::from(x != y);
            let added = at(&next, j) + 1;
            let missing = at(&row, j + 1) + 1;
            let swapped = match (previous_a == Some(y), previous_b == Some(x), j.checked_sub(1)) {
                (true, true, Some(index)) => at(&before, index) + 1,
                _ => usize::MAX,
            };
            next.push(changed.min(added).min(missing).min(swapped));
            previous_b = Some(y);
        }
        before = std::mem::replace(&mut row, next);
        previous_a = Some(x);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_counted() {
        let count = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        for (a, b, errors) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("lan", "lan", 0),
            ("lna", "lan", 1),
            ("la", "lan", 1),
            ("lann", "lan", 1),
            ("lun", "lan", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(count(a, b), errors, "{a} {b}");
            assert_eq!(count(b, a), errors, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_only_if_it_is_near() {
        let known = ["lan", "prefix", "host", "ra_max_interval", "ra_min_interval"];
        for (word, meant) in [
            ("lna", Some("lan")),
            ("LAN", Some("lan")),
            ("prefx", Some("prefix")),
            ("ra_maxinterval", Some("ra_max_interval")),
            ("ra_mni_interval", Some("ra_min_interval")),
            ("uplink", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
