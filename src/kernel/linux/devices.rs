//! Tunnel devices: a link, and for WireGuard what generic netlink says beside it.

use super::decode::{self, News, Seen};
use super::encode;
use super::exchange::{Failure, Netlink};
#[cfg(feature = "wireguard")]
use super::generic::Generic;
use crate::plan::{Device, Link, Sit};
use nix::errno::Errno;

/// What is needed to read and change devices.
#[derive(Default)]
pub(super) struct Devices {
    #[cfg(feature = "wireguard")]
    pub(super) generic: Generic,
}

impl Devices {
    /// A device of ours, of which a link's message said `seen`; `None`: it can't be read, or is gone again.
    pub(super) fn device(&mut self, link: &Link, seen: Seen) -> Option<Device> {
        match seen {
            Seen::Sit(sit) => Some(Device::Sit(sit)),
            #[cfg(feature = "wireguard")]
            Seen::Wireguard => self.generic.read(&link.name).ok().map(|told| Device::Wireguard(told.device(link.mtu))),
            #[cfg(not(feature = "wireguard"))]
            Seen::Wireguard => {
                let _ = link;
                None
            }
        }
    }

    /// Makes a device, or makes one of ours into it.
    pub(super) fn put(&mut self, netlink: &mut Netlink, name: &str, device: &Device) -> Result<(), Failure> {
        if cfg!(not(feature = "wireguard")) && matches!(device, Device::Wireguard(_)) {
            let words = "this is a build without WireGuard".into();
            return Err(Failure { words, ..Failure::from(Errno::ENOSYS) });
        }
        let requests = match there(netlink, name)? {
            None => vec![encode::make_device(name, device)],
            // netlink says the same of a tunnel with other addresses
            Some((_, None)) => return Err(Errno::EBUSY.into()),
            Some((_, Some(seen))) if can_become(&seen, device) => vec![encode::change_device(name, device)],
            Some((index, Some(_))) => vec![encode::remove_device(index), encode::make_device(name, device)],
        };
        netlink.change(requests).into_iter().collect::<Result<(), Failure>>()?;
        #[cfg(feature = "wireguard")]
        if let Device::Wireguard(wireguard) = device {
            self.generic.configure(name, wireguard)?;
        }
        Ok(())
    }

    /// Removes a device of ours; somebody else's of that name stays.
    pub(super) fn delete(&mut self, netlink: &mut Netlink, name: &str) -> Result<(), Failure> {
        let Some((index, Some(_))) = there(netlink, name)? else { return Ok(()) };
        match netlink.change(vec![encode::remove_device(index)]).pop() {
            Some(Err(failure)) if !failure.is_gone() => Err(failure),
            _ => Ok(()),
        }
    }
}

/// The link of this name: its index, and what it is if it can be ours.
fn there(netlink: &mut Netlink, name: &str) -> Result<Option<(u32, Option<Seen>)>, Failure> {
    let mut found = None;
    let answer = netlink.get(encode::link(name), |kind, payload| {
        if let Ok(News::Link(index, _, seen)) = decode::news(kind, payload, super::boottime()) {
            found = Some((index, seen));
        }
    });
    match answer {
        Err(failure) if !failure.is_gone() => Err(failure),
        _ => Ok(found),
    }
}

/// Whether a device can be changed into another. A tunnel to one end can't become one to many.
fn can_become(seen: &Seen, device: &Device) -> bool {
    match (seen, device) {
        (Seen::Sit(Sit { remote: is, .. }), Device::Sit(Sit { remote, .. })) => is.is_some() == remote.is_some(),
        (Seen::Wireguard, Device::Wireguard(_)) => true,
        _ => false,
    }
}
