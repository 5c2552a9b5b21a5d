//! Ranks that end, that do not answer, or that do something else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernels::collective::{Buckets, Fault, Group, Named, Place};

use crate::ranks::{Ended, Start, join, patience, with_ranks};

/// Ranks print what they met; the one that ends on purpose prints nothing.
#[track_caller]
fn say(fault: Result<(), Fault>) {
    println!("MET {:?}", fault.expect_err("there is no sum without all ranks"));
}

#[track_caller]
fn met(ended: &Ended, words: &str) {
    assert!(ended.is_well && ended.said.contains(&format!("MET {words}")), "{words} was expected of {ended:#?}");
}

fn sum_without_the_last() {
    let group = join().unwrap();
    let mut values = vec![1.0; 3_000_000];
    group.all_reduce_sum(&mut values).unwrap();
    if group.rank() == 2 {
        std::process::exit(7);
    }
    let first = group.all_reduce_sum(&mut values);
    assert_eq!(group.barrier(), first, "the group is over, and says the same again");
    say(first);
}

#[test]
fn a_rank_that_ends_is_named_by_all_others() {
    with_ranks("faults::a_rank_that_ends_is_named_by_all_others", 3, Start::default(), sum_without_the_last, |ended| {
        met(&ended[0], "Lost { rank: 2");
        met(&ended[1], "Lost { rank: 2");
        assert!(!ended[2].is_well);
    });
}

fn sum_while_the_last_sleeps() {
    let place = Place::of_environment().unwrap();
    let group = Group::join(&place, patience(2)).unwrap();
    let started = Instant::now();
    if group.rank() == 1 {
        std::thread::sleep(Duration::from_secs(4));
    }
    say(group.all_reduce_sum(&mut [1.0; 10]));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_rank_that_does_not_answer_is_named() {
    with_ranks("faults::a_rank_that_does_not_answer_is_named", 2, Start::default(), sum_while_the_last_sleeps, |ended| {
        met(&ended[0], "Silent { rank: 1, seconds: 2 }");
        // Whoever slept is told that the others waited for it.
        met(&ended[1], "Lost { rank:");
    });
}

fn sum_of_other_lengths() {
    let group = join().unwrap();
    say(group.all_reduce_sum(&mut vec![1.0; 10 + group.rank()]));
}

#[test]
fn other_lengths_are_no_sum() {
    with_ranks("faults::other_lengths_are_no_sum", 2, Start::default(), sum_of_other_lengths, |ended| {
        assert!(
            ended.iter().all(|one| one.is_well && (one.said.contains("MET Disagreement") || one.said.contains("MET Lost"))),
            "{ended:#?}"
        );
        assert!(ended.iter().any(|one| one.said.contains("MET Disagreement")), "{ended:#?}");
    });
}

fn something_else() {
    let group = join().unwrap();
    // Rank 0 waits for nobody when it sends its values; what became of them it learns next time.
    say(if group.rank() == 0 {
        group.broadcast(&mut [1.0; 10]).and_then(|()| group.barrier())
    } else {
        group.all_reduce_sum(&mut [1.0; 10])
    });
}

#[test]
fn ranks_that_do_something_else_find_out() {
    with_ranks("faults::ranks_that_do_something_else_find_out", 2, Start::default(), something_else, |ended| {
        assert!(ended.iter().any(|one| one.said.contains("MET Disagreement")), "{ended:#?}");
        assert!(ended.iter().all(|one| one.is_well), "{ended:#?}");
    });
}

fn buckets_without_the_last() {
    let group = Arc::new(join().unwrap());
    let named = [0..1000, 1000..3000].map(|range| Named { name: format!("{range:?}"), range });
    let mut buckets = Buckets::new(group.clone(), &named, 0).unwrap();
    if group.rank() == 1 {
        std::process::exit(7);
    }
    buckets.finished(0, &[1.0; 1000]);
    buckets.finished(1, &[1.0; 2000]);
    say(buckets.finish(1.0, |_, _| panic!("nothing is handed on")));
}

#[test]
fn what_a_bucket_meets_shows_at_the_end() {
    with_ranks("faults::what_a_bucket_meets_shows_at_the_end", 2, Start::default(), buckets_without_the_last, |ended| {
        met(&ended[0], "Lost { rank: 1");
    });
}

fn come() {
    let place = Place::of_environment().unwrap();
    say(Group::join(&place, patience(2)).map(|_| ()));
}

#[test]
fn ranks_that_never_come_are_named() {
    let start = Start { only: &[0, 2], ..Start::default() };
    with_ranks("faults::ranks_that_never_come_are_named", 4, start, come, |ended| {
        met(&ended[0], "Missing { missing: Ranks([1, 3]), world: 4, seconds: 2 }");
        // It came earlier than rank 0 gave up, or hears nothing more of it.
        assert!(
            ["Missing { missing: Ranks([1, 3])", "Lost { rank: 0", "Silent { rank: 0"].iter().any(|words| ended[1].said.contains(words)),
            "{ended:#?}"
        );
        assert!(ended[1].is_well, "{ended:#?}");
    });
}

#[test]
fn nobody_at_the_meeting() {
    with_ranks("faults::nobody_at_the_meeting", 2, Start { only: &[1], ..Start::default() }, come, |ended| {
        met(&ended[0], "Unreached { address: \"127.0.0.1:");
    });
}

#[test]
fn other_numbers_of_ranks() {
    let start = Start { variables: &[(1, "WORLD_SIZE", "3")], ..Start::default() };
    with_ranks("faults::other_numbers_of_ranks", 2, start, come, |ended| {
        met(&ended[0], "OtherWorld { rank: 1, theirs: 3, ours: 2 }");
        met(&ended[1], "Refused(World(2))");
    });
}

#[test]
fn two_of_the_same_rank() {
    let start = Start { variables: &[(2, "RANK", "1")], ..Start::default() };
    with_ranks("faults::two_of_the_same_rank", 3, start, come, |ended| {
        met(&ended[0], "Missing { missing: Ranks([2])");
        assert!(ended[1..].iter().any(|one| one.said.contains("MET Refused(Rank(1))")), "{ended:#?}");
    });
}

#[test]
fn another_run_at_the_same_port() {
    let start = Start { variables: &[(1, "TORCHELASTIC_RUN_ID", "another")], ..Start::default() };
    with_ranks("faults::another_run_at_the_same_port", 2, start, come, |ended| {
        met(&ended[0], "Missing { missing: Ranks([1])");
        met(&ended[1], "Refused(Job)");
    });
}
