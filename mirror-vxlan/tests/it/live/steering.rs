//! Both directions of a flow reach the same worker, and flows reach all of them.

use mirror_vxlan::input::live::LiveOptions;

use super::network::{Network, Outer};
use super::{STEERING, open_in, receive_while};

const WORKERS: u16 = 4;
const FLOWS: u16 = 400;

/// A direction of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    There,
    Back,
}

/// A datagram of flow `number`, in one of its directions; its last bytes are the number.
fn datagram(number: u16, direction: Direction) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let mut ends = [([10, 0, high, low], 40_000 + number), ([10, 1, 0, 7], 443)];
    if direction == Direction::Back {
        ends.reverse();
    }
    let [(source, source_port), (destination, destination_port)] = ends;
    let mut payload = vec![0x08, 0, 0, 0, 0, 0, 42, 0];
    let frame = etherparse::PacketBuilder::ethernet2([2; 6], [4; 6]);
    let packet = if number.is_multiple_of(2) {
        frame.ipv4(source, destination, 64)
    } else {
        let v6 = |[a, b, c, d]: [u8; 4]| [0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d];
        frame.ipv6(v6(source), v6(destination), 64)
    };
    if number.is_multiple_of(3) {
        packet.tcp(source_port, destination_port, 1, 1).write(&mut payload, &[high, low]).unwrap();
    } else {
        packet.udp(source_port, destination_port).write(&mut payload, &[high, low]).unwrap();
    }
    payload
}

#[test]
fn the_kernel_gives_each_flow_to_one_worker_and_work_to_all() {
    let Some(network) = Network::new() else { return };
    let workers = WORKERS.try_into().unwrap();
    let options = LiveOptions { workers, ..LiveOptions::default() };
    let mut choices = Vec::new();
    for method in STEERING {
        for outer in Outer::ALL {
            let mut live = open_in(&network, &options, method);
            // The two directions have different outer ports, as AWS sometimes sends them.
            network.send(outer, (0..FLOWS).map(|number| datagram(number, Direction::There)));
            network.send(outer, (0..FLOWS).map(|number| datagram(number, Direction::Back)));
            let mut worker_of = vec![Vec::new(); usize::from(FLOWS)];
            for (worker, input) in live.inputs.iter_mut().enumerate() {
                let seen = receive_while(input, || {});
                let share = seen.len() as f64 / f64::from(2 * FLOWS / WORKERS);
                assert!((0.7..1.3).contains(&share), "{method:?} {outer:?}: {share}");
                for seen in seen {
                    let number = u16::from_be_bytes(*seen.payload.last_chunk().unwrap());
                    worker_of[usize::from(number)].push(worker);
                }
            }
            for workers in &worker_of {
                assert!(matches!(workers[..], [one, other] if one == other), "{workers:?}");
            }
            choices.push(worker_of);
        }
    }
    assert!(choices.iter().all(|choice| *choice == choices[0]), "every input steers alike");
}
