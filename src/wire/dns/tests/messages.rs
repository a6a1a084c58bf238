use crate::wire::dns::*;
use crate::wire::name::{MAX_NAME, NameError};
use std::cmp::Ordering;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// An answer as a name server on the Internet gives it: www.example.net is an alias of example.net.
const ANSWER: &[u8] = b"\x12\x34\x85\x80\0\x01\0\x02\0\0\0\x01\
    \x03www\x07example\x03net\0\0\x01\0\x01\
    \xc0\x0c\0\x05\0\x01\0\0\x0e\x10\0\x02\xc0\x10\
    \xc0\x10\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01\
    \0\0\x29\x04\xd0\0\0\x80\0\0\x0c\0\x0a\0\x08\x01\x02\x03\x04\x05\x06\x07\x08";

#[test]
fn an_answer_is_read() {
    let message = Message::parse(ANSWER).unwrap();
    let header = message.header;
    assert_eq!((header.id, header.response, header.opcode), (0x1234, true, Opcode::QUERY));
    assert!(header.authoritative && header.recursion_desired && header.recursion_available);
    assert!(!header.truncated && !header.authentic && !header.checking_disabled);
    assert_eq!((message.counts(), message.len()), ([1, 2, 0, 1], ANSWER.len()));
    let question = message.question().unwrap();
    assert_eq!(
        (question.name.to_string(), question.qtype, question.qclass),
        ("www.example.net.".into(), Type::A, Class::IN)
    );
    let answers: Vec<_> = message.answers().collect();
    assert_eq!(answers[0].rdata.target().unwrap(), name("EXAMPLE.net"));
    assert_eq!((answers[1].name.to_name(), answers[1].ttl), (name("example.net"), 60));
    assert_eq!(answers[1].rdata.a(), Some([192, 0, 2, 1].into()));
    assert_eq!(answers.iter().map(Record::offset).collect::<Vec<_>>(), [33, 47]);
    assert_eq!((message.authorities().count(), message.additionals().count()), (0, 1));
    let edns = message.edns().unwrap();
    assert_eq!((edns.udp_size, edns.version, edns.dnssec_ok), (1232, 0, true));
    assert_eq!(edns.option(OptionCode::COOKIE), Some(&[1, 2, 3, 4, 5, 6, 7, 8][..]));
    assert_eq!(edns.option(OptionCode::PADDING), None);
}

#[test]
fn the_same_answer_is_written() {
    let message = Message::parse(ANSWER).unwrap();
    let mut out = b"before".to_vec();
    let mut writer = Writer::new(&mut out, message.header, 512);
    let (www, net) = (name("www.example.net"), name("example.net"));
    assert!(writer.question(www.labels(), Type::A, Class::IN));
    assert!(writer.record(www.labels(), Type::CNAME, Class::IN, 3600, net.as_bytes()));
    assert!(writer.record(net.labels(), Type::A, Class::IN, 60, &[192, 0, 2, 1]));
    assert!(writer.edns(&message.edns().unwrap()));
    assert_eq!(writer.finish(), ANSWER.len());
    assert_eq!(&out[6..], ANSWER);
}

#[test]
fn whatever_is_cut_off_is_malformed() {
    for len in 0..ANSWER.len() {
        assert_eq!(Message::parse(&ANSWER[..len]).err(), Some(Malformed::Truncated), "{len} bytes");
    }
    let longer = [ANSWER, b"behind"].concat();
    assert_eq!(Message::parse(&longer).unwrap().len(), ANSWER.len());
}

/// A message with one question whose name has these bytes.
fn asking(bytes: &[u8]) -> Vec<u8> {
    [&b"\0\0\0\0\0\x01\0\0\0\0\0\0"[..], bytes, b"\0\x01\0\x01"].concat()
}

// MUST RFC 1035 §4.1.4: a pointer refers to a prior occurrence of a name; loops are refused
// MUST RFC 1035 §2.3.4: a label has 63 bytes at most, a name 255
#[test]
fn names_that_make_no_sense_are_malformed() {
    for (bytes, error) in [
        (&b"\xc0\x0c"[..], Malformed::Pointer),
        (b"\xc0\x0e", Malformed::Pointer),
        (b"\x01a\xc0\x0c", Malformed::Pointer),
        (b"\xff\xff", Malformed::Pointer),
        (b"\x40", Malformed::LabelType),
        (b"\x80", Malformed::LabelType),
    ] {
        assert_eq!(Message::parse(&asking(bytes)).err(), Some(error), "{bytes:02x?}");
    }
    let labels = |count: usize| b"\x01a".repeat(count);
    let longest = asking(&[labels(127), vec![0]].concat());
    assert_eq!(Message::parse(&longest).unwrap().question().unwrap().name.uncompressed_len(), MAX_NAME);
    for bytes in [labels(128), [labels(126), b"\x02aa".to_vec()].concat()] {
        assert_eq!(Message::parse(&asking(&[bytes, vec![0]].concat())).err(), Some(Malformed::Name));
    }
    // two questions, of which the second points into the first and gets too long by it
    let mut two = asking(&[labels(127), vec![0]].concat());
    two[5] = 2;
    two.extend(b"\x01a\xc0\x0c\0\x01\0\x01");
    assert_eq!(Message::parse(&two).err(), Some(Malformed::Name));
}

// MUST RFC 6891 §6.1.1: a message with two OPT records, or one not owned by the root, is malformed
#[test]
fn opt_stands_once_in_the_additional_section() {
    let opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0";
    let header = |answers: u8, additional: u8| [0, 0, 0, 0, 0, 0, 0, answers, 0, 0, 0, additional];
    assert!(Message::parse(&[&header(0, 1)[..], opt].concat()).unwrap().edns().is_some());
    for bytes in [
        [&header(0, 2)[..], opt, opt].concat(),
        [&header(1, 0)[..], opt].concat(),
        [&header(0, 1)[..], b"\x01a", opt].concat(),
        // an option that reaches past the end
        [&header(0, 1)[..], &opt[..10], b"\x05\0\x0a\0\x02\0"].concat(),
    ] {
        assert_eq!(Message::parse(&bytes).err(), Some(Malformed::Edns));
    }
}

// MUST RFC 6891 §6.2.3: sizes below 512 are treated as 512
#[test]
fn the_extended_rcode_has_twelve_bits() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, Header::query(7).reply(Rcode(Rcode::BADVERS.0 & 15)), 512);
    writer.edns(&Edns { extended_rcode: 1, ..Edns::new(100) });
    writer.finish();
    let message = Message::parse(&out).unwrap();
    assert_eq!((message.rcode(), message.header.rcode), (Rcode::BADVERS, Rcode::NOERROR));
    assert_eq!(message.edns().unwrap().size(), 512);
}

// MUST RFC 2181 §8: a TTL with the topmost bit set is treated as zero
#[test]
fn a_ttl_with_its_topmost_bit_set_is_zero() {
    let with =
        |ttl: [u8; 4]| [&b"\0\0\x80\0\0\0\0\x01\0\0\0\0\0\0\x01\0\x01"[..], &ttl, b"\0\x04\x01\x02\x03\x04"].concat();
    let ttl = |bytes: Vec<u8>| Message::parse(&bytes).unwrap().answers().next().unwrap().ttl;
    assert_eq!(ttl(with([0x7f, 255, 255, 255])), 0x7fff_ffff);
    assert_eq!(ttl(with([0x80, 0, 0, 1])), 0);
}

// MUST RFC 2181 §9: TC is set for records of an answer that don't fit, not for additional ones
#[test]
fn what_does_not_fit_is_left_out_whole() {
    let owner = name("host.lan");
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, Header::query(1).reply(Rcode::NOERROR), 100);
    writer.reserve(11);
    writer.question(owner.labels(), Type::AAAA, Class::IN);
    let mut added = 0;
    while writer.record(owner.labels(), Type::AAAA, Class::IN, 10, &[added; 16]) {
        added += 1;
    }
    assert!(writer.header.truncated);
    assert!(writer.edns(&Edns::new(1232)));
    let len = writer.finish();
    assert!(len <= 100 && len == out.len());
    let message = Message::parse(&out).unwrap();
    assert_eq!((message.answers().count(), message.counts()), (usize::from(added), [1, added.into(), 0, 1]));

    let mut writer = Writer::new(&mut out, Header::query(1).reply(Rcode::NOERROR), 30);
    writer.section(Section::Additional);
    assert!(!writer.record(owner.labels(), Type::AAAA, Class::IN, 10, &[1; 16]));
    assert!(!writer.header.truncated);
}

#[test]
fn names_order_canonically() {
    // RFC 4034 §6.1
    let ordered = [
        ".",
        "example",
        "a.example",
        "yljkjljk.a.example",
        "Z.a.example",
        "zABC.a.EXAMPLE",
        "z.example",
        "\\001.z.example",
        "*.z.example",
        "\\200.z.example",
    ];
    for (index, one) in ordered.iter().enumerate() {
        for (other_index, other) in ordered.iter().enumerate() {
            assert_eq!(name(one).cmp(&name(other)), index.cmp(&other_index), "{one} {other}");
        }
    }
    assert_eq!(name("A.b").cmp(&name("a.B.")), Ordering::Equal);
    assert_eq!(name("A.b"), name("a.B."));
    assert!(name("x.y.LAN").is_within(&name("y.lan")) && name("lan").is_within(&name("lan")));
    assert!(!name("xy.lan").is_within(&name("y.lan")) && !name("lan").is_within(&name("y.lan")));
    assert!(name("lan").is_within(&Name::root()));
}

#[test]
fn names_have_a_text_with_escapes() {
    for (text, bytes) in [
        (".", &b"\0"[..]),
        ("lan.", b"\x03lan\0"),
        ("Host-1.lan.", b"\x06Host-1\x03lan\0"),
        ("a\\.b\\\\c\\\"d\\;.lan.", b"\x08a.b\\c\"d;\x03lan\0"),
        ("\\000\\255\\032.", b"\x03\0\xff \0"),
        ("*.lan.", b"\x01*\x03lan\0"),
    ] {
        assert_eq!(Name::from_wire(bytes).unwrap().to_string(), text);
        let read = name(text);
        assert_eq!(read.as_bytes(), bytes);
    }
    assert_eq!(name("host.lan").as_bytes(), name("host.lan.").as_bytes());
    for (text, error) in [
        ("", NameError::Empty),
        ("..", NameError::EmptyLabel),
        (".a", NameError::EmptyLabel),
        ("a..b", NameError::EmptyLabel),
        ("a\\", NameError::Character),
        ("a\\25", NameError::Character),
        ("a\\256", NameError::Character),
        (&"a".repeat(64), NameError::LongLabel),
        (&"a.".repeat(128), NameError::LongName),
    ] {
        assert_eq!(text.parse::<Name>().err(), Some(error), "{text}");
    }
}

#[test]
fn an_address_has_a_reverse_name() {
    assert_eq!(Name::reverse("192.0.2.10".parse().unwrap()).to_string(), "10.2.0.192.in-addr.arpa.");
    assert_eq!(
        Name::reverse("2001:db8::567:89ab".parse().unwrap()).to_string(),
        "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
    );
}

#[test]
fn rdata_has_a_text() {
    let origin = name("lan");
    for (rtype, text, rdata) in [
        (Type::A, "192.0.2.1", b"\xc0\0\x02\x01".to_vec()),
        (Type::AAAA, "2001:db8::1", [&b"\x20\x01\x0d\xb8"[..], &[0; 11], b"\x01"].concat()),
        (Type::CNAME, "host.lan.", b"\x04host\x03lan\0".to_vec()),
        (Type::MX, "10 mail.lan.", b"\0\x0a\x04mail\x03lan\0".to_vec()),
        (Type::SRV, "0 5 5060 sip.lan.", b"\0\0\0\x05\x13\xc4\x03sip\x03lan\0".to_vec()),
        (Type::TXT, "\"a b\" \"\\\"\\200\"", b"\x03a b\x02\"\xc8".to_vec()),
        (Type(65_400), "\\# 3 0102ff", b"\x01\x02\xff".to_vec()),
        (Type(65_400), "\\# 0", Vec::new()),
    ] {
        assert_eq!(RdataText(Rdata::new(rtype, &rdata)).to_string(), text);
        assert_eq!(parse_rdata(rtype, text, &origin), Some(rdata), "{text}");
    }
    let soa = soa_rdata(&name("ns.lan"), &name("root.lan"), [1, 2, 3, 4, 5]);
    assert_eq!(parse_rdata(Type::SOA, "ns root 1 2 3 4 5", &origin), Some(soa.clone()));
    assert_eq!(RdataText(Rdata::new(Type::SOA, &soa)).to_string(), "ns.lan. root.lan. 1 2 3 4 5");
    assert_eq!(parse_rdata(Type::TXT, "plain words", &origin), Some(b"\x05plain\x05words".to_vec()));
    assert_eq!(parse_rdata(Type::A, "\\# 4 c0000201", &origin), Some(b"\xc0\0\x02\x01".to_vec()));
    for (rtype, text) in [
        (Type::A, "192.0.2"),
        (Type::A, "192.0.2.1 1"),
        (Type::A, "\\# 3 c00002"),
        (Type::TXT, ""),
        (Type::TXT, "\"open"),
        (Type::SRV, "0 0 sip.lan."),
        (Type::MX, "70000 mail"),
        (Type::HTTPS, "1 . alpn=h2"),
    ] {
        assert_eq!(parse_rdata(rtype, text, &origin), None, "{text}");
    }
}

// MUST RFC 3597 §4: compressed names are expanded in RDATA of the types listed there; only those of RFC 1035 are compressed
#[test]
fn names_in_rdata_are_expanded_and_only_the_oldest_are_compressed() {
    let target = name("host.lan");
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, Header::query(1), 512);
    assert!(writer.record(target.labels(), Type::NS, Class::IN, 1, target.as_bytes()));
    let before = writer.len();
    let srv = srv_rdata(1, 2, 3, &target);
    assert!(writer.record(target.labels(), Type::SRV, Class::IN, 1, &srv));
    assert_eq!(writer.len() - before, 12 + srv.len());
    writer.finish();
    let message = Message::parse(&out).unwrap();
    let ns = message.answers().next().unwrap().rdata;
    assert_eq!(ns.bytes(), b"\xc0\x0c");
    let mut expanded = Vec::new();
    ns.expand(&mut expanded).unwrap();
    assert_eq!(expanded, target.as_bytes());
    // an SRV that somebody compressed all the same
    let head = &b"\0\0\0\0\0\0\0\x01\0\0\0\0\x03lan\0"[..];
    let bytes = [head, b"\0\x21\0\x01\0\0\0\x01\0\x0d\0\0\0\0\0\0\x04host\xc0\x0c"].concat();
    let record = Message::parse(&bytes).unwrap().answers().next().unwrap();
    assert_eq!(record.rdata.srv().unwrap().target, target);
    expanded.clear();
    record.rdata.expand(&mut expanded).unwrap();
    assert_eq!(expanded, srv_rdata(0, 0, 0, &target));
}

#[test]
fn rdata_is_checked() {
    for (rtype, rdata, fine) in [
        (Type::A, &b"\x01\x02\x03\x04"[..], true),
        (Type::A, b"\x01\x02\x03", false),
        (Type::AAAA, &[0; 15], false),
        (Type::TXT, b"", false),
        (Type::TXT, b"\0", true),
        (Type::TXT, b"\x02a", false),
        (Type::HINFO, b"\x01a\x01b", true),
        (Type::HINFO, b"\x01a", false),
        (Type::NS, b"\x01a\0", true),
        (Type::NS, b"\x01a\0\0", false),
        (Type::NS, b"\xc0\0", false),
        (Type(14), b"\x01a\0\x01b\xc0\0", false),
        (Type(65_400), b"", true),
    ] {
        assert_eq!(check(rtype, rdata).is_ok(), fine, "{rtype} {rdata:02x?}");
    }
    let mut rdata = srv_rdata(0x4142, 2, 0x5a5a, &name("HOST.Lan"));
    lower_names(Type::SRV, &mut rdata);
    assert_eq!(rdata, srv_rdata(0x4142, 2, 0x5a5a, &name("host.lan")));
}

#[test]
fn numbers_have_names() {
    assert_eq!(Type::AAAA.to_string(), "AAAA");
    assert_eq!(Type(65_280).to_string(), "TYPE65280");
    assert_eq!(Type::from_text("aaaa"), Some(Type::AAAA));
    assert_eq!(Type::from_text("TYPE28"), Some(Type::AAAA));
    for text in ["TYPE", "TYPE+1", "TYPE65536", "AAAAA", ""] {
        assert_eq!(Type::from_text(text), None);
    }
    assert_eq!(Class::from_text("CLASS1"), Some(Class::IN));
    assert_eq!(Rcode(3841).to_string(), "RCODE3841");
}

#[test]
fn a_message_of_many_names_is_read_as_it_was_written() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, Header::query(1), MAX_TCP);
    let names: Vec<Name> = (0..1500).map(|n| name(&format!("host{n}.sub{}.Lan", n % 7))).collect();
    for each in &names {
        assert!(writer.record(each.labels(), Type::PTR, Class::IN, 1, each.as_bytes()));
    }
    let len = writer.finish();
    assert!(len < MAX_TCP && len == out.len());
    for (record, name) in Message::parse(&out).unwrap().answers().zip(&names) {
        assert_eq!((record.name.to_name(), record.rdata.target().unwrap().to_name()), (name.clone(), name.clone()));
    }
}
