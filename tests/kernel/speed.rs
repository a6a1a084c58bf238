use crate::namespace::{block_on, cable, index};
use crate::notifications::of_routes;
use oasis6::kernel::Kernel;
use oasis6::kernel::linux::{LinuxKernel, Notifications};
use oasis6::net::Prefix;
use oasis6::plan::{Key, Op, RouteTarget, Tag, Value};
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

/// Far above what is measured, so that only a change of kind fails, not a busy machine.
const LIMIT: Duration = Duration::from_secs(3);

/// Processor time of this thread, which other programs don't disturb as much as they do a clock.
fn spent() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = spent();
    let result = work();
    let took = spent() - start;
    eprintln!("{what}: {:.2} ms", took.as_secs_f64() * 1000.0);
    assert!(took < LIMIT, "{what}");
    result
}

#[test]
fn ten_thousand_routes_are_no_burden() {
    let Some(_ends) = cable() else { return };
    block_on(async {
        let link = index("a");
        let routes: Vec<_> = (0..10_000u16)
            .map(|n| {
                let dst = Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 0), 56).unwrap();
                let gateway = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, n | 0x8000);
                let key = Key::Route { table: 254, dst, src: Prefix::ALL, metric: 6666 };
                (key, Value::Route(RouteTarget::Via { link, gateway }))
            })
            .collect();
        let puts: Vec<_> = routes.iter().map(|(key, value)| Op::Put(key.clone(), value.clone())).collect();
        let deletes: Vec<_> = routes.iter().map(|(key, value)| Op::Delete(key.clone(), value.clone())).collect();
        let mut notifications = Notifications::with_buffer(64 << 20).unwrap();
        let start = Instant::now();
        let mut kernel = LinuxKernel::open().unwrap();
        kernel.read().unwrap();
        eprintln!("open and read, as at start: {:.2} ms", start.elapsed().as_secs_f64() * 1000.0);
        let fine = |results: Vec<Result<(), _>>| assert!(results.iter().all(Result::is_ok));
        timed("10000 routes made", || fine(kernel.apply(&puts)));
        let start = spent();
        let changes = of_routes(&mut notifications).await;
        eprintln!("notifications of 10000 routes: {:.2} ms", (spent() - start).as_secs_f64() * 1000.0);
        assert_eq!(changes.len(), routes.len());
        timed("10000 routes made that stand", || fine(kernel.apply(&puts)));
        let actual = timed("10000 routes read", || kernel.read().unwrap());
        assert_eq!(actual.routes.values().filter(|route| route.tag == Tag::Ours).count(), 10_000);
        notifications.leave_out_routes_of(&kernel).unwrap();
        timed("10000 routes removed", || fine(kernel.apply(&deletes)));
        timed("10000 routes made, unheard", || fine(kernel.apply(&puts)));
    });
}
