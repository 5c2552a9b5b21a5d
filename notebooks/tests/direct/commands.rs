//! Lines with a colon.

use std::fs;

use crate::Notebook;

#[test]
fn variables_types_and_time_are_told() {
    let mut notebook = Notebook::open();
    notebook.value(":vars");
    assert_eq!(notebook.stdout(), "There are no variables.\n");
    notebook.value("let mut grid = Array2::<f32>::zeros((2, 2)); let n = 3;");
    notebook.value(":vars\n:type n");
    let text = notebook.stdout();
    assert!(
        text.contains("grid  mut pellucid::ndarray::ArrayBase<") && text.contains("n     i32  (cell 2)") && text.contains("n: i32"),
        "{text}"
    );
    notebook.value(":types\n:timing\nlet later = 'c';");
    assert!(notebook.stdout().contains("later: char\n") && notebook.stdout().contains("took "), "{}", notebook.stdout());
    notebook.value(":help");
    assert!(notebook.stdout().contains(":dep"));
    assert!(notebook.error(":fly").message.contains("`:help` lists all"));
    assert!(notebook.error(":type nothing").message.contains("no variable"));
    let error = notebook.error(":opt 3\n\nlet x: u8 = 'c';");
    assert!(error.traceback[0].contains("3:13"), "commands do not move lines: {}", error.traceback[0]);
}

#[test]
fn clear_and_restart_forget() {
    let mut notebook = Notebook::open();
    for command in [":clear", ":restart"] {
        notebook.value("let x = 1; fn f() {}");
        notebook.value(command);
        notebook.error("x");
        notebook.error("f()");
    }
    assert_eq!(notebook.value("let y = 2; y"), "2");
}

#[test]
fn a_crate_of_ones_own_is_added_and_shares_the_librarys_types() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    let manifest = "[workspace]\n[package]\nname = \"my-size\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
    fs::write(folder.path().join("src/lib.rs"), "/// Twice.\npub fn twice(x: i32) -> i32 { 2 * x }\n").expect("a file");
    let mut notebook = Notebook::open();
    notebook.value("let before = 4;");
    let path = folder.path().display();
    assert_eq!(notebook.value(&format!(":dep my-size = {{ path = \"{path}\" }}\nmy_size::twice(before)")), "8");
    notebook.value(":dep ndarray = \"0.17\"");
    assert!(notebook.stdout().contains("`ndarray` is in the library already"), "{}", notebook.stdout());
    assert_eq!(notebook.value("let a: ndarray::Array1<f64> = array![1.0, 2.0]; a.sum()"), "3.0");
    assert_eq!(notebook.error(":dep my-size = {{").name, "CommandError");
    assert_eq!(notebook.error(":dep nothing = { path = \"/nowhere\" }").name, "DependencyError");
    assert_eq!(notebook.value("my_size::twice(1)"), "2");
}
