//! What lies elsewhere than where its chain has it.

/// Of indices in the order of a chain those that are not in the order of their partition: all but the
/// part whose order is right that holds the most records.
pub(super) fn displaced(chain: &[usize], records: impl Fn(usize) -> u64) -> Vec<usize> {
    if chain.is_sorted() {
        return Vec::new();
    }
    // For each place of the chain: records of the largest part that ends there, and the place before it
    // in that part.
    let mut best: Vec<(u64, Option<usize>)> = Vec::with_capacity(chain.len());
    for index in chain {
        let own = records(*index);
        let earlier = chain.iter().zip(&best).enumerate();
        let before = earlier
            .filter(|(_, (other, _))| *other < index)
            .max_by_key(|(at, (_, (records, _)))| (*records, *at))
            .map(|(at, (_, (records, _)))| (*records, at));
        best.push(match before {
            Some((records, at)) => (records.saturating_add(own), Some(at)),
            None => (own, None),
        });
    }
    let places = best.iter().enumerate();
    let largest = places.max_by_key(|(at, (records, _))| (*records, *at));
    let mut next = largest.map(|(at, _)| at);
    let mut stays = vec![false; chain.len()];
    while let Some(at) = next {
        if let Some(stays) = stays.get_mut(at) {
            *stays = true;
        }
        next = best.get(at).and_then(|(_, before)| *before);
    }
    let moved = chain.iter().zip(stays).filter(|(_, stays)| !stays);
    moved.map(|(index, _)| *index).collect()
}

#[cfg(test)]
mod tests {
    use super::displaced;

    #[test]
    fn the_part_with_the_most_records_stays() {
        let one = |_| 1;
        assert_eq!(displaced(&[0, 1, 2, 3], one), [0_usize; 0]);
        assert_eq!(displaced(&[0, 3, 1, 2], one), [3]);
        assert_eq!(displaced(&[1, 2, 3, 0], one), [0]);
        assert_eq!(
            displaced(&[0, 3, 2, 1, 4], |index| if index == 2 { 9 } else { 1 }),
            [3, 1]
        );
        assert_eq!(displaced(&[], one), [0_usize; 0]);
    }
}
