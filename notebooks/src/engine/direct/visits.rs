//! Where a cell's loops begin and whether it awaits.

use syn::visit::{self, Visit};
use syn::{Block, Expr, ItemConst, ItemStatic, Signature, Stmt};

/// What was met on the way through a cell.
#[derive(Clone, Debug, Default)]
pub struct Visits {
    /// The byte behind the brace that opens each loop's body: there a loop can be interrupted.
    pub loops: Vec<usize>,
    /// Whether a statement of the cell itself awaits.
    pub awaits: bool,
}

/// Adds what a statement holds.
pub fn visit(statement: &Stmt, visits: &mut Visits) {
    let mut walk = Walk { visits, inside_function: 0, constant: 0 };
    walk.visit_stmt(statement);
    walk.visits.loops.sort_unstable();
}

struct Walk<'a> {
    visits: &'a mut Visits,
    /// Functions, closures and `async` blocks around: their `.await` is their own.
    inside_function: usize,
    /// Constants around: what they compute runs in the compiler, where nothing can be interrupted.
    constant: usize,
}

impl Walk<'_> {
    fn enter(&mut self, body: &Block) {
        if self.constant == 0 {
            self.visits.loops.push(body.brace_token.span.open().byte_range().end);
        }
    }

    fn constant(&mut self, is_constant: bool, walk: impl FnOnce(&mut Self)) {
        self.constant += usize::from(is_constant);
        walk(self);
        self.constant -= usize::from(is_constant);
    }

    fn function(&mut self, walk: impl FnOnce(&mut Self)) {
        self.inside_function += 1;
        walk(self);
        self.inside_function -= 1;
    }
}

fn is_constant(signature: &Signature) -> bool {
    signature.constness.is_some()
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::ForLoop(each) => self.enter(&each.body),
            Expr::While(each) => self.enter(&each.body),
            Expr::Loop(each) => self.enter(&each.body),
            Expr::Await(_) => self.visits.awaits |= self.inside_function == 0,
            _ => {}
        }
        match expression {
            Expr::Closure(_) | Expr::Async(_) => self.function(|walk| visit::visit_expr(walk, expression)),
            Expr::Const(_) | Expr::Repeat(_) => self.constant(true, |walk| visit::visit_expr(walk, expression)),
            _ => visit::visit_expr(self, expression),
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(|walk| walk.constant(is_constant(&item.sig), |walk| visit::visit_item_fn(walk, item)));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(|walk| walk.constant(is_constant(&item.sig), |walk| visit::visit_impl_item_fn(walk, item)));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(|walk| visit::visit_trait_item_fn(walk, item));
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        self.constant(true, |walk| visit::visit_item_const(walk, item));
    }

    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        self.constant(true, |walk| visit::visit_item_static(walk, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constant(true, |walk| visit::visit_impl_item_const(walk, item));
    }

    fn visit_type(&mut self, ty: &'ast syn::Type) {
        self.constant(true, |walk| visit::visit_type(walk, ty));
    }
}
