//! Pickles, instruction by instruction.

use super::weights::Weights;
use super::zip_writer::{Member, archive, member};

/// Instructions so far.
#[derive(Clone, Default)]
pub struct Pickle(pub Vec<u8>);

impl Pickle {
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub fn global(self, module: &str, name: &str) -> Self {
        self.raw(format!("c{module}\n{name}\n").as_bytes())
    }

    pub fn text(self, text: &str) -> Self {
        self.raw(b"X").raw(&(text.len() as u32).to_le_bytes()).raw(text.as_bytes())
    }

    /// A number below 2^63.
    pub fn number(self, number: u64) -> Self {
        match u32::try_from(number) {
            Ok(small) if small < 1 << 31 => self.raw(b"J").raw(&small.to_le_bytes()),
            _ => self.raw(b"\x8a\x08").raw(&number.to_le_bytes()),
        }
    }

    pub fn numbers(self, numbers: &[u64]) -> Self {
        numbers.iter().fold(self.raw(b"("), |pickle, number| pickle.number(*number)).raw(b"t")
    }

    /// A tensor: its storage's member and count, the offset, shape and strides, all in elements.
    pub fn tensor(self, key: &str, count: u64, offset: u64, shape: &[u64], strides: &[u64]) -> Self {
        let storage = self.global("torch._utils", "_rebuild_tensor_v2").raw(b"((").text("storage").global("torch", "FloatStorage");
        let storage = storage.text(key).text("cpu").number(count).raw(b"tQ");
        storage.number(offset).numbers(shape).numbers(strides).raw(b"\x89").global("collections", "OrderedDict").raw(b")RtR")
    }

    /// A whole pickle of protocol 2.
    pub fn done(self) -> Vec<u8> {
        [b"\x80\x02", &self.0[..], b"."].concat()
    }
}

/// A dict with the good model's tensors, each with a storage of its own, left open for more.
pub fn open_state_dict(weights: &Weights) -> Pickle {
    let tensors = weights.0.iter().enumerate();
    tensors.fold(Pickle::default().raw(b"}("), |pickle, (place, (name, (shape, values)))| {
        let shape: Vec<u64> = shape.iter().map(|size| *size as u64).collect();
        let strides: Vec<u64> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
        pickle.text(name).tensor(&place.to_string(), values.len() as u64, 0, &shape, &strides)
    })
}

/// The good model's state dict.
pub fn state_dict() -> Pickle {
    open_state_dict(&Weights::good()).raw(b"u")
}

/// The members of a checkpoint: a pickle, and the good model's storages.
pub fn members(pickle: &[u8]) -> Vec<Member> {
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let mut members = vec![member("model/data.pkl", pickle), member("model/byteorder", b"little")];
    let good = Weights::good();
    members.extend(good.0.values().enumerate().map(|(place, (_, values))| member(&format!("model/data/{place}"), &bytes(values))));
    members
}

/// A checkpoint around a pickle.
pub fn checkpoint(pickle: Pickle) -> Vec<u8> {
    archive(&members(&pickle.done()))
}

/// A checkpoint of one storage of `count` numbers and a pickle that sees it as it likes.
pub fn one_storage(count: usize, pickle: Pickle) -> Vec<u8> {
    archive(&[member("model/data.pkl", &pickle.done()), member("model/data/0", &vec![0; 4 * count])])
}
