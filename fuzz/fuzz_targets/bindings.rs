//! The store's files: any bytes are opened without panic; what was found is found again after a restart.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oasis6::net::{Duid, Instant, Prefix};
use oasis6::proto::dhcp6::Resource;
use oasis6::store::fake::Fake;
use oasis6::store::{File, Found, Store};

const BOOT: &str = "2f6b3a1c-0000-4000-8000-000000000001";

/// CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Gives every line the checksum that it needs to be believed.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| [line, format!(" {:08x}\n", crc32(line)).as_bytes()].concat();
    bytes.split(|byte| *byte == b'\n').flat_map(line).collect()
}

fn open(files: &[(File, &[u8])], now: Instant) -> Found {
    let mut medium = Fake::new(1);
    for (file, bytes) in files {
        medium.put(*file, bytes.to_vec());
    }
    Store::open(medium, BOOT, now).1
}

/// Who holds what. Until when is left out: a file that nobody wrote can say two things about that.
fn holders(found: &Found) -> Vec<(Resource, &Duid, u32)> {
    found.bindings.iter().map(|binding| (binding.resource, &binding.client, binding.iaid)).collect()
}

/// The memory without its ends, which are kept in whole seconds.
fn lasting(found: &Found) -> (Option<Prefix>, Option<&Duid>, Vec<(&str, Prefix, bool)>) {
    let served = found.memory.served.iter().map(|served| (&*served.lan, served.prefix, served.live));
    (found.memory.ula, found.memory.duid.as_ref(), served.collect())
}

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else { return };
    let file = [File::RunBindings, File::RunMemory, File::FlashBindings, File::FlashMemory][usize::from(which % 4)];
    let sealed = sealed(bytes);
    let bytes = if which & 4 == 0 { &sealed } else { bytes };
    let now = Instant(3_600_000);
    let found = open(&[(file, bytes)], now);
    // a second copy beside it must not disturb
    let other = match file {
        File::RunBindings => File::FlashBindings,
        File::FlashBindings => File::RunBindings,
        File::RunMemory => File::FlashMemory,
        File::FlashMemory => File::RunMemory,
    };
    let both = open(&[(file, bytes), (other, bytes)], now);
    assert_eq!(holders(&found), holders(&both));
    assert_eq!(lasting(&found), lasting(&both));

    let mut medium = Fake::new(1);
    medium.put(file, bytes.to_vec());
    let (mut store, found) = Store::open(medium, BOOT, now);
    store.shutdown(found.bindings.iter(), now);
    let (_, again) = Store::open(store.into_medium(), BOOT, now);
    assert_eq!(holders(&again), holders(&found), "they are not found again");
    assert_eq!(lasting(&again), lasting(&found), "it is not found again");
});
