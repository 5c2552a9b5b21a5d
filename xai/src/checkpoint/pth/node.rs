//! What a checkpoint's pickle can hold, as nodes in one flat list.
//!
//! Nodes refer to others by number. So sharing costs four bytes however often a memo repeats it, and neither walking nor dropping
//! a deep nest takes stack.

use safetensors::Dtype;

use super::super::refusal::{Reason, Refusal};
use super::globals::Global;

/// Optimiser states included, the largest published checkpoints have some fifty thousand.
const MOST_NODES: usize = 1 << 20;
/// State dicts nest five deep.
const DEEPEST: u8 = 64;

/// The number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(u32);

/// A value of the pickle; text points into its bytes.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// Something that no tensor needs: a float, a flag, `None`, an object that carries settings.
    Inert,
    Int(i64),
    Text(&'a str),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage<'a>),
    Tensor(Box<Tensor<'a>>),
}

/// A run of numbers in a member of the archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage<'a> {
    pub dtype: Dtype,
    pub key: &'a str,
    pub count: usize,
}

/// A view of a storage, in elements.
#[derive(Debug, Clone)]
pub(super) struct Tensor<'a> {
    pub storage: Storage<'a>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// All nodes of a pickle.
#[derive(Debug, Default)]
pub(super) struct Nodes<'a> {
    nodes: Vec<Node<'a>>,
    depths: Vec<u8>,
}

impl<'a> Nodes<'a> {
    pub fn get(&self, id: Id) -> &Node<'a> {
        &self.nodes[id.0 as usize]
    }

    pub fn push(&mut self, node: Node<'a>) -> Result<Id, Refusal> {
        if self.nodes.len() == MOST_NODES {
            return Err(Refusal::new(Reason::TooComplex, format!("its pickle holds more than {MOST_NODES} values")));
        }
        let depth = match &node {
            Node::Tuple(items) => self.above(items)?,
            _ => 0,
        };
        self.nodes.push(node);
        self.depths.push(depth);
        Ok(Id(self.nodes.len() as u32 - 1))
    }

    /// Adds to a list.
    pub fn extend(&mut self, list: Id, items: &[Id]) -> Result<(), Refusal> {
        self.deepen(list, items)?;
        match &mut self.nodes[list.0 as usize] {
            Node::List(list) => list.extend(items),
            _ => return Err(Refusal::malformed("its pickle appends to something that is no list")),
        }
        Ok(())
    }

    /// Adds keys and values, in turns, to a dict.
    pub fn insert(&mut self, dict: Id, items: &[Id]) -> Result<(), Refusal> {
        self.deepen(dict, items)?;
        let (pairs, rest) = items.as_chunks::<2>();
        match &mut self.nodes[dict.0 as usize] {
            Node::Dict(dict) if rest.is_empty() => dict.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            _ => return Err(Refusal::malformed("its pickle sets items of something that is no dict, or keys without values")),
        }
        Ok(())
    }

    fn deepen(&mut self, container: Id, items: &[Id]) -> Result<(), Refusal> {
        let depth = self.above(items)?;
        let own = &mut self.depths[container.0 as usize];
        *own = depth.max(*own);
        Ok(())
    }

    fn above(&self, items: &[Id]) -> Result<u8, Refusal> {
        let depth = items.iter().map(|item| self.depths[item.0 as usize] + 1).max().unwrap_or(0);
        if depth > DEEPEST {
            return Err(Refusal::new(Reason::TooComplex, format!("its pickle nests deeper than {DEEPEST}")));
        }
        Ok(depth)
    }
}
