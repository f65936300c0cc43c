//! Gives privileges up as `mirror-vxlan receive` does, then tries what is forbidden from then on.
//!
//! `forbidden FOLDER` may write in FOLDER only; `forbidden FOLDER uploader` is confined as the process
//! that uploads. Each line is what was tried and what came of it.

use std::fs::{self, File};
use std::io::{Write as _, stdout};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::Command;

use mirror_vxlan::privilege::{Needs, Role, give_up};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: forbidden FOLDER")?);
    let outside = folder.with_extension("outside");
    let role = match std::env::args().nth(2) {
        None => Role::Receiver,
        Some(_) => Role::Uploader,
    };
    let others = folder.with_extension("others");
    let (server, folders) = (TcpListener::bind("127.0.0.1:0")?, vec![folder.clone()]);
    let given = give_up(&Needs { role, user: None, folders, written: vec![], read: vec![] })?;
    let mut out = stdout().lock();
    let word = |worked: bool| if worked { "allowed" } else { "refused" };
    let mut tried = |what: &str, worked: bool| writeln!(out, "{what}: {}", word(worked));
    tried("write inside", fs::write(folder.join("a"), "frames").is_ok())?;
    tried("rename inside", fs::rename(folder.join("a"), folder.join("b")).is_ok())?;
    tried("remove inside", fs::remove_file(folder.join("b")).is_ok())?;
    tried("write outside", fs::write(&outside, "frames").is_ok())?;
    tried("append outside", File::options().append(true).open("/etc/passwd").is_ok())?;
    tried("read settings", fs::read("/etc/passwd").is_ok())?;
    tried("read what is others'", fs::read(&others).is_ok())?;
    tried("start a program", Command::new("/bin/true").status().is_ok())?;
    tried("packet socket", packet_socket().is_ok())?;
    tried("low port", UdpSocket::bind("127.0.0.1:81").is_ok())?;
    tried("high port", UdpSocket::bind("127.0.0.1:0").is_ok())?;
    tried("be connected to", TcpListener::bind("127.0.0.1:0").is_ok())?;
    tried("connect", TcpStream::connect(server.local_addr()?).is_ok())?;
    tried("thread", std::thread::spawn(|| ()).join().is_ok())?;
    tried("trace another", fs::read("/proc/1/environ").is_ok())?;
    writeln!(out, "{given}")?;
    Ok(())
}

fn packet_socket() -> rustix::io::Result<std::os::fd::OwnedFd> {
    use rustix::net::{AddressFamily, SocketType, socket};
    socket(AddressFamily::PACKET, SocketType::RAW, None)
}
