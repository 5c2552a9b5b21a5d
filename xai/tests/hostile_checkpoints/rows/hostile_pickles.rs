//! K01: pickles that want to run something, or to exhaust who reads them.

use super::pickle_writer::{Pickle, checkpoint, one_storage, open_state_dict, state_dict};
use super::weights::Weights;
use super::{Outcome, Row, refused, row};

const FILE: &str = "model.pth";
/// What an attack that worked would leave behind.
const ATTACK: &str = "touch pwned";

pub fn rows() -> Vec<Row> {
    [calls(), tensors(), bombs(), whole()].into_iter().flatten().collect()
}

/// A row whose pickle stands behind the good tensors, where a reader might no longer look.
fn beside(what: &str, extra: Pickle, code: &'static str) -> Row {
    refused("K01", what, FILE, checkpoint(open_state_dict(&Weights::good()).text("extra").raw(&extra.0).raw(b"u")), code)
}

fn calls() -> Vec<Row> {
    let p = Pickle::default;
    let system = |module: &str| p().global(module, "system").raw(b"(").text(ATTACK).raw(b"tR");
    let protocol_4 = p().raw(b"\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R");
    let attribute = p().global("builtins", "getattr").raw(b"(").global("collections", "OrderedDict").text("__reduce__").raw(b"tR");
    vec![
        refused("K01", "REDUCE os.system instead of a dict", FILE, checkpoint(system("os")), "forbidden-global"),
        beside("REDUCE posix.system beside good tensors", system("posix"), "forbidden-global"),
        beside("eval by STACK_GLOBAL (protocol 4)", protocol_4, "forbidden-global"),
        beside("getattr, the first step of many gadgets", attribute, "forbidden-global"),
        beside("torch.hub.load", p().global("torch.hub", "load").raw(b")R"), "forbidden-global"),
        beside("a whole pickled module", p().global("torch.nn.modules.linear", "Linear").raw(b")\x81"), "pickled-module"),
        beside("INST, which imports and calls at once", p().raw(b"(ios\nsystem\n"), "forbidden-opcode"),
        beside("OBJ", p().raw(b"(").global("collections", "OrderedDict").raw(b"o"), "forbidden-opcode"),
        beside("EXT1, a name by number", p().raw(b"\x82\x01"), "forbidden-opcode"),
        beside("NEWOBJ_EX", p().raw(b")}\x92"), "forbidden-opcode"),
        beside("a call of something that is no name", p().text("os.system").raw(b")R"), "malformed"),
        beside("BUILD on a tensor's class", p().global("torch._utils", "_rebuild_tensor_v2").raw(b"}b"), "malformed"),
    ]
}

fn tensors() -> Vec<Row> {
    let p = Pickle::default;
    let one = |name: &str, tensor: Pickle| one_storage(8, p().raw(b"}").text(name).raw(&tensor.0).raw(b"s"));
    let seen = |what: &str, tensor: Pickle, code| refused("K01", what, FILE, one("w", tensor), code);
    let huge = 1_u64 << 62;
    vec![
        seen("a tensor of too few arguments", p().global("torch._utils", "_rebuild_tensor_v2").raw(b"(K\x00tR"), "malformed"),
        seen("a tensor that begins behind its storage", p().tensor("0", 8, 8, &[1], &[1]), "bad-offsets"),
        seen("a tensor that ends behind its storage", p().tensor("0", 8, 0, &[3, 3], &[3, 1]), "bad-offsets"),
        seen("a storage that claims more than it holds", p().tensor("0", 1 << 40, 0, &[1 << 40], &[1]), "bad-offsets"),
        seen("one number shown 2^40 times", p().tensor("0", 8, 0, &[1 << 40], &[0]), "unsupported-tensor"),
        seen("windows that show numbers twice", p().tensor("0", 8, 0, &[6, 3], &[1, 1]), "unsupported-tensor"),
        refused("K03", "a shape that overflows, in a .pth", FILE, one("w", p().tensor("0", 8, 0, &[huge, 8], &[8, 1])), "bad-shape"),
        seen("a storage outside the archive", p().tensor("../../../etc/passwd", 8, 0, &[8], &[1]), "incomplete"),
        seen("nine dimensions", p().tensor("0", 8, 0, &[1; 9], &[1; 9]), "malformed"),
        refused("K12", "a name with escape codes, in a .pth", FILE, one("\x1b[2Jw", p().tensor("0", 8, 0, &[8], &[1])), "bad-name"),
        refused("K06", "one name twice, in a .pth", FILE, checkpoint(twice()), "duplicate-name"),
    ]
}

fn twice() -> Pickle {
    open_state_dict(&Weights::good()).text("vit.layernorm.bias").tensor("0", 8, 0, &[8], &[1]).raw(b"u")
}

fn bombs() -> Vec<Row> {
    let p = Pickle::default;
    let doubled = |times: u8| (1..=times).fold(p().raw(b")q\x00"), |pickle, at| pickle.raw(&[b'h', at - 1, 0x86, b'q', at]));
    let nested = p().raw(b")").raw(&vec![0x85; 3 << 20]);
    let many = (0..2001).fold(p().raw(b"}("), |pickle, at| pickle.text(&format!("w{at}")).tensor("0", 8, 0, &[8], &[1])).raw(b"u");
    let shared = (0..1999).fold(p().raw(b"}("), |pickle, at| pickle.text(&format!("w{at}")).tensor("0", 1 << 18, 0, &[1 << 18], &[1]));
    let tangle = p().raw(b"}q\x00(").raw(&p().text("model").raw(b"h\x00").text("net").raw(b"h\x00").0.repeat(60_000)).raw(b"u");
    let harmless = checkpoint(open_state_dict(&Weights::good()).text("extra").raw(&doubled(40).0).raw(b"u"));
    vec![
        refused("K01", "a memo that doubles itself 61 times", FILE, checkpoint(doubled(61)), "no-tensors"),
        row("K01", "a memo that doubles itself 40 times beside good tensors", FILE, harmless, Outcome::Loads),
        beside("a memo that doubles itself 200 times", doubled(200), "too-complex"),
        refused("K01", "tuples nested 3,145,728 deep", FILE, checkpoint(nested), "too-complex"),
        refused("K01", "100,000 marks", FILE, checkpoint(p().raw(&vec![b'('; 100_000])), "too-complex"),
        refused("K01", "2,000,000 values", FILE, checkpoint(p().raw(b"](").raw(&vec![b'N'; 2_000_000]).raw(b"e")), "too-complex"),
        refused("K01", "a pickle of 9 MB", FILE, checkpoint(p().text(&"x".repeat(9 << 20))), "too-complex"),
        refused("K01", "text that claims 4 GB", FILE, checkpoint(p().raw(b"X\xff\xff\xff\xff")), "incomplete"),
        refused("K01", "text that claims 2^64 bytes", FILE, checkpoint(p().raw(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff")), "incomplete"),
        refused("K05", "2,001 tensors, in a .pth", FILE, one_storage(8, many), "too-complex"),
        refused("K01", "one storage of 1 MB seen 1,999 times", FILE, one_storage(1 << 18, shared.raw(b"u")), "too-complex"),
        refused("K01", "a dict that wraps itself 120,000 times", FILE, checkpoint(tangle), "no-tensors"),
    ]
}

fn whole() -> Vec<Row> {
    let p = Pickle::default;
    let nested = p().raw(b"}").text("epoch").raw(b"K\x03s").text("state_dict").raw(&state_dict().0).raw(b"s");
    let two = p().raw(b"}").text("model").raw(&state_dict().0).raw(b"s").text("ema").raw(&state_dict().0).raw(b"s");
    vec![
        row("K01", "a plain state dict", FILE, checkpoint(state_dict()), Outcome::Loads),
        row("K01", "a state dict under `state_dict`, beside an epoch", FILE, checkpoint(nested), Outcome::Loads),
        refused("K01", "two state dicts, and none named", FILE, checkpoint(two), "ambiguous"),
        refused("K01", "no tensors at all", FILE, checkpoint(p().raw(b"}")), "no-tensors"),
        refused("K01", "a stack that is empty", FILE, checkpoint(p()), "malformed"),
        refused("K01", "more behind the end", FILE, checkpoint(p().raw(b"}.}")), "malformed"),
        refused("K01", "a memo that was never written", FILE, checkpoint(p().raw(b"h\x07")), "malformed"),
        refused("K01", "protocol 9", FILE, checkpoint(p().raw(b"\x80\x09}")), "malformed"),
        refused("K01", "protocol 0, with names in lines", FILE, checkpoint(p().raw(b"(dp0\n")), "forbidden-opcode"),
    ]
}
