//! What an earlier life left, and what somebody else made.

use crate::bed::{Bed, device, index, run, sit};
use oasis6::kernel::Kernel;
use oasis6::kernel::linux::LinuxKernel;
use oasis6::net::Key32;
use oasis6::plan::{Device, DeviceKind, Objects, Sit, Wireguard, diff};

fn wireguard(listen_port: u16) -> Device {
    Device::Wireguard(Wireguard { private_key: Key32::from_random([1; 32]), listen_port, mtu: None, peers: Vec::new() })
}

#[test]
fn devices_of_an_earlier_life_are_taken_over_whole_or_half_made() {
    let Some(mut bed) = Bed::new() else { return };
    let wanted =
        Objects::from([device("o6-six", Device::Sit(sit(Some("192.0.2.2")))), device("o6-wg", wireguard(51820))]);
    bed.reach(&wanted);
    let before = [index("o6-six"), index("o6-wg")];
    // a new life, which knows nothing
    let mut kernel = LinuxKernel::open().unwrap();
    assert_eq!(diff(&wanted, &kernel.read().unwrap()), []);
    // one that died between making the link and configuring it
    run("ip link add name o6-half type wireguard");
    run("ip link set dev o6-half up");
    let mut more = wanted.clone();
    more.extend([device("o6-half", wireguard(0))]);
    bed.reach(&more);
    bed.reach(&wanted);
    assert_eq!([index("o6-six"), index("o6-wg")], before, "they were not made anew");
    assert!(!run("ip link").contains("o6-half"));
    bed.reach(&Objects::new());
}

#[test]
fn devices_of_others_are_never_touched_and_what_is_in_the_way_is_said() {
    let Some(mut bed) = Bed::new() else { return };
    run("ip link add name o6-six type dummy");
    run("ip tunnel add mine mode sit local 192.0.2.1 remote 192.0.2.2");
    run("ip link add name wg0 type wireguard");
    let wanted = Objects::from([device("o6-six", Device::Sit(sit(Some("192.0.2.3"))))]);
    assert_eq!(bed.diff(&wanted), []);
    assert!(bed.kernel().read().unwrap().is_taken("o6-six"));
    bed.reach(&Objects::new());
    let refused = |bed: &mut Bed, (key, value)| {
        bed.kernel().apply(&[oasis6::plan::Op::Put(key, value)]).pop().unwrap().unwrap_err().message
    };
    let message = refused(&mut bed, device("o6-six", Device::Sit(sit(Some("192.0.2.3")))));
    assert!(message.contains("another device has the name o6-six"), "{message}");
    let message = refused(&mut bed, device("o6-two", Device::Sit(sit(Some("192.0.2.2")))));
    assert!(message.contains("another tunnel has the same addresses"), "{message}");
    let links = run("ip link");
    assert!(["o6-six", "mine", "wg0"].iter().all(|name| links.contains(name)), "{links}");
}

#[test]
fn a_device_becomes_one_of_another_kind() {
    let Some(mut bed) = Bed::new() else { return };
    let sixto4 = Sit { mtu: Some(1400), ..sit(None) };
    let lives = [Device::Sit(sit(Some("192.0.2.2"))), Device::Sit(sixto4), wireguard(1), Device::Sit(sit(None))];
    for life in lives {
        bed.reach(&Objects::from([device("o6-x", life)]));
    }
    assert_eq!(bed.kernel().read().unwrap().devices["o6-x"].kind(), DeviceKind::Sit);
}
