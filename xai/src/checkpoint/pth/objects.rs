//! The few objects of a state dict: storages, tensors, parameters and ordered dicts, known by their arguments.

use super::super::refusal::Refusal;
use super::globals::Global;
use super::node::{Id, Node, Nodes, Storage, Tensor};
use super::pickle::Walk;

const MOST_DIMENSIONS: usize = 8;

impl<'a> Walk<'a> {
    /// A storage, named by the tuple `("storage", class, key, location, count)`.
    pub(super) fn persistent(&mut self) -> Result<(), Refusal> {
        let id = self.pop()?;
        let storage = storage(&self.nodes, id).ok_or_else(|| Refusal::malformed("its pickle names a storage as PyTorch never does"))?;
        self.put(Node::Storage(storage))
    }

    /// What a call or a new object would make; both write a name and a tuple of arguments.
    pub(super) fn call(&mut self) -> Result<(), Refusal> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let (Node::Global(global), Node::Tuple(arguments)) = (self.nodes.get(callable), self.nodes.get(arguments)) else {
            return Err(Refusal::malformed("its pickle calls something that is no name, or without arguments"));
        };
        let strange = |what: &str| Refusal::malformed(format!("its pickle makes {what} of arguments that PyTorch never writes"));
        match global {
            Global::OrderedDict if arguments.is_empty() => self.put(Node::Dict(Vec::new())),
            Global::OrderedDict => Err(strange("an ordered dict")),
            Global::Inert => self.put(Node::Inert),
            Global::RebuildTensor => {
                let tensor = tensor(&self.nodes, arguments).ok_or_else(|| strange("a tensor"))?;
                self.put(Node::Tensor(Box::new(tensor)))
            }
            Global::RebuildParameter => match arguments.first() {
                Some(data) if matches!(self.nodes.get(*data), Node::Tensor(_)) => {
                    let data = *data;
                    self.put_again(data);
                    Ok(())
                }
                _ => Err(strange("a parameter")),
            },
            Global::Storage(_) => Err(strange("a storage")),
        }
    }

    /// Attributes for an object: those of an ordered dict and of settings are passed over.
    pub(super) fn build(&mut self) -> Result<(), Refusal> {
        self.pop()?;
        match self.nodes.get(self.top()?) {
            Node::Dict(_) | Node::Inert => Ok(()),
            _ => Err(Refusal::malformed("its pickle gives attributes to something that has none")),
        }
    }
}

fn storage<'a>(nodes: &Nodes<'a>, id: Id) -> Option<Storage<'a>> {
    let Node::Tuple(parts) = nodes.get(id) else { return None };
    let [kind, class, key, _, count] = parts.as_slice() else { return None };
    match (nodes.get(*kind), nodes.get(*class), nodes.get(*key)) {
        (Node::Text("storage"), Node::Global(Global::Storage(dtype)), Node::Text(key)) => {
            Some(Storage { dtype: *dtype, key, count: size(nodes, *count)? })
        }
        _ => None,
    }
}

/// Storage, offset, sizes, strides, whether it wants a gradient, hooks, and in newer versions metadata.
fn tensor<'a>(nodes: &Nodes<'a>, arguments: &[Id]) -> Option<Tensor<'a>> {
    let ([storage, offset, shape, strides, _, _] | [storage, offset, shape, strides, _, _, _]) = arguments else { return None };
    let Node::Storage(storage) = nodes.get(*storage) else { return None };
    let tensor =
        Tensor { storage: *storage, offset: size(nodes, *offset)?, shape: sizes(nodes, *shape)?, strides: sizes(nodes, *strides)? };
    (tensor.shape.len() == tensor.strides.len()).then_some(tensor)
}

fn sizes(nodes: &Nodes, id: Id) -> Option<Vec<usize>> {
    let Node::Tuple(items) = nodes.get(id) else { return None };
    if items.len() > MOST_DIMENSIONS {
        return None;
    }
    items.iter().map(|item| size(nodes, *item)).collect()
}

fn size(nodes: &Nodes, id: Id) -> Option<usize> {
    match nodes.get(id) {
        Node::Int(number) => usize::try_from(*number).ok(),
        _ => None,
    }
}
