//! `pellucid-notebook`: what `pellucid notebook …` hands over to.

fn main() {
    notebooks::engine::direct::run_cells_if_asked();
}
