//! The repository tests itself: who may know whom, what stands where, how files look, and that documents tell the truth.
//!
//! Every rule is a function from files (or from a dependency graph) to breaches; beside the test that the repository has
//! none stands a test that the rule finds one.

mod dependencies;
mod documents;
mod features;
mod functions;
mod layout;
mod repository;
mod words;

use repository::File;

/// Fails with every breach on a line of its own.
fn assert_none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

/// Fails unless `rule` finds a breach in a repository of this one file.
fn assert_found(rule: fn(&[File]) -> Vec<String>, path: &str, text: &str) {
    let files = [File { path: path.into(), text: text.into() }];
    assert!(!rule(&files).is_empty(), "nothing was found in {path}:\n{text}");
}

/// Fails if `rule` finds a breach in a repository of this one file.
fn assert_allowed(rule: fn(&[File]) -> Vec<String>, path: &str, text: &str) {
    assert_none(path, &rule(&[File { path: path.into(), text: text.into() }]));
}
