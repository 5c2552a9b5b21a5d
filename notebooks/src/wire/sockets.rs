//! The five sockets of a kernel, and what runs between them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeromq::{PubSocket, RepSocket, RouterRecvHalf, RouterSendHalf, RouterSocket, Socket, SocketEvent, SocketRecv, SocketSend, ZmqMessage};

use super::Connection;
use super::answers::answer;
use super::control::{After, control};
use super::engine_slot::{EngineSlot, Interrupts, Starter};
use super::message::{Message, Session, Signer, decode};
use super::outgoing::{Answering, Channel, Outgoing};
use crate::error::{Error, Result};

/// How long an ending kernel waits for its last cell and its last messages.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Serves one frontend after another until it is told to end.
///
/// # Errors
/// When a socket cannot be opened.
pub fn serve(connection: &Connection, starter: Starter) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(Error::file("a thread for the sockets on", &connection.ip))?;
    let served = runtime.block_on(run(connection, starter));
    runtime.shutdown_timeout(Duration::from_millis(100));
    served
}

async fn run(connection: &Connection, starter: Starter) -> Result<()> {
    let signer = Signer::new(&connection.key);
    let shell: RouterSocket = bind(connection, connection.shell_port).await?;
    let control: RouterSocket = bind(connection, connection.control_port).await?;
    let stdin: RouterSocket = bind(connection, connection.stdin_port).await?;
    let heartbeat: RepSocket = bind(connection, connection.hb_port).await?;
    let mut broadcast: PubSocket = bind(connection, connection.iopub_port).await?;
    let heard = heard(broadcast.monitor());
    tokio::spawn(echo(heartbeat));
    let (out, outgoing) = unbounded_channel();
    let ((to_shell, shell), (to_control, control)) = (shell.split(), control.split());
    let sending = tokio::spawn(send(outgoing, broadcast, to_shell, to_control, Session::new(signer.clone())));
    let interrupts = Interrupts::default();
    let slot = EngineSlot::start(starter, interrupts.clone());
    let (requests, queue) = channel();
    let answers = out.clone();
    let answering = std::thread::spawn(move || answer(&queue, slot, &answers));
    let shell = tokio::spawn(receive(shell, signer.clone(), requests, heard));
    tokio::select! {
        () = obey(control, &signer, &out, &interrupts) => {}
        () = told_by_the_system(&interrupts) => {}
        () = orphaned() => {}
    }
    interrupts.interrupt();
    shell.abort();
    drop(out);
    let ended = tokio::time::timeout(FAREWELL, tokio::task::spawn_blocking(move || drop(answering.join()))).await;
    if ended.is_ok() {
        // All senders are gone, so this ends when the last message is written.
        let _ = tokio::time::timeout(FAREWELL, sending).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stdin);
    Ok(())
}

async fn bind<S: Socket>(connection: &Connection, port: u16) -> Result<S> {
    let mut socket = S::new();
    let endpoint = connection.endpoint(port);
    socket.bind(&endpoint).await.map_err(|source| Error::Socket { endpoint, source })?;
    Ok(socket)
}

async fn echo(mut heartbeat: RepSocket) {
    loop {
        match heartbeat.recv().await {
            // A frontend that went away meanwhile hears nothing.
            Ok(message) => drop(heartbeat.send(message).await),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Puts requests into the queue of the thread that answers.
async fn receive(mut shell: RouterRecvHalf, signer: Signer, requests: Sender<Message>, heard: impl Future<Output = ()>) {
    let first = next(&mut shell, &signer).await;
    // A frontend may ask before it listens: after a restart its sockets come back in any order.
    let _ = tokio::time::timeout(FAREWELL, heard).await;
    if first.is_none_or(|first| requests.send(first).is_err()) {
        return;
    }
    while let Some(request) = next(&mut shell, &signer).await {
        if requests.send(request).is_err() {
            return;
        }
    }
}

/// Waits until somebody listens to what everybody is told.
async fn heard(events: impl Stream<Item = SocketEvent>) {
    let mut events = pin!(events);
    loop {
        match poll_fn(|context| events.as_mut().poll_next(context)).await {
            Some(SocketEvent::Accepted(..)) | None => break,
            Some(_) => {}
        }
    }
    // What it wants to hear follows its connection.
    tokio::time::sleep(Duration::from_millis(30)).await;
}

/// The next message with a right signature; others are dropped.
async fn next(socket: &mut RouterRecvHalf, signer: &Signer) -> Option<Message> {
    loop {
        match socket.recv().await {
            Ok(message) => {
                let frames = message.into_vec().into_iter().map(|frame| frame.to_vec()).collect();
                if let Some(message) = decode(frames, signer) {
                    return Some(message);
                }
            }
            Err(zeromq::ZmqError::NoMessage) => return None,
            // A peer that speaks something else; the others go on.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Answers the control channel until the kernel is told to end.
async fn obey(mut socket: RouterRecvHalf, signer: &Signer, out: &UnboundedSender<Outgoing>, interrupts: &Interrupts) {
    while let Some(request) = next(&mut socket, signer).await {
        let answering = Answering::new(Channel::Control, &request, out);
        if control(&request, &answering, interrupts) == After::End {
            return;
        }
    }
}

/// Interrupts at every SIGINT and returns at SIGTERM.
async fn told_by_the_system(interrupts: &Interrupts) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut end)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => interrupts.interrupt(),
            _ = end.recv() => return,
        }
    }
}

/// Returns when the frontend that started this kernel is gone without a word; never where none says that it did.
async fn orphaned() {
    let parent = std::os::unix::process::parent_id();
    if std::env::var_os("JPY_PARENT_PID").is_none() {
        return std::future::pending().await;
    }
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Writes what is queued; text of one stream that waits already goes out as one message.
async fn send(
    mut queue: UnboundedReceiver<Outgoing>,
    mut broadcast: PubSocket,
    mut shell: RouterSendHalf,
    mut control: RouterSendHalf,
    mut session: Session,
) {
    let mut held = None;
    loop {
        let mut message = match held.take() {
            Some(message) => message,
            None => match queue.recv().await {
                Some(message) => message,
                None => return,
            },
        };
        while let Ok(later) = queue.try_recv() {
            held = message.join(later);
            if held.is_some() {
                break;
            }
        }
        let frames = session.encode(&message.identities, message.kind, &message.parent, &message.content);
        let mut frames = frames.into_iter();
        let mut whole = ZmqMessage::from(frames.next().unwrap_or_default());
        frames.for_each(|frame| whole.push_back(frame.into()));
        // A frontend that has gone takes no reply; that is no fault of the others.
        let _ = match message.channel {
            Channel::Broadcast => broadcast.send(whole).await,
            Channel::Shell => shell.send(whole).await,
            Channel::Control => control.send(whole).await,
        };
    }
}
