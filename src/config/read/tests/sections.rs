use super::{problem, valid};

#[test]
fn sections_that_collide_are_refused_at_the_second() {
    // `|` stands between two lines of the file; its first is config oasis6.
    let table = "
        config lan a | option device d0 | option subnet 1 | config lan b | option device d0 => line 6: error: lan 'b', option 'device': lan 'a' has device 'd0' already (line 2)
        config lan a | option interface lan | config lan b | option interface lan => line 5: error: lan 'b', option 'interface': lan 'a' has interface 'lan' already
        config lan a | option device d0 | option subnet 1 | config lan b | option device d1 | option subnet 01 => line 7: error: lan 'b', option 'subnet': lan 'a' has subnet 1 already
        config prefix p | option prefix 2001:db8::/48 | config prefix q | option prefix 2001:db8:0:8000::/49 => line 5: error: prefix 'q', option 'prefix': 2001:db8:0:8000::/49 overlaps 2001:db8::/48 of prefix 'p' (line 2)
        config prefix q | option prefix 2001:db8:0:1::/64 | config prefix p | option prefix 2001:db8::/48 => line 3: error: prefix 'q', option 'prefix': 2001:db8:0:1::/64 overlaps 2001:db8::/48 of prefix 'p' (line 4)
        config lan b | option device d | option subnet 100 | config prefix p | option prefix 2001:db8::/56 => line 4: warning: lan 'b', option 'subnet': subnet 100 lies outside prefix 2001:db8::/56; there another one
        config lan a | option device d0 | option subnet 1 | config host h | list mac 02:00:5e:00:53:01 | option host_id ::1 => line 7: error: host 'h', option 'host_id': it is the router's own on lan 'a'; choose another
        config host | list mac 02:00:5e:00:53:01 | option name a | config host | list mac 02:00:5E:00:53:01 | option name b => line 6: error: host @host[1], option 'mac': host @host[0] has MAC 02:00:5e:00:53:01 already (line 2)
        config host | list duid 00:03:00 | option name a | config host | list duid 000300 | option name b => line 6: error: host @host[1], option 'duid': host @host[0] has DUID 000300 already (line 2)
        config host | list duid 000300 | option host_id 7 | config host | list duid 000301 | option host_id ::7 => line 7: error: host @host[1], option 'host_id': host @host[0] has host_id 7 already
        config host | list duid 000300 | list address 2001:db8::7 | config host | list duid 000301 | list address 2001:DB8:0::7 => line 7: error: host @host[1], option 'address': host @host[0] has address 2001:db8::7 already
        config host | list duid 000300 | option prefix 2001:db8::/56 | config host | list duid 000301 | option prefix 2001:db8:0:1::/64 => line 7: error: host @host[1], option 'prefix': 2001:db8:0:1::/64 overlaps 2001:db8::/56 of host @host[0]
        config oasis6 b => line 2: error: oasis6 'b': line 1 has a section oasis6 already; put all its options into that one
        config lan | option device d => line 2: error: lan @lan[0]: it has no name; write config lan 'NAME'
        config lna x => line 2: warning: lna 'x': there is no section type 'lna'; did you mean 'lan'?
        config wifi => line 2: warning: wifi @wifi[0]: there is no section type 'wifi'; it is ignored
    ";
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (text, expected) = row.split_once("=> ").unwrap();
        let told = problem(&format!("config oasis6 g\n{}\n", text.replace('|', "\n"))).to_string();
        assert!(told.starts_with(expected), "{text}\n  says {told}\n  not  {expected}");
    }
}

#[test]
fn a_given_prefix_may_not_overlap_the_ula_prefix() {
    let told = problem("config oasis6\noption ula fd00:1::/48\nconfig prefix p\noption prefix fd00:1:0:1::/64\n");
    assert!(told.to_string().starts_with("line 4: error: prefix 'p', option 'prefix': fd00:1:0:1::/64 overlaps"));
}

#[test]
fn what_does_not_collide_is_accepted() {
    let two = "config oasis6\nconfig lan a\noption device d0\nconfig lan b\noption device d0\noption enabled 0\n";
    assert_eq!(valid(two).lans.len(), 2, "a LAN that is not served takes no device");
    valid("config oasis6\noption ula off\nconfig lan a\noption device d\noption subnet ffffffff\n");
    valid(
        "config oasis6\noption domain off\nconfig host\nlist duid 000300%1\noption name a\nconfig host\nlist duid 000300%2\noption name b\n",
    );
    valid("config oasis6\nconfig lan a\noption device d\noption captive_portal urn:ietf:params:capport:unrestricted\n");
}

#[test]
fn search_domains_that_no_advertisement_holds_are_refused() {
    let long = vec![vec!["a".repeat(60); 4].join("."); 5].join(" ");
    let told = problem(&format!("config oasis6\nconfig lan l\noption device d\noption search '{long}'\n"));
    assert!(told.to_string().starts_with("line 4: error: lan 'l', option 'search': the search domains have more"));
}
