use super::*;

const GUA: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

fn put(kernel: &mut FakeKernel, link: u32, valid: Until) -> Result<(), Refusal> {
    let lifetimes = Lifetimes { preferred: valid, valid };
    kernel.apply(&[Op::Put(Key::Address { link, addr: GUA }, Value::Address { len: 64, lifetimes })]).remove(0)
}

#[test]
fn addresses_are_detected_live_and_die() {
    let mut kernel = FakeKernel::new(Instant(0));
    let link = kernel.add_link("lan", None);
    assert_eq!(kernel.actual().link_local(link), None);
    put(&mut kernel, link, Until::At(Instant(5_999))).unwrap();
    assert_eq!(kernel.poll_at(), Some(Instant(DAD_MS)));
    kernel.advance(Instant(DAD_MS));
    assert!(kernel.actual().link_local(link).is_some());
    assert_eq!(kernel.poll_at(), Some(Instant(5_000)), "the kernel counts whole seconds");
    assert_eq!(kernel.actual().routes.len(), 1);
    kernel.advance(Instant(5_000));
    assert_eq!((kernel.actual().addresses.len(), kernel.actual().routes.len()), (1, 0));
}

#[test]
fn duplicates_are_found_and_disabled_devices_refuse() {
    let mut kernel = FakeKernel::new(Instant(0));
    let link = kernel.add_link("lan", None);
    kernel.set_used_elsewhere(GUA, true);
    put(&mut kernel, link, Until::Forever).unwrap();
    kernel.advance(Instant(DAD_MS));
    assert_eq!(kernel.actual().addresses[&(link, GUA)].state, AddressState::Duplicate);
    kernel.set_sysctl("net.ipv6.conf.lan.disable_ipv6", "1");
    assert!(kernel.actual().addresses.is_empty());
    assert_eq!(put(&mut kernel, link, Until::Forever).unwrap_err().errno, EACCES);
    kernel.remove_link(link);
    assert_eq!(put(&mut kernel, link, Until::Forever).unwrap_err().errno, ENODEV);
}

#[test]
fn news_is_told_once_or_lost() {
    let mut kernel = FakeKernel::new(Instant(0));
    let link = kernel.add_link("lan", None);
    assert!(kernel.has_news() && kernel.news().is_some_and(|news| news.len() == 5));
    assert_eq!(kernel.news(), Some(vec![]));
    for n in 0..=NEWS {
        kernel.change_link(link, |link| link.mtu = 1280 + u32::try_from(n % 2).unwrap());
    }
    assert_eq!(kernel.news(), None);
    assert_eq!(kernel.news(), Some(vec![]));
}
