use super::*;

#[test]
fn every_problem_is_told_at_once_and_by_line() {
    let text = "config oasis6\noption enabled x\nconfig lan l\noption device eth0\noption ra_mtu 1\noption ra_mtuu 2\n\
        option ra_min_interval 500\nconfig wrong\nconfig prefix p\noption prefix x\n";
    let Reading { config, problems, .. } = read(text.as_bytes());
    assert_eq!(config, None);
    let told: Vec<_> = problems.iter().map(|problem| (problem.line, problem.option.as_str())).collect();
    assert_eq!(told, [(2, "enabled"), (5, "ra_mtu"), (6, "ra_mtuu"), (7, "ra_min_interval"), (8, ""), (10, "prefix")]);
}

#[test]
fn a_refused_value_makes_no_second_problem_by_what_it_is_compared_with() {
    let told =
        problem("config oasis6\nconfig lan l\noption device e\noption ra_max_interval x\noption ra_min_interval 500\n");
    assert_eq!((told.line, told.option.as_str()), (4, "ra_max_interval"));
}

#[test]
fn mistakes_of_the_grammar_are_told_with_line_and_remedy() {
    for (text, expected) in [
        ("config oasis6\n\noptoin enabled 1\n", "line 3: error: there is no command 'optoin'; did you mean 'option'?"),
        (
            "config oasis6\nfoo\n",
            "line 2: error: there is no command 'foo'; begin the line with config, option or list",
        ),
        (
            "config oasis6\nconfig\n",
            "line 2: error: there is no command 'config'; 'config' wants a space and a word behind it",
        ),
        ("config oasis6\noption enabled 1 2\n", "line 2: error: '2' is one word too many; put the value in quotes"),
        (
            "config oasis6\noption\tra-min 1\n",
            "line 2: error: 'ra-min' can't be a name; use letters, digits and _ only",
        ),
        ("config 'a b'\n", "line 1: error: 'a b' can't be a section type; use printable ASCII"),
        ("config oasis6\noption \n", "line 2: error: a word is missing at the end; write config TYPE"),
        ("config oasis6\noption enabled '1\n\n\n", "line 2: error: a ' opened here is never closed; close it"),
        ("config oasis6\noption domain \"1\n\n\n", "line 2: error: a \" opened here is never closed; close it"),
        ("option enabled 1\nconfig oasis6\n", "line 1: error: this stands before the first section; write config"),
        (
            "config oasis6 x\nconfig lan x\noption device e\n",
            "line 2: error: line 1 has a section of this name but of another type",
        ),
        (
            "\u{feff}config oasis6\n",
            "line 1: error: there is no command '\\u{feff}config'; save the file as plain text",
        ),
        (
            "config oasis6\noption enabled 1; option domain x\n",
            "line 2: warning: what follows the ; is lost: 'option domain x'; put it on a line",
        ),
        ("config oasis6\n\0\0\0\n", "line 2: error: there is a NUL byte; the file was probably being written"),
    ] {
        let told = problem(text).to_string();
        assert!(told.starts_with(expected), "{text}\n  says {told}\n  not  {expected}");
    }
}

#[test]
fn after_a_mistake_of_the_grammar_nothing_is_said_to_be_missing() {
    // The open quote swallows the device; that must not be told as a second mistake.
    let told = problem("config oasis6\nconfig lan l\noption search 'x\noption device e\n");
    assert_eq!(told.line, 3);
}

#[test]
fn a_semicolon_that_loses_nothing_is_no_problem() {
    valid("config oasis6\noption enabled 1;\noption domain a; # b\noption log_level 'info'; option ula off\n");
}

#[test]
fn bytes_that_are_not_utf8_are_an_error_where_they_are_read_and_nothing_elsewhere() {
    let Reading { config, problems, .. } = read(b"config oasis6\n# \xff\noption domain '\xff'\n");
    assert_eq!(config, None);
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "line 3: error: oasis6 @oasis6[0], option 'domain': the value is not UTF-8 text; write it in ASCII"
    );
    let unread = read(b"config oasis6\noption colour '\xff'\n");
    assert!(unread.config.is_some());
    assert_eq!(unread.problems.len(), 1);
}

#[test]
fn a_file_that_is_too_large_is_refused_at_once() {
    let mut bytes = GOOD.as_bytes().to_vec();
    bytes.resize(MAX_FILE_SIZE, b'\n');
    assert!(read(&bytes).config.is_some());
    for size in [MAX_FILE_SIZE + 1, 10 << 20] {
        bytes.resize(size, b'\n');
        let Reading { config, problems, .. } = read(&bytes);
        assert_eq!(config, None);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].to_string(), "error: the file is larger than 1024 KiB; see that it is the right file");
    }
}

#[test]
fn problems_are_bounded() {
    for line in ["x\n", "config lan\n", "config lan x\nconfig oasis6 x\n", "option y\n"] {
        let text = line.repeat(MAX_FILE_SIZE / line.len());
        let Reading { config, problems, .. } = read(text.as_bytes());
        assert_eq!(config, None);
        assert_eq!(problems.len(), MAX_PROBLEMS + 1, "{line}");
        let last = problems.last().unwrap();
        assert!(last.message.ends_with("more problems are not shown"), "{last}");
    }
}

#[test]
fn lans_and_prefixes_are_bounded() {
    let lans = |count| (0..count).map(|i| format!("config lan l{i}\noption device d{i}\n")).collect::<String>();
    let prefixes = |count| {
        (0..count).map(|i| format!("config prefix p{i}\noption prefix 2001:db8:1:{i:x}::/64\n")).collect::<String>()
    };
    let config = valid(&format!("config oasis6\n{}{}", lans(MAX_LANS), prefixes(MAX_PREFIXES)));
    assert_eq!((config.lans.len(), config.prefixes.len()), (MAX_LANS, MAX_PREFIXES));
    for text in [lans(MAX_LANS + 1), prefixes(MAX_PREFIXES + 1)] {
        let told = problem(&format!("config oasis6\n{text}"));
        assert_eq!(told.line, 2 + 2 * 256);
        assert!(told.message.starts_with("there are more than 256 sections"), "{told}");
    }
}

/// A file full of one thing must not take time that grows with its square.
#[test]
fn a_full_file_is_read_in_good_time() {
    let hosts = |i: u32| {
        let [_, _, b, c] = i.to_be_bytes();
        let mac = format!("02:00:5e:00:{b:02x}:{c:02x}");
        format!(
            "config host\nlist mac {mac}\nlist address 2001:db8::{:x}\noption prefix 2001:db8:1:{i:x}::/64\n",
            i + 1
        )
    };
    let hosts: String = (0..10_000).map(hosts).collect();
    let options: String = (0..30_000).map(|i| format!("option ra_max_interval_{i} y\n")).collect();
    let lists: String = (0..50_000).map(|i| format!("list dns fd00::{i:x}\n")).collect();
    let started = std::time::Instant::now();
    assert_eq!(valid(&format!("config oasis6\n{hosts}")).hosts.len(), 10_000);
    assert!(read(format!("config oasis6\n{options}").as_bytes()).config.is_some());
    problem(&format!("config oasis6\nconfig lan l\noption device d\n{lists}"));
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn openwrt_interfaces_are_found() {
    let network = b"config interface 'loopback'\n\toption device 'lo'\n
config interface 'lan'\n\toption device 'br-lan'\n
config interface 'old'\n\toption type 'bridge'\n\toption ifname 'eth0 eth1'\n
config interface 'older'\n\toption ifname 'eth2 eth3'\n
config interface 'alias'\n\toption device '@lan'\n
config interface 'alias2'\n\toption ifname '@alias'\n
config interface 'loop'\n\toption device '@loop'\n
config interface 'a'\n\toption device '@b'\nconfig interface 'b'\n\toption device '@a'\n
config interface 'nowhere'\n\toption device '@gone'\n
config interface 'wan6'\n\toption proto 'dhcpv6'\n
config device\n\toption name 'br-lan'\n\toption type 'bridge'\n
config interface 'bad'\n\toption device '\xff'\n\toops\n
config interface 'last'\n\toption device 'eth9'\n";
    let found = interfaces(network);
    let found: Vec<_> = found.iter().map(|(name, device)| (name.as_str(), device.as_str())).collect();
    assert_eq!(
        found,
        [
            ("alias", "br-lan"),
            ("alias2", "br-lan"),
            ("lan", "br-lan"),
            ("last", "eth9"),
            ("loopback", "lo"),
            ("old", "br-old"),
            ("older", "eth2"),
        ]
    );
    assert!(interfaces(b"").is_empty());
}
