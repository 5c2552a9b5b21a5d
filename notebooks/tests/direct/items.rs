//! Functions, types and imports between cells.

use crate::Notebook;

#[test]
fn items_stay_and_are_replaced_by_name() {
    let mut notebook = Notebook::open();
    notebook.value("use std::collections::{BTreeMap, HashSet as Set};\nfn twice(x: i32) -> i32 { 2 * x }\n#[derive(Debug, Clone)]\nstruct Case { id: u32 }\nimpl Case { fn next(&self) -> Case { Case { id: self.id + 1 } } }\nmacro_rules! sq { ($x:expr) => { $x * $x } }\nconst N: usize = 3;");
    assert_eq!(notebook.value("sq!(twice(2)) + N as i32"), "19");
    notebook.value("let c = Case { id: 1 }; let m: BTreeMap<u8, Set<u8>> = BTreeMap::new();");
    assert_eq!(notebook.value("(c.next(), m.len())"), "(Case { id: 2 }, 0)");
    notebook.value("fn twice(x: i32) -> i32 { 20 * x }");
    assert_eq!(notebook.value("twice(2)"), "40");
    notebook.value("impl Case { fn before(&self) -> u32 { self.id - 1 } }");
    assert_eq!(notebook.value("(c.before(), c.next().id)"), "(0, 2)");
    notebook.value("use std::fmt::Write as _; use std::rc::Rc as Set;");
    assert_eq!(notebook.value("Set::new(4)"), "4");
}

#[test]
fn items_of_a_cell_that_does_not_compile_are_not_kept() {
    let mut notebook = Notebook::open();
    notebook.error("fn good() -> i32 { 1 }\nlet x: i32 = \"text\";");
    assert!(notebook.error("good()").traceback[0].contains("cannot find function `good`"));
    notebook.error("fn better() -> i32 { 2 }\npanic!(\"after it compiled\")");
    assert_eq!(notebook.value("better()"), "2");
}

#[test]
fn variables_of_a_type_that_changes_are_dropped_and_told() {
    let mut notebook = Notebook::open();
    notebook
        .value("#[derive(Debug)] struct A { x: u8 }\n#[derive(Debug)] struct B { a: A }\nlet b = vec![B { a: A { x: 1 } }]; let n = 5;");
    notebook.value("#[derive(Debug)] struct A { x: u8 }");
    assert_eq!(notebook.value("b[0].a.x"), "1", "the same words are the same type");
    notebook.value("#[derive(Debug)] struct A { x: u64, y: u64 }");
    assert!(notebook.stderr().contains("Dropped `b`"), "{}", notebook.stderr());
    let error = notebook.error("b.len()");
    assert!(error.traceback[0].contains("`b` was dropped in cell 4, which changes its type"), "{}", error.traceback[0]);
    assert_eq!(notebook.value("n"), "5");
    assert_eq!(notebook.value("B { a: A { x: 1, y: 2 } }.a.y"), "2");
}

#[test]
fn a_function_that_wants_a_variable_is_told_how() {
    let mut notebook = Notebook::open();
    notebook.value("let rate = 0.1;");
    let error = notebook.error("fn step() -> f64 { rate * 2.0 }");
    assert!(error.traceback[0].contains("functions do not see the variables of a notebook"), "{}", error.traceback[0]);
}

#[test]
fn attributes_modules_and_optimised_cells_work() {
    let mut notebook = Notebook::open();
    notebook.value("//!opt\nmod inner { pub fn three() -> i32 { 3 } }\n#[inline] fn f() -> i32 { inner::three() }\nlet mut s = 0u64; for i in 0..100_000_000u64 { s = s.wrapping_mul(31).wrapping_add(i); }");
    assert_eq!(notebook.value("f()"), "3");
    assert_eq!(notebook.value("#[allow(clippy::all)]\nlet x = 1;"), "");
}
