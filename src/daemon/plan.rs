use super::Loaded;
use super::uplinks::key_files;
use crate::config::{Config, Severity};
use crate::kernel::Kernel;
use crate::kernel::linux::{self, LinuxKernel};
use crate::net::{FlatMap, Key32, Lifetimes};
use crate::plan::{Address, AddressState, Change, Device, Key, Link, Op, Tag, Value};
use crate::router::{Action, Entropy, Event, Router};
use crate::store::{Store, disk, key_file};
use serde_json::Value as Json;
use std::net::Ipv6Addr;
use std::path::Path;
use std::time::Duration;

/// Index of the first device that is not there but pretended to be: the kernel counts from 1.
const FIRST_PRETENDED: u32 = 1 << 30;
/// After this time a second plan is allowed.
const SPACING: Duration = Duration::from_secs(1);

/// The answer to `plan`: lives one turn of a router's life with what `file` says and the real kernel's facts, and does
/// nothing of what it wants done. Errors: there is no configuration, or the kernel can't be read.
pub fn plan(loaded: Loaded, file: &Path) -> Result<Json, String> {
    let errors = loaded.lines(Severity::Error, file);
    let Some(mut config) = loaded.config else {
        return Err(format!("no plan without a configuration:\n{}", errors.join("\n")));
    };
    let enabled = std::mem::replace(&mut config.enabled, true);
    let now = linux::boottime();
    let disk = disk::ReadOnly::new(Path::new(&config.run_dir), Path::new(&config.state_dir));
    let (_, found) = Store::open(disk, &linux::boot_id(), now);
    let actual = LinuxKernel::open().and_then(|mut kernel| kernel.read()).map_err(|refusal| refusal.message)?;
    let entropy = Entropy { seed: 0, ula: linux::random(), duid: linux::random(), secret: linux::random() };
    let mut out = Vec::new();
    let mut router = Router::new(found.memory, found.bindings, entropy, now, &mut out);
    router.handle(Event::Kernel(vec![Change::All(actual)]), now, &mut out);
    router.handle(Event::Keys(keys(&config)), now, &mut out);
    router.handle(Event::Netifd(loaded.netifd), now, &mut out);
    router.handle(Event::Configure { config: Box::new(config), interfaces: loaded.interfaces }, now, &mut out);
    router.settle(now, &mut out);
    let mut ops = changes(&mut out);
    // what a tunnel's device will hold follows once the device is there
    let made: Vec<Op> = ops.iter().filter(|op| matches!(op, Op::Put(Key::Device(_), _))).cloned().collect();
    if !made.is_empty() {
        let there = made.iter().zip(0..).flat_map(|(op, n)| pretended(op, FIRST_PRETENDED.saturating_add(n)));
        router.handle(Event::Kernel(there.collect()), now, &mut out);
        router.settle(now.after(SPACING), &mut out);
        ops = made.into_iter().chain(changes(&mut out)).collect();
    }
    let mut answer = router.plan(&ops, now);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("enabled".into(), enabled.into());
    }
    Ok(answer)
}

/// What the router would change.
fn changes(out: &mut Vec<Action>) -> Vec<Op> {
    let ops = out.drain(..).filter_map(|action| if let Action::Apply(ops) = action { Some(ops) } else { None });
    ops.flatten().collect()
}

/// Private keys of WireGuard uplinks. One that `run` would make is made up, and not kept.
fn keys(config: &Config) -> FlatMap<String, Key32> {
    let keys = key_files(config).filter_map(|(name, path)| {
        let key = key_file::read(&path).ok()?.unwrap_or_else(|| Key32::from_random(linux::random()));
        Some((name.to_owned(), key))
    });
    keys.collect()
}

/// A device as the kernel would show it: up, with a link-local address.
fn pretended(op: &Op, link: u32) -> Vec<Change> {
    let Op::Put(Key::Device(name), Value::Device(device)) = op else { return Vec::new() };
    let mtu = match device {
        Device::Sit(sit) => sit.mtu,
        Device::Wireguard(wireguard) => wireguard.mtu,
    };
    let shown = Link { name: name.clone(), mac: None, up: true, mtu: mtu.unwrap_or(1280) };
    let (lifetimes, state, tag) = (Lifetimes::FOREVER, AddressState::Ready, Tag::Foreign);
    let link_local = Ipv6Addr::from(0xfe80 << 112 | u128::from(link));
    vec![
        Change::Link(link, shown),
        Change::Device(name.clone(), device.clone()),
        Change::Address(link, link_local, Address { len: 64, lifetimes, state, tag }),
    ]
}
