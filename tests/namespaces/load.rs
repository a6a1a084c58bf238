//! Many DHCPv6 clients at once: the load generator of the benches.

use super::bed::Bed;
use super::netns::{Namespace, Process};
use std::collections::BTreeMap;
use std::process::Command;

/// What `d6load` says its clients hold, and a generator that runs.
pub(crate) struct Load {
    process: Process,
}

impl Load {
    /// Starts it in a host's namespace, on eth0, with these options (see the source).
    pub(crate) fn start(bed: &Bed, host: &Namespace, options: &str) -> Load {
        let program = bed.folder.join("d6load");
        if !program.exists() {
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/d6load.c");
            let mut compiler = Command::new("cc");
            let built = compiler.args(["-std=gnu11", "-O2", "-o"]).arg(&program).arg(source).output();
            let built = built.expect("a C compiler");
            assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        }
        let held = bed.folder.join("held");
        let script = format!("exec {} eth0 {options} -o {}", program.display(), held.display());
        Load { process: host.spawn(&script, &bed.folder.join("d6load.log")) }
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Every binding that the router acknowledged to a client is in the router's list, as that client's; how many.
    pub(crate) fn is_remembered_by(&self, bed: &Bed) -> usize {
        let answer = bed.ask("leases");
        let leases = answer["leases"].as_array().expect("a list");
        let kept: BTreeMap<&str, String> = leases
            .iter()
            .map(|lease| {
                let text = |name: &str| lease[name].as_str().expect("a text");
                (text("resource"), text("duid").replace(':', "").to_lowercase())
            })
            .collect();
        let held = bed.folder.read("held");
        let acknowledged: Vec<(&str, &str)> = held.lines().filter_map(|line| line.split_once(' ')).collect();
        for (duid, resource) in &acknowledged {
            let resource = resource.strip_suffix("/128").unwrap_or(resource);
            let owner = kept.get(resource).map(String::as_str);
            assert_eq!(owner, Some(*duid), "{resource} was acknowledged, and is lost\n{}", bed.log());
        }
        acknowledged.len()
    }
}
