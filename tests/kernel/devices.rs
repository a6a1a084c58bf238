//! Tunnel devices in the real kernel: refused with the remedy where it lacks them; the rest runs where it has them, as in
//! the virtual machine of tests/vm.

use crate::namespace::Namespace;
use oasis6::kernel::Kernel;
use oasis6::kernel::linux::LinuxKernel;
use oasis6::net::Key32;
use oasis6::plan::{Device, Key, Objects, Sit, Value, Wireguard, diff};

fn sit() -> (Key, Value) {
    let sit = Sit {
        local: "192.0.2.1".parse().unwrap(),
        remote: Some("192.0.2.2".parse().unwrap()),
        ttl: 64,
        mtu: None,
        sixrd: None,
        link: None,
    };
    (Key::Device("o6-six".into()), Value::Device(Device::Sit(sit)))
}

fn wireguard() -> (Key, Value) {
    let wireguard =
        Wireguard { private_key: Key32::from_random([7; 32]), listen_port: 51820, mtu: None, peers: Vec::new() };
    (Key::Device("o6-wg".into()), Value::Device(Device::Wireguard(wireguard)))
}

#[test]
fn what_the_kernel_lacks_is_refused_with_the_name_of_the_package() {
    let Some(_inside) = Namespace::enter() else { return };
    let mut kernel = LinuxKernel::open().unwrap();
    for ((key, value), kind, package) in [(sit(), "sit", "kmod-sit"), (wireguard(), "wireguard", "kmod-wireguard")] {
        let wanted = Objects::from([(key, value)]);
        let ops = diff(&wanted, &kernel.read().unwrap());
        assert_eq!(ops.len(), 1);
        match kernel.apply(&ops).pop().unwrap() {
            Err(refusal) => {
                assert!(refusal.message.contains(kind) && refusal.message.contains(package), "{}", refusal.message);
            }
            Ok(()) => assert_eq!(diff(&wanted, &kernel.read().unwrap()), []),
        }
    }
}
