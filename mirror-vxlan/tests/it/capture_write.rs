//! Files that we write, as other programs read them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use mirror_vxlan::batch::Batch;
use mirror_vxlan::capture::pcap;
use mirror_vxlan::capture::pcapng::{Interface, Section, Statistics};
use mirror_vxlan::frame::{Frame, Session};
use mirror_vxlan::session::Sessions;
use mirror_vxlan::{Timestamp, Vni};

use crate::peer;

/// An ARP request: the shortest frame that no dissector complains about.
const FRAME: [u8; 42] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0,
    0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
];

const START: Timestamp = Timestamp::from_parts(1_561_638_405, 1);

fn session(vni: u32) -> Session {
    Session { vni: Vni::try_from(vni).unwrap(), source: [10, 0, 0, 7].into() }
}

fn frame(vni: u32, original_len: u32) -> Frame<'static> {
    Frame { time: START, session: session(vni), bytes: &FRAME, original_len }
}

#[track_caller]
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn tshark_sees_interfaces_frames_and_drops_of_a_pcapng_file() {
    let sessions = Arc::new(Sessions::default());
    let mut batch = Batch::with_capacity(Batch::CAPACITY, Arc::clone(&sessions));
    for frame in [frame(100, 42), frame(7, 9000), frame(100, 42)] {
        batch.push(sessions.number(frame.session).unwrap(), &frame).unwrap();
    }
    let mut file = Vec::new();
    let section = Section { application: "a test", operating_system: "Linux", hardware: "x" };
    section.encode(&mut file);
    Interface { name: Some("wébfront"), session: session(100), snap_length: 0 }.encode(&mut file);
    Interface { name: None, session: session(7), snap_length: 256 }.encode(&mut file);
    file.extend_from_slice(batch.blocks());
    let end = Timestamp::from_parts(1_561_638_409, 999_999_999);
    Statistics { interface: 0, start: START, end, received: 5, dropped: 3, delivered: 2 }
        .encode(&mut file);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    fs::write(&path, &file).unwrap();
    let fields = ["frame.interface_name", "frame.interface_description", "frame.time_epoch"];
    let mut arguments = vec!["-r", text(&path), "-T", "fields", "-e", "frame.len"];
    arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
    let Some(printed) = peer::run("tshark", &arguments) else { return };
    let line = |length: u32, name: &str| {
        format!("{length}\t{name}\tmirrored from 10.0.0.7\t1561638405.000000001\n")
    };
    assert_eq!(printed, line(42, "wébfront") + &line(9000, "vni-7") + &line(42, "wébfront"));

    let Some(printed) = peer::run("capinfos", &[text(&path)]) else { return };
    for expected in [
        "Capture hardware:    x",
        "Capture oper-sys:    Linux",
        "Capture application: a test",
        "Number of packets:   3",
        "Name = wébfront",
        "Capture length = 256",
        "Time precision = nanoseconds (9)",
        "Number of stat entries = 1",
    ] {
        assert!(printed.contains(expected), "{expected} is missing:\n{printed}");
    }
}

#[test]
fn tshark_sees_the_records_of_a_pcap_file() {
    let mut file = pcap::file_header(Batch::FRAME_MAX).to_vec();
    pcap::push_record(&mut file, &frame(100, 42));
    pcap::push_record(&mut file, &frame(7, 9000));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcap");
    fs::write(&path, &file).unwrap();
    let fields = ["-e", "frame.len", "-e", "frame.cap_len", "-e", "frame.time_epoch"];
    let arguments = [&["-r", text(&path), "-T", "fields"][..], &fields].concat();
    let Some(printed) = peer::run("tshark", &arguments) else { return };
    assert_eq!(printed, "42\t42\t1561638405.000000001\n9000\t42\t1561638405.000000001\n");
}
