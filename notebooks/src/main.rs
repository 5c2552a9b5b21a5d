//! `pellucid-notebook`: what `pellucid notebook …` hands over to.

fn main() {}
