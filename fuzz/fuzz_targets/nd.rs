//! Router solicitations and advertisements: any bytes are read without panic, and what was read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oasis6::wire::nd::{self, Advertisement, Message, NdOption, Solicitation};

fuzz_target!(|data: &[u8]| {
    let Ok(mut message) = nd::parse(data) else { return };
    // what is passed over in reading is not there any more to be written
    match &mut message {
        Message::Solicitation(Solicitation { options }) | Message::Advertisement(Advertisement { options, .. }) => {
            options.retain(|option| !matches!(option, NdOption::Skipped(_)));
        }
    }
    let written = match &message {
        Message::Solicitation(solicitation) => solicitation.encode(),
        Message::Advertisement(advertisement) => advertisement.encode(),
    };
    if let Ok(bytes) = written {
        assert_eq!(nd::parse(&bytes), Ok(message));
    }
});
