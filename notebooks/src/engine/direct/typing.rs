//! What the compiler says about the type of a variable, made into what a later cell can write.

use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, ParenthesizedGenericArguments, Type, TypeFnPtr};

/// Why a variable lasts for its own cell only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Every closure has a type of its own that has no name.
    Closure,
    /// So has every function, until it is made a pointer.
    Function,
    /// An `impl Trait` that a function returns.
    Opaque,
    /// A future that was not awaited.
    Future,
    /// The type does not fit into any other cell.
    Unnamed,
}

impl Refusal {
    /// What to write instead.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Closure => {
                "a closure's type has no name, so no later cell can take it: write a `fn`, or keep it as `let f: Box<dyn Fn(f64) -> f64> = Box::new(…)`"
            }
            Self::Function => {
                "a function is already there by its own name; to keep one as a value write its pointer's type: `let f: fn(f64) -> f64 = …`"
            }
            Self::Opaque => {
                "the type has no name (`impl …`), so no later cell can take it: collect it, `.collect::<Vec<_>>()`, or box it, `let x: Box<dyn Iterator<Item = f64>> = Box::new(…)`"
            }
            Self::Future => "this is a future that has not run yet: write `.await` behind it",
            Self::Unnamed => "no later cell could write its type: give it one that has a name",
        }
    }
}

/// A type as the compiler prints it, made into one that can be written in any cell.
///
/// # Errors
///
/// Where it has no name.
pub fn named(printed: &str) -> Result<String, Refusal> {
    if printed.contains("{closure@") {
        return Err(Refusal::Closure);
    }
    if printed.contains("{async ") || printed.contains("impl std::future::Future") || printed.contains("impl Future") {
        return Err(Refusal::Future);
    }
    let text = printed.replace("{float}", "f64").replace("{integer}", "i32");
    if text.contains('{') {
        return Err(Refusal::Function);
    }
    let mut ty: Type = syn::parse_str(&text).map_err(|_| Refusal::Unnamed)?;
    let mut owned = Owned { opaque: false };
    owned.visit_type_mut(&mut ty);
    match owned.opaque {
        true => Err(Refusal::Opaque),
        false => Ok(pretty(&quote::ToTokens::to_token_stream(&ty).to_string())),
    }
}

/// Tokens with the spaces that people write.
pub fn pretty(tokens: &str) -> String {
    let tight = [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" > ", ">"),
        (" >", ">"),
        ("< ", "<"),
        (" ,", ","),
        ("& ", "&"),
        (" ;", ";"),
        (" (", "("),
    ];
    let spaced = tight.iter().fold(tokens.to_owned(), |text, (from, to)| text.replace(from, to));
    spaced.replace("->", " -> ").replace("  ", " ").replace("- >", "->").replace(",(", ", (").replace("dyn(", "dyn (")
}

/// Gives every lifetime that is left open the only one that a variable can have.
struct Owned {
    opaque: bool,
}

impl VisitMut for Owned {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::Reference(reference) => {
                reference.lifetime.get_or_insert_with(forever);
            }
            Type::ImplTrait(_) => self.opaque = true,
            _ => {}
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = forever();
        }
    }

    // What a function takes and gives has lifetimes of its own.
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
}

fn forever() -> Lifetime {
    Lifetime::new("'static", proc_macro2::Span::call_site())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_can_be_written_in_any_cell() {
        let right = |printed: &str| named(printed).expect("a type with a name");
        assert_eq!(right("Vec<{integer}>"), "Vec<i32>");
        assert_eq!(right("&str"), "&'static str");
        assert_eq!(right("std::collections::HashMap<&str, ({float}, bool)>"), "std::collections::HashMap<&'static str, (f64, bool)>");
        assert_eq!(right("std::borrow::Cow<'_, str>"), "std::borrow::Cow<'static, str>");
        for written in
            ["std::boxed::Box<dyn Fn(&str) -> usize>", "ndarray::ArrayBase<ndarray::OwnedRepr<f64>, ndarray::Dim<[usize; 2]>, f64>"]
        {
            let again = right(written);
            assert_eq!(syn::parse_str::<Type>(&again).expect("a type"), syn::parse_str::<Type>(written).expect("a type"), "{again}");
        }
    }

    #[test]
    fn what_has_no_name_is_refused() {
        assert_eq!(named("{closure@pellucid_cell_1.rs:3:9: 3:12}"), Err(Refusal::Closure));
        assert_eq!(named("fn(i32) -> i32 {twice}"), Err(Refusal::Function));
        assert_eq!(named("impl Iterator<Item = u8>"), Err(Refusal::Opaque));
        assert_eq!(named("{async block@pellucid_cell_1.rs:3:9: 3:12}"), Err(Refusal::Future));
        assert_eq!(named("..."), Err(Refusal::Unnamed));
    }
}
