//! Variables between cells.

use crate::Notebook;

#[test]
fn variables_stay_with_the_types_that_the_compiler_finds() {
    let mut notebook = Notebook::open();
    assert_eq!(notebook.value("let x = 2; let mut names = Vec::new(); names.push(\"a\");"), "");
    assert_eq!(notebook.value("x + 2"), "4");
    notebook.value("names.push(\"b\");");
    assert_eq!(notebook.value("names"), "[\"a\", \"b\"]");
    assert_eq!(notebook.value("names.len()"), "2", "showing a variable does not move it");
    notebook.value("let m = Array2::<f32>::zeros((2, 3)); let it = m.dim();");
    assert_eq!(notebook.value("(m.sum(), it)"), "(0.0, (2, 3))");
    notebook.value("let (a, [b, ..]) = (1.5, [7u8, 8]); let Some(c) = Some('c') else { panic!() };");
    assert_eq!(notebook.value("(a, b, c)"), "(1.5, 7, 'c')");
    notebook.value("let s = \"static\"; let f: Box<dyn Fn(i32) -> i32> = Box::new(|x| x + 1); let p: fn(f64) -> f64 = f64::sqrt;");
    assert_eq!(notebook.value("format!(\"{s} {} {}\", f(1), p(4.0))"), "\"static 2 2.0\"".replace("2.0", "2"));
}

#[test]
fn names_in_format_strings_are_uses() {
    let mut notebook = Notebook::open();
    notebook.value("let loss = 0.25; let digits = 3usize;");
    notebook.value("println!(\"{loss:.digits$}\");");
    assert_eq!(notebook.stdout(), "0.250\n");
}

#[test]
fn shadowing_changes_value_and_type() {
    let mut notebook = Notebook::open();
    notebook.value("let x = 1;");
    notebook.value("let x = x + 1;");
    assert_eq!(notebook.value("x"), "2");
    notebook.value("let x = format!(\"{x}!\");");
    assert_eq!(notebook.value("x"), "\"2!\"");
    notebook.value("let x = x; let x = x.len();");
    assert_eq!(notebook.value("x"), "2");
}

#[test]
fn a_moved_variable_is_missed_by_name_and_cell() {
    let mut notebook = Notebook::open();
    notebook.value("let net = vec![1.0]; let other = 5;");
    notebook.value("drop(net);");
    let error = notebook.error("net.len()");
    assert_eq!(error.name, "CompileError");
    assert!(error.traceback[0].contains("`net` was moved in cell 2"), "{}", error.traceback[0]);
    assert_eq!(notebook.value("other"), "5");
    notebook.value("let net = vec![2.0];");
    assert_eq!(notebook.value("net[0]"), "2.0");
    notebook.value("let v = vec![3]; v.into_iter().sum::<i32>()");
    assert_eq!(notebook.result(), "3");
    assert!(notebook.error("v").traceback[0].contains("`v` was moved in cell 7"));
}

#[test]
fn variables_survive_every_failure() {
    let mut notebook = Notebook::open();
    notebook.value("let mut kept = vec![1];");
    assert_eq!(notebook.error("kept.push(2); panic!(\"no\")").name, "Panic");
    assert_eq!(notebook.error("kept.push(3); \"x\".parse::<i32>()?;").name, "Error");
    assert_eq!(notebook.error("kept.push(\"text\");").name, "CompileError");
    assert_eq!(notebook.error("let kept = 5; panic!()").name, "Panic");
    assert_eq!(notebook.value("kept"), "[1, 2, 3]");
}

#[test]
fn what_is_not_mut_stays_so() {
    let mut notebook = Notebook::open();
    notebook.value("let v = vec![1];");
    let error = notebook.error("v.push(2)");
    assert!(error.traceback[0].contains("`v` comes from cell 1, where it is not `mut`"), "{}", error.traceback[0]);
    notebook.value("let mut v = v; v.push(2);");
    assert_eq!(notebook.value("v"), "[1, 2]");
}

#[test]
fn values_that_no_cell_can_keep_last_for_their_own() {
    let mut notebook = Notebook::open();
    for (code, value, remedy) in [
        ("let x = |x: f64| x * 2.0; x(3.0)", "6.0", "Box<dyn Fn"),
        ("let x = (0..3).map(|x| x + 1); x.clone().sum::<i32>()", "6", "Box<dyn Fn"),
        (
            "fn evens() -> impl Iterator<Item = i32> + Clone { (0..9).step_by(2) }\nlet x = evens(); x.clone().sum::<i32>()",
            "20",
            ".collect::<Vec<_>>()",
        ),
        ("fn twice(x: i32) -> i32 { 2 * x }\nlet x = twice; x(2)", "4", "fn(f64) -> f64"),
        ("let v = vec![1, 2]; let x = &v; x.len()", "2", "because it borrows: keep a copy"),
        ("let x = v.iter().max(); x", "Some(2)", "because it borrows: keep a copy"),
        ("let x = |i: usize| v[i]; let y = x(1); y", "2", "because it borrows: keep a copy"),
    ] {
        assert_eq!(notebook.value("let x = 7; x"), "7");
        assert_eq!(notebook.value(code), value, "{code}");
        let error = notebook.error("x");
        assert!(
            error.traceback[0].contains("`x` lasted for cell") && error.traceback[0].contains(remedy),
            "{code}\n{}",
            error.traceback[0]
        );
    }
    assert_eq!(notebook.value("(v, y)"), "([1, 2], 2)", "what they were made of stays");
    notebook.value("let later = async { 5 };");
    assert!(notebook.error("later.await").traceback[0].contains(".await"));
}

#[test]
fn a_borrow_inside_one_cell_is_fine() {
    let mut notebook = Notebook::open();
    notebook.value("let v = vec![3, 1, 2];");
    assert_eq!(notebook.value("v.iter().max()"), "Some(3)");
    assert_eq!(notebook.value("&v[..2]"), "[3, 1]");
    assert_eq!(notebook.value("let most = *v.iter().max().unwrap(); most"), "3");
    assert_eq!(notebook.value("&v"), "[3, 1, 2]");
}
