//! The gradient as one region of f32.

/// One tensor in the gradient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Its name in the engine, as `blocks.3.fc1.weight`.
    pub name: String,
    /// The first of its values.
    pub start: usize,
    /// Its values, in the learner's own order, on a device with the zeros that tensors are filled up with there.
    pub len: usize,
    /// What it is.
    pub learnt: Learnt,
}

/// What kind of tensor learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learnt {
    /// The weight of a linear layer.
    Matrix,
    /// A bias, a norm's gain, a token, a position table.
    Vector,
    /// A batch's mean or unbiased variance, which a running one follows: no gradient, but added over batches as one.
    Statistic,
}

/// Ranges of tensors given in the order of the data's way, each with its length, turned round; they begin at multiples of `alignment`.
pub(crate) fn ranges(tensors: &[(String, bool, usize)], alignment: usize) -> Vec<Range> {
    let mut start = 0;
    let range = |(name, is_matrix, len): &(String, bool, usize)| {
        let learnt = match (is_matrix, name.contains("running_")) {
            (_, true) => Learnt::Statistic,
            (true, _) => Learnt::Matrix,
            _ => Learnt::Vector,
        };
        let range = Range { name: name.clone(), start, len: *len, learnt };
        start = (start + len).next_multiple_of(alignment);
        range
    };
    tensors.iter().rev().map(range).collect()
}

/// Indices of the ranges that are finished together: the head, the last norm, each block, and what makes tokens of pixels.
pub(crate) fn groups(ranges: &[Range]) -> Vec<std::ops::Range<usize>> {
    let mut groups: Vec<std::ops::Range<usize>> = Vec::new();
    for index in 0..ranges.len() {
        match groups.last_mut() {
            Some(group) if group_of(&ranges[group.start].name) == group_of(&ranges[index].name) => group.end = index + 1,
            _ => groups.push(index..index + 1),
        }
    }
    groups
}

fn group_of(name: &str) -> &str {
    match name.split_once('.') {
        Some(("blocks", rest)) => &name[..name.len() - rest.len() + rest.find('.').unwrap_or(0)],
        Some((part @ ("head" | "norm"), _)) => part,
        _ => "embedding",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_as_they_are_finished() {
        let names =
            ["cls_token", "patch_embedding.weight", "blocks.0.fc1.weight", "blocks.10.fc1.bias", "norm.bias", "head.bn1.running_mean"];
        let tensors: Vec<_> = names.iter().map(|name| ((*name).to_owned(), name.ends_with("weight"), 3)).collect();
        let ranges = ranges(&tensors, 4);
        assert_eq!(ranges.iter().map(|range| range.start).collect::<Vec<_>>(), [0, 4, 8, 12, 16, 20]);
        assert_eq!((ranges[0].learnt, ranges[1].learnt, ranges[3].learnt), (Learnt::Statistic, Learnt::Vector, Learnt::Matrix));
        let groups: Vec<_> = groups(&ranges).into_iter().map(|group| group_of(&ranges[group.start].name).to_owned()).collect();
        assert_eq!(groups, ["head", "norm", "blocks.10", "blocks.0", "embedding"]);
    }
}
