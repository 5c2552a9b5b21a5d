//! Slurm's lists of hosts, as `login1,node[03-07,12]`.

/// The first host of a list; nothing where it is not one.
pub(super) fn first(list: &str) -> Option<String> {
    let list = list.trim();
    let open = list.find('[').unwrap_or(list.len());
    let end = list[..open].find(',').unwrap_or(open);
    if end < open || open == list.len() {
        return named(&list[..end], "", "");
    }
    let (before, rest) = (&list[..open], &list[open + 1..]);
    let (inside, rest) = rest.split_once(']')?;
    let number = inside.split(['-', ',']).next()?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    // A second bracket, as in `rack[1-2]node[3-4]`, is expanded in the same way.
    let after = rest.split(',').next().unwrap_or("");
    let after = if rest.contains('[') && !rest.starts_with(',') { first(rest)? } else { after.to_owned() };
    if is_number { named(before, number, &after) } else { None }
}

/// A host's name, if it can be one.
fn named(before: &str, number: &str, after: &str) -> Option<String> {
    let name = format!("{before}{number}{after}");
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    (!name.is_empty() && name.len() <= 253 && name.bytes().all(is_allowed)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_host_of_a_list() {
        let cases = [
            ("node1", "node1"),
            ("node[03-07,12]", "node03"),
            ("node[12,03-07]", "node12"),
            ("login1,node[03-07]", "login1"),
            ("gpu-[1-2].cluster.org", "gpu-1.cluster.org"),
            ("gpu-[1-2]-ib,node7", "gpu-1-ib"),
            ("rack[1-2]node[30-40]", "rack1node30"),
            ("node[007]", "node007"),
            ("10.0.0.4", "10.0.0.4"),
        ];
        for (list, host) in cases {
            assert_eq!(first(list).as_deref(), Some(host), "{list}");
        }
    }

    #[test]
    fn what_is_no_list_of_hosts() {
        for list in ["", "[", "node[", "node[]", "node[a-b]", ",", "a b", "node[1-2", "x;y", "$(x)", &"n".repeat(300)] {
            assert_eq!(first(list), None, "{list}");
        }
    }
}
