//! Asks the compiler for the type of a variable: the bound is met by nothing, and the refusal names the type.

/// Implemented for nothing.
#[diagnostic::on_unimplemented(message = "TYPE={Self}")]
pub trait TypeOf {}

/// Never compiles; the message begins with `TYPE=`.
pub fn type_of<T: TypeOf>(_: &T) {}
