//! How processes find each other: all say hello to rank 0, rank 0 tells all where the others are, and every two connect.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::door::Door;
use super::hello::{Answer, Hello};
use crate::collective::{Fault, Patience, Place, Ranks, Refusal};

/// A connection to every other rank, by rank; none to this one.
pub(super) type Streams = Vec<Option<TcpStream>>;

/// Meets the other processes.
pub(super) fn meet(place: &Place, patience: Patience) -> Result<Streams, Fault> {
    let until = Instant::now() + patience.joining;
    if place.rank == 0 { host(place, until, patience.joining.as_secs()) } else { join(place, until, patience.joining.as_secs()) }
}

/// Rank 0's part: waits until everybody has said hello.
fn host(place: &Place, until: Instant, seconds: u64) -> Result<Streams, Fault> {
    let address = address(place);
    let no_meeting = |error: std::io::Error| Fault::NoMeeting { address: address.clone(), reason: error.to_string() };
    let door = Door::open(&everywhere(place), place.world).map_err(no_meeting)?;
    let ours = Hello::of(place, place.meeting.port, 0);
    let mut came: Vec<Option<(TcpStream, SocketAddr)>> = (0..place.world).map(|_| None).collect();
    while came.iter().flatten().count() + 1 < place.world {
        let Some((mut stream, hello)) = door.next(until) else {
            return Err(nobody_more(&mut came, seconds));
        };
        let is_taken = came.get(hello.rank as usize).is_some_and(Option::is_some);
        let refusal = hello.refusal(&ours).or(is_taken.then_some(Refusal::Rank(hello.rank as usize)));
        if let Some(refusal) = refusal {
            // Whoever left without waiting for the answer needs none.
            let _ = Answer::Refused(refusal).write(&mut stream);
            if let Refusal::World(ours) = refusal {
                tell(&mut came, &Answer::Refused(refusal));
                return Err(Fault::OtherWorld { rank: hello.rank as usize, theirs: hello.world as usize, ours });
            }
            continue;
        }
        let from = stream.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        came[hello.rank as usize] = Some((stream, SocketAddr::new(from, hello.port)));
    }
    welcome(came)
}

/// Tells everybody who came that others did not.
fn nobody_more(came: &mut [Option<(TcpStream, SocketAddr)>], seconds: u64) -> Fault {
    let missing: Vec<usize> = (1..came.len()).filter(|&rank| came[rank].is_none()).collect();
    tell(came, &Answer::Missing(missing.clone()));
    Fault::Missing { missing: Ranks(missing), world: came.len(), seconds }
}

fn tell(came: &mut [Option<(TcpStream, SocketAddr)>], answer: &Answer) {
    // Whoever is gone cannot be told.
    came.iter_mut().flatten().for_each(|(stream, _)| drop(answer.write(stream)));
}

fn welcome(mut came: Vec<Option<(TcpStream, SocketAddr)>>) -> Result<Streams, Fault> {
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let entries = came.iter().map(|one| one.as_ref().map_or(nowhere, |(_, at)| *at)).collect();
    // The state of a new hasher is drawn by the system; zero is for whoever was not answered yet.
    let answer = Answer::Welcome(RandomState::new().hash_one(std::process::id()) | 1, entries);
    for (rank, one) in came.iter_mut().enumerate() {
        if let Some((stream, _)) = one {
            answer.write(stream).map_err(|error| Fault::Lost { rank, reason: error.to_string() })?;
        }
    }
    Ok(came.into_iter().map(|one| one.map(|(stream, _)| stream)).collect())
}

/// Every other rank's part: asks rank 0 where the others are, calls those below and waits for those above.
fn join(place: &Place, until: Instant, seconds: u64) -> Result<Streams, Fault> {
    let address = address(place);
    let unreached = |error: std::io::Error| Fault::Unreached { address: address.clone(), seconds, reason: error.to_string() };
    let mut stream = connected(place, until).map_err(unreached)?;
    let at_zero = stream.peer_addr().map_err(unreached)?.ip().to_canonical();
    let here = if at_zero.is_loopback() { loopback(at_zero) } else { everyone() };
    let door = here.iter().find_map(|ip| Door::open(&[SocketAddr::new(*ip, 0)], place.world).ok());
    let door = door.ok_or_else(|| Fault::NoMeeting { address: here[0].to_string(), reason: "no port is free".into() })?;
    let hello = Hello::of(place, door.port().map_err(unreached)?, 0);
    hello.write(&mut stream).map_err(unreached)?;
    let answer = Answer::read(&mut stream, &address, until, seconds)?;
    let (session, entries) = answer.welcomed(place.world, seconds)?;
    if entries.len() != place.world {
        return Err(Fault::Stranger { address });
    }
    let mut streams: Streams = (0..place.world).map(|_| None).collect();
    streams[0] = Some(stream);
    let hello = Hello { session, ..hello };
    call(hello, &entries, at_zero, &mut streams)?;
    wait(hello, &door, (until, seconds), &mut streams)?;
    Ok(streams)
}

/// Connects to the ranks between rank 0 and this one.
fn call(hello: Hello, entries: &[SocketAddr], at_zero: IpAddr, streams: &mut Streams) -> Result<(), Fault> {
    for (rank, entry) in entries.iter().enumerate().take(hello.rank as usize).skip(1) {
        // Whoever reached rank 0 over the loopback is on its machine, which this rank knows under another address.
        let ip = if entry.ip().is_loopback() { at_zero } else { entry.ip() };
        let lost = |error: std::io::Error| Fault::Lost { rank, reason: error.to_string() };
        let at = SocketAddr::new(ip, entry.port());
        let mut stream = TcpStream::connect_timeout(&at, Duration::from_secs(20)).map_err(lost)?;
        hello.write(&mut stream).map_err(lost)?;
        streams[rank] = Some(stream);
    }
    Ok(())
}

/// Takes in the ranks above this one; strangers at its port know no session and are sent away.
fn wait(ours: Hello, door: &Door, (until, seconds): (Instant, u64), streams: &mut Streams) -> Result<(), Fault> {
    let above = ours.rank as usize + 1..ours.world as usize;
    while let Some(missing) = above.clone().find(|&rank| streams[rank].is_none()) {
        let missing = || Fault::Missing { missing: Ranks(vec![missing]), world: above.end, seconds };
        let (stream, theirs) = door.next(until).ok_or_else(missing)?;
        let (rank, is_ours) = (theirs.rank as usize, theirs.session == ours.session && theirs.world == ours.world);
        if is_ours && above.contains(&rank) && streams[rank].is_none() {
            streams[rank] = Some(stream);
        }
    }
    Ok(())
}

/// Tries rank 0's port until it answers: rank 0 may start last.
fn connected(place: &Place, until: Instant) -> std::io::Result<TcpStream> {
    let mut pause = Duration::from_millis(10);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let tried = (place.meeting.host.as_str(), place.meeting.port).to_socket_addrs().and_then(|addresses| {
            let mut last = std::io::Error::other("the name stands for no address");
            for address in addresses {
                match TcpStream::connect_timeout(&address, left.clamp(Duration::from_millis(1), Duration::from_secs(5))) {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Err(last)
        });
        if tried.is_ok() || left <= pause {
            return tried;
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(250));
    }
}

/// What rank 0 listens at: the loopback where that was said, else every address, because a machine's own name may be its loopback.
fn everywhere(place: &Place) -> Vec<SocketAddr> {
    let ips = match place.meeting.host.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => vec![ip],
        _ if place.meeting.host.eq_ignore_ascii_case("localhost") => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        _ => everyone(),
    };
    ips.into_iter().map(|ip| SocketAddr::new(ip, place.meeting.port)).collect()
}

/// Every address of this machine; the first serves both families where there are both.
fn everyone() -> Vec<IpAddr> {
    vec![Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()]
}

fn loopback(at: IpAddr) -> Vec<IpAddr> {
    vec![at, Ipv4Addr::LOCALHOST.into()]
}

fn address(place: &Place) -> String {
    let Place { meeting, .. } = place;
    let host: String = meeting.host.chars().take(253).flat_map(char::escape_default).collect();
    format!("{host}:{}", meeting.port)
}
