use super::program::Program;
use super::text::{self, FIREWALL4, Firewall4, Found, HOST_SET, PINHOLES, STRAYS, TABLE};
use crate::kernel::Refusal;
use crate::plan::Filter;
use crate::plan::guard::{Guard, Mode};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::Ipv6Addr;
use std::sync::Arc;

/// The packet filter of the network namespace that this process is in.
#[derive(Debug, Default)]
pub struct Nft {
    /// What was put last.
    put: Option<Arc<Guard>>,
    /// What stands, as of the last look.
    found: Found,
    /// Hash of the listing at the first look after `put`.
    listing: Option<u64>,
    /// The kernel can't answer strays.
    without_strays: bool,
}

impl Nft {
    /// What stands. Without `nft`, or the right to ask it, nothing does.
    pub fn read(&mut self) -> Filter {
        let listing = Program::find().and_then(|program| self.look(&program));
        let listing = listing.unwrap_or_else(|refusal| {
            log::debug!("can't read the packet filter: {refusal}");
            self.found = Found::default();
            None
        });
        let put = self.put.as_ref().filter(|put| self.found.fingerprint == Some(text::fingerprint(put)));
        let guard = listing.map(|listing| match put {
            Some(put) if *self.listing.get_or_insert(listing) == listing => put.clone(),
            _ => Arc::default(),
        });
        let declared = |firewall4: &Firewall4| {
            firewall4.hosts.iter().filter(|(_, ours)| !**ours).map(|(host, _)| host.clone()).collect()
        };
        Filter { guard, firewall4: self.found.firewall4.as_ref().map(declared) }
    }

    /// Finds out what stands, and gives the hash of how `nft` lists what is ours, if something is.
    fn look(&mut self, program: &Program) -> Result<Option<u64>, Refusal> {
        let tables = program.run(&[], "list tables\n")?;
        self.found = Found { table: text::has_table(&tables, TABLE), ..Found::default() };
        let mut listed = String::new();
        let mut marked = None;
        if text::has_table(&tables, FIREWALL4) {
            // without the elements of its sets, which may be very many
            let firewall4 = program.run(&["-t"], &format!("list table {FIREWALL4}\n"))?;
            let firewall4 = text::read_firewall4(&firewall4);
            if firewall4.chain {
                let chain = program.run(&["-s", "-n"], &format!("list chain {FIREWALL4} {PINHOLES}\n"))?;
                marked = text::read_mark(&chain);
                listed += &chain;
            }
            for host in firewall4.hosts.keys() {
                listed += &program.run(&["-s", "-n"], &format!("list set {FIREWALL4} {HOST_SET}{host}\n"))?;
            }
            self.found.firewall4 = Some(firewall4);
        }
        if text::has_table(&tables, STRAYS) {
            let strays = program.run(&["-s", "-n"], &format!("list table {STRAYS}\n"))?;
            self.found.strays = Some(text::read_state(&strays).unwrap_or(Ipv6Addr::UNSPECIFIED));
            listed += &strays;
        }
        if !self.found.table && marked.is_none() && self.found.strays.is_none() {
            return Ok(None);
        }
        if self.found.table {
            let table = program.run(&["-s", "-n"], &format!("list table {TABLE}\n"))?;
            let state = text::read_state(&table);
            let whole = self.found.firewall4.as_ref().is_none_or(|firewall4| !firewall4.chain) || marked == state;
            self.found.fingerprint = state.filter(|_| whole);
            listed += &table;
        }
        let mut hasher = DefaultHasher::new();
        listed.hash(&mut hasher);
        Ok(Some(hasher.finish()))
    }

    /// Makes everything as `guard` says, in one step. Refused where there is no `nft`, or it refuses; what stood before
    /// stands then.
    pub fn put(&mut self, guard: &Arc<Guard>) -> Result<(), Refusal> {
        let program = Program::find()?;
        if self.put.is_none() {
            self.read();
        }
        // somebody else may have changed something since the last look
        if let Err(first) = self.write(&program, guard) {
            self.put = None;
            self.read();
            self.write(&program, guard).map_err(|_| first)?;
        }
        let loaded = self.found.firewall4.as_ref().is_none_or(|firewall4| firewall4.chain);
        if text::needs_firewall4(guard) && !loaded {
            return Err(Refusal {
                errno: Errno::ENOENT as i32,
                message: "firewall4 has not loaded our chain oasis6_pinholes, so pinholes and tunnels of ours stay \
                          closed; run `fw4 reload`"
                    .into(),
            });
        }
        Ok(())
    }

    fn write(&mut self, program: &Program, guard: &Arc<Guard>) -> Result<(), Refusal> {
        let wanted = text::fingerprint(guard);
        // a process before this one put it
        let adopted = self.put.is_none() && self.found.fingerprint == Some(wanted);
        if !adopted {
            let known = self.put.as_ref().filter(|put| self.found.fingerprint == Some(text::fingerprint(put)));
            let mut script = known.and_then(|before| text::update(before, guard)).unwrap_or_else(|| text::whole(guard));
            if let Some(firewall4) = &self.found.firewall4 {
                script += &text::firewall4(guard, firewall4);
            }
            program.run(&[], &script)?;
        }
        let (holds, strays) = text::strays(guard, |device| if_nametoindex(device).is_ok());
        if self.found.strays != Some(holds) && !self.without_strays {
            let done = program.run(&[], &strays).map_err(|refusal| log::debug!("{refusal}"));
            self.found.strays = done.is_ok().then_some(holds);
            // a device may have gone just now; a kernel that can't is right otherwise
            self.without_strays = done.is_err() && program.run(&["-c"], text::STRAYS_TRIAL).is_err();
            if self.without_strays {
                log::info!("hosts whose source leads back nowhere get no answer: the kernel lacks nft_reject_netdev");
            }
        }
        self.put = Some(guard.clone());
        self.listing = None;
        self.found.table = true;
        self.found.fingerprint = Some(wanted);
        if let (Some(firewall4), Mode::Firewall4) = (&mut self.found.firewall4, guard.mode) {
            firewall4.hosts.retain(|host, ours| !*ours || guard.hosts.contains_key(host));
            for hole in &guard.holes {
                firewall4.hosts.or_insert(hole.host.clone(), true);
            }
        }
        Ok(())
    }

    /// Takes everything of ours out. Refused as by [`Nft::put`].
    pub fn remove(&mut self) -> Result<(), Refusal> {
        let program = Program::find()?;
        self.look(&program)?;
        let script = text::removal(&self.found);
        if !script.is_empty() {
            program.run(&[], &script)?;
        }
        *self = Nft::default();
        Ok(())
    }
}
