//! Writes the crate of a cell: the items of earlier cells, its own, and a function that runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::cell::Cell;
use super::items::{Definition, Items, Wording};
use super::source::{Mark, Source, Spot};
use super::variables::Variable;

/// How the last expression is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    /// As its type knows best.
    #[default]
    Rich,
    /// By `{:?}`: it borrows, and only that needs no owned value.
    Debug,
}

/// What is decided about a cell before it is written.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Variables of earlier cells that it names.
    pub loads: BTreeMap<String, Variable>,
    /// Those of them that it moves away.
    pub moved: BTreeSet<String>,
    /// New variables that it moves away itself.
    pub spent: BTreeSet<String>,
    /// New variables that last for this cell only, with the reason.
    pub brief: BTreeMap<String, String>,
    /// How its last expression is shown.
    pub tail: Tail,
}

impl Plan {
    /// Keeps a variable no longer that the cell moves away.
    pub fn give_up(&mut self, mark: Mark) {
        match mark {
            Mark::PutBack(name) => drop(self.moved.insert(name)),
            Mark::Keep(name) => drop(self.spent.insert(name)),
            Mark::Load(_) | Mark::Probe(_) | Mark::Tail => {}
        }
    }

    /// True for a new variable that later cells shall see.
    pub fn keeps(&self, name: &str) -> bool {
        !self.spent.contains(name) && !self.brief.contains_key(name)
    }
}

/// What a crate is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It runs.
    Run,
    /// The compiler shall say the types of these variables; it never runs.
    Probe,
}

/// What stands around a cell: earlier items with the texts of their cells.
pub struct Around<'a> {
    pub items: &'a Items,
    pub texts: &'a BTreeMap<usize, String>,
}

const RT: &str = "::pellucid::runtime";
const CHECK: &str = " ::pellucid::runtime::checkpoint();";

/// The name of the function that runs a cell, of its library and of its source file.
pub fn symbol(cell: usize) -> String {
    format!("pellucid_cell_{cell}")
}

/// Writes a cell's crate.
pub fn write(cell: &Cell, plan: &Plan, around: &Around, purpose: Purpose) -> Source {
    let mut source = Source::default();
    cell.attributes.iter().for_each(|range| own(&mut source, cell, range.clone()));
    source.glue("use ::pellucid::prelude::*;\n");
    write_items(&mut source, cell, around);
    source.glue(&format!("#[unsafe(no_mangle)]\npub extern \"C\" fn {}() {{ {RT}::guard(|| {{\n", symbol(cell.number)));
    write_loads(&mut source, plan);
    source.glue(&format!("let __done = {RT}::run(|| {{\n"));
    if cell.visits.awaits {
        source.glue(&format!("{RT}::block_on(async {{\n"));
    }
    cell.statements.iter().for_each(|range| own(&mut source, cell, range.clone()));
    write_tail(&mut source, cell, plan);
    write_new(&mut source, cell, plan, purpose);
    source.glue(&format!("Ok::<(), {RT}::Fail>(())\n"));
    source.glue(if cell.visits.awaits { "})\n});\n" } else { "});\n" });
    write_put_backs(&mut source, cell, plan);
    source.glue("}) }\n");
    source
}

/// The whole text of a cell that could not be taken apart: the compiler says what is wrong with it. Where brackets do not
/// match, another pair around them would only move the blame.
pub fn write_broken(cell: usize, text: &str) -> Source {
    let matches = text.parse::<proc_macro2::TokenStream>().is_ok();
    let (before, after) = if matches { ("fn cell() {\n", "\n}\n") } else { ("", "\n") };
    let mut source = Source::default();
    source.glue(before);
    source.own(cell, text, 0..text.len(), &[]);
    source.standing_for(Spot { cell, offset: text.len() }, after);
    source
}

fn own(source: &mut Source, cell: &Cell, range: Range<usize>) {
    source.own(cell.number, &cell.text, range, &checks(&cell.visits.loops));
    source.glue("\n");
}

/// What is inserted at the start of loops.
fn checks(loops: &[usize]) -> Vec<(usize, &'static str)> {
    loops.iter().map(|&at| (at, CHECK)).collect()
}

fn write_items(source: &mut Source, cell: &Cell, around: &Around) {
    let earlier = around.items.without(&cell.items);
    let (macros, others): (Vec<_>, Vec<_>) = cell.items.iter().partition(|item| item.is_macro);
    let write_own = |source: &mut Source, item: &Definition| match &item.wording {
        Wording::Own(range) => own(source, cell, range.clone()),
        Wording::Made(text) => source.glue(&format!("{text}\n")),
    };
    let mut own_macros = macros.into_iter();
    for (from, item) in earlier.iter() {
        if !item.is_macro {
            own_macros.by_ref().for_each(|item| write_own(source, item));
        }
        match (&item.wording, around.texts.get(from)) {
            (Wording::Own(range), Some(text)) => {
                source.own(*from, text, range.clone(), &checks(&item.loops));
                source.glue("\n");
            }
            (Wording::Made(text), _) => source.glue(&format!("{text}\n")),
            (Wording::Own(_), None) => {}
        }
    }
    own_macros.chain(others).for_each(|item| write_own(source, item));
}

fn write_loads(source: &mut Source, plan: &Plan) {
    let checks: Vec<String> = plan.loads.iter().map(|(name, variable)| format!("{RT}::holds::<{}>(\"{name}\")", variable.ty)).collect();
    if !checks.is_empty() {
        source.glue(&format!("if !({}) {{ return; }}\n", checks.join(" && ")));
    }
    for (name, variable) in &plan.loads {
        let mutable = if variable.mutable { "mut " } else { "" };
        let line = format!("let {mutable}{name}: {} = {RT}::take(\"{name}\");\n", variable.ty);
        source.marked(&line, Mark::Load(name.clone()));
    }
}

fn write_tail(source: &mut Source, cell: &Cell, plan: &Plan) {
    let Some(range) = &cell.tail else { return };
    let spot = |offset| Spot { cell: cell.number, offset };
    source.glue("match &");
    // The compiler gives the expression's place as that of its brackets.
    source.standing_for(spot(range.start), "(");
    source.glue("\n");
    own(source, cell, range.clone());
    source.standing_for(spot(range.end), ")");
    let show = match plan.tail {
        Tail::Rich => format!("{{ use {RT}::{{ShowDebug as _, ShowName as _}}; (&{RT}::Shown(__value)).show() }}"),
        Tail::Debug => format!("{RT}::show_debug(__value)"),
    };
    source.marked(&format!(" {{ __value => {show} }}\n"), Mark::Tail);
}

fn write_new(source: &mut Source, cell: &Cell, plan: &Plan, purpose: Purpose) {
    for binding in &cell.bindings {
        let name = &binding.name;
        match purpose {
            Purpose::Probe if binding.ty.is_none() => source.marked(&format!("{RT}::type_of(&{name});\n"), Mark::Probe(name.clone())),
            Purpose::Run if plan.keeps(name) => {
                let ty = binding.ty.as_deref().unwrap_or("_");
                source.marked(&format!("{RT}::put::<{ty}>(\"{name}\", {name});\n"), Mark::Keep(name.clone()));
            }
            _ => {}
        }
    }
}

/// A variable that the cell makes anew is put back only where the cell failed.
fn write_put_backs(source: &mut Source, cell: &Cell, plan: &Plan) {
    for name in plan.loads.keys().filter(|name| !plan.moved.contains(*name)) {
        let anew = cell.bindings.iter().any(|binding| binding.name == *name);
        let condition = if anew { "if !__done " } else { "" };
        source.marked(&format!("{condition}{{ {RT}::put(\"{name}\", {name}); }}\n"), Mark::PutBack(name.clone()));
    }
}
