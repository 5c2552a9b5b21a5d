//! Who comes to a port: hellos of processes; whoever says none within seconds is sent away, and holds up nobody.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::hello::Hello;

/// How long somebody who connected may take to say who it is.
const MANNERS: Duration = Duration::from_secs(5);
/// How many may be asked at the same time, beyond the ranks that there are.
const CROWD: usize = 64;

/// A port at which hellos are heard.
pub(super) struct Door {
    listener: TcpListener,
    most: usize,
    heard: Receiver<(TcpStream, Hello)>,
    tell: Sender<(TcpStream, Hello)>,
    /// Held by everybody who is being asked.
    asked: Arc<()>,
}

impl Door {
    pub fn open(at: &[SocketAddr], world: usize) -> std::io::Result<Self> {
        let listener = TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        let (tell, heard) = channel();
        Ok(Self { listener, most: world + CROWD, heard, tell, asked: Arc::new(()) })
    }

    pub fn port(&self) -> std::io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Whoever comes next and says hello, until it is too late.
    pub fn next(&self, until: Instant) -> Option<(TcpStream, Hello)> {
        while Instant::now() < until {
            while let Ok((stream, _)) = self.listener.accept() {
                self.ask(stream);
            }
            if let Ok(heard) = self.heard.recv_timeout(Duration::from_millis(5)) {
                return Some(heard);
            }
        }
        None
    }

    /// Asks in a thread of its own; a crowd's last ones are sent away at once.
    fn ask(&self, mut stream: TcpStream) {
        if Arc::strong_count(&self.asked) > self.most {
            return;
        }
        let (tell, asked) = (self.tell.clone(), self.asked.clone());
        std::thread::spawn(move || {
            let _asked = asked;
            let is_ready = stream.set_nonblocking(false).and_then(|()| stream.set_write_timeout(Some(MANNERS))).is_ok();
            if let Some(hello) = Hello::read(&mut stream, Instant::now() + MANNERS).filter(|_| is_ready) {
                // Nobody listens any more where the group is complete.
                let _ = tell.send((stream, hello));
            }
        });
    }
}
