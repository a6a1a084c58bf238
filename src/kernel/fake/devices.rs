//! Tunnel devices and IPv4 addresses.

use super::{EEXIST, EOPNOTSUPP, FakeKernel, refusal};
use crate::kernel::Refusal;
use crate::plan::{Change, Device, DeviceKind, Sit};
use std::net::Ipv4Addr;

impl FakeKernel {
    /// From now on the kernel can, or can't, make tunnel devices of this kind.
    pub fn set_supported(&mut self, kind: DeviceKind, supported: bool) {
        self.missing.retain(|missing| *missing != kind);
        if !supported {
            self.missing.push(kind);
        }
    }

    /// A link gets an IPv4 address.
    pub fn add_ipv4(&mut self, link: u32, addr: Ipv4Addr, len: u8) {
        if self.actual.links.contains_key(&link) && self.actual.ipv4.insert((link, addr), len) != Some(len) {
            self.tell(Change::Ipv4(link, addr, len));
        }
    }

    /// A link loses an IPv4 address.
    pub fn remove_ipv4(&mut self, link: u32, addr: Ipv4Addr) {
        if self.actual.ipv4.remove(&(link, addr)).is_some() {
            self.tell(Change::Ipv4Gone(link, addr));
        }
    }

    /// Makes or changes a tunnel device.
    pub(super) fn put_device(&mut self, name: &str, device: &Device) -> Result<(), Refusal> {
        let there = self.actual.link_named(name).map(|(index, _)| index);
        let same = |other: &Device| match (other, device) {
            (Device::Sit(a), Device::Sit(b)) => (a.local, a.remote, a.link) == (b.local, b.remote, b.link),
            _ => false,
        };
        match self.actual.devices.get(name) {
            _ if self.missing.contains(&device.kind()) => {
                let message = format!("no kind {}; install {}", device.kind().word(), device.kind().package());
                return Err(refusal(EOPNOTSUPP, &message));
            }
            None if there.is_some() => return Err(refusal(EOPNOTSUPP, "another device has this name")),
            _ if self.actual.devices.iter().any(|(other, is)| other != name && same(is)) => {
                return Err(refusal(EEXIST, "another tunnel has the same addresses"));
            }
            // a device can't change its kind, nor a tunnel from one end to many
            Some(was) if was.kind() != device.kind() || is_point_to_point(was) != is_point_to_point(device) => {
                there.into_iter().for_each(|index| self.remove_link(index));
            }
            _ => {}
        }
        let (mtu, default) = match device {
            Device::Sit(sit) => (sit.mtu, 1480),
            Device::Wireguard(wireguard) => (wireguard.mtu, 1420),
        };
        let index = self.actual.link_named(name).map(|(index, _)| index);
        let was = index.and_then(|index| self.actual.links.get(&index)).map(|link| link.mtu);
        let mtu = mtu.or(was).unwrap_or(default);
        let mut device = device.clone();
        match &mut device {
            Device::Sit(sit) => sit.mtu = Some(mtu),
            Device::Wireguard(wireguard) => {
                wireguard.mtu = Some(mtu);
                wireguard.peers.iter_mut().for_each(|peer| peer.resolved = 0);
            }
        }
        self.actual.devices.insert(name.to_owned(), device.clone());
        let index = index.unwrap_or_else(|| self.add_link(name, None));
        if self.actual.links.get(&index).is_some_and(|link| link.mtu != mtu) {
            self.change_link(index, |link| link.mtu = mtu);
        }
        self.tell(Change::Device(name.to_owned(), device));
        self.set_admin(index, true);
        Ok(())
    }
}

fn is_point_to_point(device: &Device) -> bool {
    matches!(device, Device::Sit(Sit { remote: Some(_), .. }))
}
