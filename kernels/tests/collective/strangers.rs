//! Others at the same port: they are sent away, and nobody waits for them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use kernels::collective::{Fault, Group, Meeting, Place};

use crate::ranks::{Start, all_well, free_port, join, patience, with_ranks};

fn sum_beside_strangers() {
    let place = Place::of_environment().unwrap();
    if place.rank == 1 {
        // Before the right one come a browser, somebody who says nothing, somebody who leaves, and half a hello.
        let knock = || {
            (0..200).find_map(|_| {
                std::thread::sleep(Duration::from_millis(20));
                TcpStream::connect((Ipv4Addr::LOCALHOST, place.meeting.port)).ok()
            })
        };
        let mut browser = knock().expect("rank 0 listens");
        browser.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: everything there is\r\n\r\n").unwrap();
        let silent = knock();
        drop(knock());
        knock().expect("rank 0 listens").write_all(b"PELLUCID").unwrap();
        let group = join().unwrap();
        let mut answer = Vec::new();
        browser.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert!(!browser.read_to_end(&mut answer).is_ok_and(|count| count > 0), "a stranger is told nothing: {answer:?}");
        drop(silent);
        return summed(&group);
    }
    summed(&join().unwrap());
}

fn summed(group: &Group) {
    let mut values = [1.0, 2.0, 3.0];
    group.all_reduce_sum(&mut values).unwrap();
    assert_eq!(values, [2.0, 4.0, 6.0]);
}

#[test]
fn strangers_hold_up_nobody() {
    with_ranks("strangers::strangers_hold_up_nobody", 2, Start::default(), sum_beside_strangers, all_well);
}

/// What a rank meets that finds this server in rank 0's place.
fn met_at(answer: &'static [u8]) -> Fault {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 36];
        stream.read_exact(&mut hello).unwrap();
        stream.write_all(answer).unwrap();
    });
    let meeting = Meeting { host: "127.0.0.1".into(), port, run: String::new() };
    let fault = Group::join(&Place { rank: 1, world: 2, local: 1, meeting }, patience(5)).unwrap_err();
    server.join().unwrap();
    fault
}

#[test]
fn another_server_is_not_rank_0() {
    assert!(matches!(met_at(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Fault::Stranger { .. }));
    assert!(matches!(met_at(b""), Fault::Lost { rank: 0, .. }));
    assert!(matches!(met_at(b"PELLUCID\xff"), Fault::Lost { rank: 0, .. }));
    // A code that is none, and more ranks than there can be.
    assert!(matches!(met_at(b"PELLUCID\xff00000000\x00\x00\x00\x00"), Fault::Stranger { .. }));
    assert!(matches!(met_at(b"PELLUCID\x0000000000\xff\xff\xff\xff"), Fault::Stranger { .. }));
}

#[test]
fn a_port_that_is_taken() {
    let port = free_port();
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let meeting = Meeting { host: "127.0.0.1".into(), port, run: String::new() };
    let fault = Group::join(&Place { rank: 0, world: 2, local: 0, meeting }, patience(1)).unwrap_err();
    assert!(matches!(&fault, Fault::NoMeeting { .. }) && fault.to_string().contains("PELLUCID_PORT"), "{fault}");
}

#[test]
fn a_host_that_is_none() {
    let meeting = Meeting { host: "no such host\u{1b}".into(), port: free_port(), run: String::new() };
    let fault = Group::join(&Place { rank: 1, world: 2, local: 1, meeting }, patience(1)).unwrap_err();
    assert!(matches!(&fault, Fault::Unreached { .. }) && !fault.to_string().contains('\u{1b}'), "{fault}");
}
