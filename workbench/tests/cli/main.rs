//! The `pellucid` program as its users run it: a process with arguments, files in, files and text out.

#[cfg(target_os = "linux")]
mod bench;
mod bench_table;
mod convert;
mod explain;
mod files;
mod help;
mod models;
#[cfg(unix)]
mod notebook;
mod pictures;
mod pixels;
mod refusals;
mod run;
mod trace;
mod train;
