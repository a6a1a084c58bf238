use crate::namespace::{Namespace, block_on, cable, index, ip};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use oasis6::kernel::linux::{LinuxKernel, Notifications};
use oasis6::kernel::socket::{Dhcp6Socket, NdSocket};
use oasis6::kernel::{Kernel, sysctl};
use oasis6::net::{Lifetimes, Prefix};
use oasis6::plan::{Key, Op, RouteTarget, Value};
use std::process::Command;

/// Set in the process that runs without rights.
const UNPRIVILEGED: &str = "OASIS6_TEST_UNPRIVILEGED";

#[test]
fn without_rights_the_kernel_can_be_read_but_not_changed() {
    if std::env::var_os(UNPRIVILEGED).is_some() {
        return unprivileged();
    }
    let Some(_here) = Namespace::enter() else { return };
    ip("link add name c type veth peer name d");
    let test = std::thread::current().name().unwrap().to_owned();
    let output = Command::new("setpriv")
        .args(["--bounding-set=-all", "--inh-caps=-all"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--nocapture"])
        .env(UNPRIVILEGED, "1")
        .output()
        .expect("setpriv of util-linux");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

fn unprivileged() {
    let mut kernel = LinuxKernel::open().unwrap();
    assert!(kernel.read().unwrap().link_named("c").is_some());
    let link = index("c");
    let route = Key::Route { table: 254, dst: "2001:db8::/32".parse().unwrap(), src: Prefix::ALL, metric: 6666 };
    let address = Key::Address { link, addr: "2001:db8::1".parse().unwrap() };
    let address_value = Value::Address { len: 64, lifetimes: Lifetimes::FOREVER };
    let results = kernel.apply(&[
        Op::Put(route.clone(), Value::Route(RouteTarget::Unreachable)),
        Op::Put(address.clone(), address_value.clone()),
        Op::Delete(route, Value::Route(RouteTarget::Unreachable)),
        Op::Delete(address, address_value),
    ]);
    assert_eq!(results.len(), 4);
    for result in results {
        let refusal = result.unwrap_err();
        assert_eq!(refusal.errno, Errno::EPERM as i32);
        assert!(refusal.message.contains("CAP_NET_ADMIN"), "{refusal}");
    }
    block_on(async {
        Notifications::open().unwrap();
        assert_eq!(NdSocket::open().err().unwrap().raw_os_error(), Some(Errno::EPERM as i32));
        let error = Dhcp6Socket::open().err().unwrap();
        assert!(error.to_string().contains("run as root"), "{error}");
    });
}

#[test]
fn read_only_sysctls_are_refused_with_the_remedy() {
    let Some(_ends) = cable() else { return };
    let name = oasis6::plan::device_sysctl("a", "forwarding");
    assert_eq!(sysctl::write(&name, "x").unwrap_err().errno, Errno::EINVAL as i32);
    assert_eq!(sysctl::write(&name, "1"), Ok(()));
    assert_eq!(sysctl::read(&name).as_deref(), Some("1"));
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    for arguments in ["--make-rprivate /", "-o bind,ro /proc/sys /proc/sys"] {
        assert!(Command::new("mount").args(arguments.split(' ')).status().unwrap().success());
    }
    let refusal = sysctl::write(&name, "0").unwrap_err();
    assert_eq!(refusal.errno, Errno::EROFS as i32);
    assert!(refusal.message.contains("read-only"), "{refusal}");
    assert_eq!(sysctl::read(&name).as_deref(), Some("1"));
}
