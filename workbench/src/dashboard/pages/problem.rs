//! The page of a refusal.

use askama::Template;

use crate::dashboard::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    problem: &'a Problem,
}

/// A refusal in words; plain words should the template fail.
pub fn problem(problem: &Problem) -> String {
    ProblemPage { problem }.render().unwrap_or_else(|_| "<!doctype html><title>Pellucid</title><p>Something went wrong.</p>".into())
}
