"""What Jupyter's own clients see of the kernel. `checks.py NAME` runs one check; a failed one ends with a traceback."""

import json
import sys
import time

import nbformat
import zmq
from jupyter_client.session import Session as Signing
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from session import Session, kinds, text


FRAME = 'pellucid::runtime::frame("{}", Some("a"), pellucid::serde_json::from_str(r#"{{"text/plain": "{}"}}"#)?);'
SHOWN = FRAME.format("display", "one") + FRAME.format("update", "two")


def conversation():
    """Requests of every kind have the replies that the protocol asks for."""
    with Session() as kernel:
        info = kernel.reply(kernel.client.kernel_info())
        assert info["status"] == "ok" and info["protocol_version"].startswith("5."), info
        language = info["language_info"]
        assert (language["name"], language["mimetype"], language["file_extension"]) == ("rust", "text/rust", ".rs"), language
        reply, told = kernel.run("2 + 2")
        assert reply["status"] == "ok" and reply["execution_count"] == 1, reply
        assert kinds(told) == ["execute_input", "execute_result"], told
        assert told[1]["content"]["data"]["text/plain"] == "4" and told[1]["content"]["execution_count"] == 1, told
        reply, told = kernel.run('println!("out"); eprintln!("err"); ' + SHOWN)
        assert text(told, "stdout") == "out\n" and text(told, "stderr") == "err\n", told
        shown = [m for m in told if "display_data" in m["msg_type"]]
        assert kinds(shown) == ["display_data", "update_display_data"], told
        assert all(m["content"]["transient"] == {"display_id": "a"} for m in shown), shown
        reply, told = kernel.run('println!("quiet")', silent=True)
        assert reply["execution_count"] == 2 and told == [], (reply, told)
        assert kernel.run("1", store_history=False)[0]["execution_count"] == 2
        for code, status in [("fn f() {", "incomplete"), ("1 + 1", "complete"), ("f(]", "invalid")]:
            assert kernel.reply(kernel.client.is_complete(code))["status"] == status, code
        assert kernel.reply(kernel.client.history())["history"] == []
        assert kernel.reply(kernel.client.comm_info())["comms"] == {}
        assert kernel.run('let model = load("drawn")?;')[0]["status"] == "ok"
        completed = kernel.reply(kernel.client.complete("model.expl", 10))
        assert "explain" in completed["matches"] and (completed["cursor_start"], completed["cursor_end"]) == (6, 10), completed
        about = kernel.reply(kernel.client.inspect("model.explain", 10))
        assert about["found"] and "explain" in about["data"]["text/plain"], about


def failures():
    """A failed cell says why, later queued cells are aborted, earlier variables stay."""
    with Session() as kernel:
        kernel.run("let kept = 41;")
        for code, name, words in [
            ('panic!("on purpose")', "Panic", "on purpose"),
            ('"x".parse::<i32>()?', "Error", "invalid digit"),
            ("no_such_name", "CompileError", "no_such_name"),
        ]:
            first = kernel.client.execute(code)
            second = kernel.client.execute("1")
            told = [m for m in kernel.told(first) if m["msg_type"] == "error"]
            assert len(told) == 1 and told[0]["content"]["ename"] == name and words in told[0]["content"]["evalue"], told
            reply = kernel.reply(first)
            assert reply["status"] == "error" and reply["ename"] == name and reply["traceback"], reply
            assert kernel.reply(second)["status"] == "aborted"
        queued = [kernel.client.execute('panic!("goes on")', stop_on_error=False), kernel.client.execute("kept + 1")]
        assert [kernel.reply(request)["status"] for request in queued] == ["error", "ok"]
        reply, told = kernel.run("std::process::exit(3);")
        assert reply["ename"] == "Died", reply
        assert kernel.run("2 + 2")[0]["status"] == "ok", "the kernel outlives its cells"


def interruption():
    """What is printed is seen at once; an interrupt ends a loop that listens and keeps variables."""
    with Session() as kernel:
        kernel.run("let kept = 41;")
        loop = 'println!("begun"); loop { pellucid::runtime::check_interrupt()?; std::thread::sleep(std::time::Duration::from_millis(5)); }'
        for interrupt in [kernel.manager.interrupt_kernel, lambda: kernel.manager.provisioner.process.send_signal(2)]:
            request = kernel.client.execute(loop)
            for message in kernel.told(request):
                if message["msg_type"] == "stream":
                    interrupt()
            reply = kernel.reply(request)
            assert reply["status"] == "error" and reply["ename"] == "Interrupted", reply
            reply, told = kernel.run("kept + 1")
            assert told[-1]["content"]["data"]["text/plain"] == "42", told


def long_loops():
    """Explaining by thousands of passes, occlusion of one's own, and training: each shows how far it is, and ends when it is interrupted."""
    cells = {
        "many passes": "model.explain(&lesion, Method::SmoothGrad(SmoothGrad { samples: 4096, ..SmoothGrad::smilkov_2017() }))?",
        "a loop of one's own": 'each("waiting", 0..100_000, |_| { model.predict(&lesion)?; Ok(()) })?;',
        "training": "train(&small_experiment(200, 400))?",
    }
    with Session() as kernel:
        reply, _ = kernel.run('let model = load("drawn")?; let lesion = drawn::lesion(7, LesionClass::Melanoma); let kept = 41;')
        assert reply["status"] == "ok", reply
        for name, cell in cells.items():
            request, interrupted = kernel.client.execute(cell), None
            for message in kernel.told(request):
                if interrupted is None and "display_data" in message["msg_type"]:
                    kernel.manager.interrupt_kernel()
                    interrupted = time.monotonic()
            reply = kernel.reply(request)
            assert interrupted is not None, f"{name} showed nothing"
            print(f"{name}: ended {time.monotonic() - interrupted:.3f} s after the interrupt")
            assert reply["status"] == "error" and reply["ename"] == "Interrupted", (name, reply)
            _, told = kernel.run("kept + 1")
            assert told[-1]["content"]["data"]["text/plain"] == "42", told


def two_kernels():
    """Two at once do not disturb each other, and a restarted one is empty."""
    with Session() as one, Session() as two:
        one.run("let mine: i32 = 1;")
        two.run("let mine: i32 = 2;")
        for kernel, value in [(one, "1"), (two, "2")]:
            assert kernel.run("mine")[1][-1]["content"]["data"]["text/plain"] == value
        one.manager.restart_kernel()
        one.client.wait_for_ready(timeout=60)
        assert one.run("mine")[0]["ename"] == "CompileError"


def signatures():
    """A message with a wrong signature is dropped, and the kernel goes on."""
    with Session() as kernel:
        stranger = Signing(key=b"another key", signature_scheme="hmac-sha256")
        info = kernel.manager.get_connection_info()
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.connect(f"tcp://{info['ip']}:{info['shell_port']}")
        stranger.send(socket, "kernel_info_request", {})
        socket.send_multipart([b"<IDS|MSG>", b"short"])
        assert socket.poll(500) == 0, "a stranger got an answer"
        socket.close(0)
        assert kernel.run("2 + 2")[0]["status"] == "ok"


def notebooks():
    """nbclient gives the verdict that the runner gives, and the same outputs."""
    good, bad, executed = (nbformat.read(path, as_version=4) for path in sys.argv[2:5])
    NotebookClient(good, kernel_name="pellucid", timeout=60, coalesce_streams=True).execute()
    nbformat.validate(executed)
    for ours, theirs in zip(executed.cells, good.cells, strict=True):
        assert json.dumps(ours.outputs, sort_keys=True) == json.dumps(theirs.outputs, sort_keys=True), (ours.outputs, theirs.outputs)
        assert ours.execution_count == theirs.execution_count
    try:
        NotebookClient(bad, kernel_name="pellucid", timeout=60).execute()
    except CellExecutionError as error:
        assert error.ename == "Panic", error
    else:
        raise AssertionError("a panicking notebook passed")


def lessons():
    """Each lesson passes from a clean kernel."""
    for path in sys.argv[2:]:
        NotebookClient(nbformat.read(path, as_version=4), kernel_name="pellucid", timeout=120).execute()
        print(path, "passed")


def first_build():
    """The first cell shows that the library is built; the kernel answers before. This library is too small to run a cell."""
    started = time.monotonic()
    with Session() as kernel:
        _, told = kernel.run("2 + 2")
        assert "library" in text(told, "stderr"), (told, time.monotonic() - started)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
