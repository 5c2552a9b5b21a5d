//! What stands where, and under which names.

use std::collections::BTreeSet;

use crate::repository::{File, files};
use crate::{assert_allowed, assert_found, assert_none};

const ROOMS: [&str; 6] = ["kernels", "xai", "datasets", "reports", "workbench", "notebooks"];
const CODE: [&str; 10] = ["rs", "js", "ts", "css", "html", "py", "sh", "cu", "c", "ipynb"];
const EMPTY_NAMES: [&str; 9] = ["utils", "util", "common", "base", "types", "type", "helpers", "helper", "misc"];
const MOST_LINES: usize = 250;

fn code_outside_the_rooms(files: &[File]) -> Vec<String> {
    let outside = |file: &&File| {
        let room = file.path.split_once('/').map(|(room, _)| room);
        file.ends_in(&CODE) && !room.is_some_and(|room| ROOMS.contains(&room) || room.starts_with('.'))
    };
    files.iter().filter(outside).map(|file| file.path.clone()).collect()
}

fn names_that_say_nothing(files: &[File]) -> Vec<String> {
    let folders = |file: &File| file.path.split('/').rev().skip(1).any(|folder| EMPTY_NAMES.contains(&folder));
    files.iter().filter(|file| EMPTY_NAMES.contains(&file.stem()) || folders(file)).map(|file| file.path.clone()).collect()
}

fn long_files(files: &[File]) -> Vec<String> {
    let read = files.iter().filter(|file| file.ends_in(&["rs", "js", "cu", "py", "sh"]));
    let counted = read.map(|file| (file, file.text.lines().count()));
    counted.filter(|(_, lines)| *lines > MOST_LINES).map(|(file, lines)| format!("{} has {lines} lines", file.path)).collect()
}

/// A kernel is a folder with its definition, its CPU twin and a line in the table of `kernels/src/lib.rs`; `cuda` is what launches them.
fn incomplete_kernels(files: &[File]) -> Vec<String> {
    let inside = |file: &File| Some(file.path.strip_prefix("kernels/src/")?.split_once('/')?.0.to_owned());
    let kernels: BTreeSet<String> = files.iter().filter_map(inside).filter(|folder| folder != "cuda").collect();
    let table = files.iter().find(|file| file.path == "kernels/src/lib.rs").map_or("", |file| &file.text);
    let mut breaches = Vec::new();
    for kernel in kernels {
        for part in ["mod.rs", "cpu.rs"] {
            let path = format!("kernels/src/{kernel}/{part}");
            if files.iter().all(|file| file.path != path) {
                breaches.push(format!("{path} is missing"));
            }
        }
        if !table.contains(&format!("//! | [`{kernel}`] |")) {
            breaches.push(format!("kernels/src/lib.rs: no line for {kernel} in the table"));
        }
    }
    breaches
}

#[test]
fn code_stands_in_the_rooms_of_the_house() {
    assert_none("code outside the house's rooms", &code_outside_the_rooms(&files()));
    assert_found(code_outside_the_rooms, "scripts/plot.py", "");
    assert_found(code_outside_the_rooms, "main.rs", "");
    assert_allowed(code_outside_the_rooms, "xai/src/lib.rs", "");
    assert_allowed(code_outside_the_rooms, "README.md", "");
}

#[test]
fn names_say_what_is_inside() {
    assert_none("names that say nothing", &names_that_say_nothing(&files()));
    assert_found(names_that_say_nothing, "xai/src/utils.rs", "");
    assert_found(names_that_say_nothing, "xai/src/helpers/text.rs", "");
    assert_found(names_that_say_nothing, "workbench/templates/base.html", "");
    assert_allowed(names_that_say_nothing, "xai/src/batch.rs", "");
}

#[test]
fn files_fit_one_idea() {
    assert_none("files of more than 250 lines; split them by idea", &long_files(&files()));
    assert_found(long_files, "xai/src/all.rs", &"//\n".repeat(MOST_LINES + 1));
    assert_allowed(long_files, "xai/src/all.rs", &"//\n".repeat(MOST_LINES));
}

#[test]
fn a_kernel_is_complete() {
    let files = files();
    assert!(files.iter().any(|file| file.path == "kernels/src/attention/cpu.rs"), "the kernels have moved: this rule sees nothing");
    assert_none("kernels that lack a part", &incomplete_kernels(&files));
    assert_found(incomplete_kernels, "kernels/src/sort/mod.rs", "");
    assert_found(incomplete_kernels, "kernels/src/sort/cpu.rs", "");
}
