//! The packet filter: a [`Guard`] put into nftables by the program `nft`, in one step each time.
//!
//! ```text
//! Guard ─► text::whole, text::update, text::firewall4 ─► nft -f ─► table inet oasis6; set elements in table inet fw4
//! Nft::read ◄─ nft list …  ─► plan::Filter
//! Watch::changed ◄─ netlink: somebody changed the rules; read again
//! ```
//!
//! # Ours and theirs
//!
//! The table `inet oasis6` is ours. In firewall4's table ours are the rules of the chain `oasis6_pinholes`, which our file
//! in /usr/share/nftables.d makes and jumps to, and the sets `o6_NAME` that carry the comment `oasis6`; in a set of that
//! name that the owner declared only the elements are. Nothing else is touched.
//!
//! # What is there
//!
//! The only element of the set `state` is a hash of everything that was put, so that after a restart what stands is known
//! again and not written again. That nobody changed it since is known from a hash of the listing, taken at the first
//! reading after it was put. What is not as it was put is read as the default [`Guard`], which no plan wants, and so is
//! put again.

#[cfg(feature = "daemon")]
mod filter;
#[cfg(feature = "daemon")]
mod program;
#[cfg(test)]
mod tests;
#[cfg_attr(not(feature = "daemon"), allow(dead_code))]
mod text;
#[cfg(feature = "daemon")]
mod watch;

#[cfg(feature = "daemon")]
pub use filter::Nft;
#[cfg(feature = "daemon")]
pub use watch::Watch;
