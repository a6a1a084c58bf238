//! IPv6 for any network: what a router announces, delegates and routes, decided in pure rooms and carried out in one place.
//!
//! # The way of the data
//!
//! ```text
//! /etc/config/oasis6 ─► config::uci ─► config::read ─► Config ───┐                              pure
//!                       (sections)     (schema, checks)          ▼
//! kernel::linux ─► Change ─► plan::Actual ─► plan::Facts ─► plan::desired() ─► Desired          pure
//!       ▲                         │              ▲               │    │    │
//!       │                         └► plan::diff() ◄── objects ───┘    │    │                    pure
//!       │                              │ [Op]    │                    │    │
//!       └── Kernel::apply ◄────────────┘         │ delegations   ra::Config, dhcp6::Config
//!           the one writer                       │                    ▼    ▼
//! sockets ─► daemon ─► router::Router ── Event + now ──► proto::ra::Advertiser, proto::dhcp6::Server
//!    ▲         │  ▲                                                   │ Action
//!    └─ send ◄─┘  └────────── router::Action ◄────────────────────────┘
//!              └─► store: bindings before the reply that promises them; ULA, DUID, served prefixes
//! control socket, ubus ◄── router::status ──► oasis6 status, leases, plan, monitor; LuCI
//! uplinks' sockets ─► ra::host, dhcp6::client, uplink::Watch ─► router::uplinks ─► uplink::Choice ─► plan::Facts
//! netifd ─► ubus ─► devices of interfaces, prefixes it has, shares it gave ─► router::uplinks, plan::Facts
//! ```
//!
//! # The layer rule
//!
//! Arrows point inward. `net wire proto config plan router sim` have no I/O, no async, no clock, no globals, no randomness of
//! their own; `store` and `kernel` are pure but for `disk`, `linux` and `socket`. `cargo check --lib
//! --no-default-features` builds the pure part alone and so proves it.
//!
//! # Where do I change what?
//!
//! | to change … | look in … |
//! |---|---|
//! | an option: name, default, range, help | `config/schema/`, and checks across options in `config/read/` |
//! | which /64 a LAN gets, which addresses and routes exist, when we are a default router | `plan/` |
//! | what may pass between uplinks and LANs, and where pinholes lead | `plan/guard.rs`, `plan/pinholes.rs`; the rules: `kernel/nft/text.rs` |
//! | when a router advertisement is sent | `proto/ra/` |
//! | what a DHCPv6 client is answered | `proto/dhcp6/` |
//! | what is learnt from an uplink's routers, and asked of its DHCPv6 server | `proto/ra/host/`, `proto/dhcp6/client/` |
//! | whether an uplink works, and which one is used | `proto/uplink/` |
//! | who is called what, and what stands in the zones | `proto/names/`; when it is made anew: `router/naming.rs` |
//! | what each type of uplink gives | `router/uplinks/` |
//! | bytes on the wire | `wire/` |
//! | what survives kill -9, a reboot, a power cut | `store/` |
//! | how the kernel is read and changed; sockets | `kernel/` |
//! | tunnel devices | `plan/device.rs` (what they are), `kernel/linux/devices.rs` and `generic.rs` (how they are made) |
//! | what happens in which order in one turn | `router/mod.rs` (decides), `router/hands.rs` (in order), `daemon/mod.rs` (does it) |
//! | a life in virtual time, and what must be true in it | `sim/` |
//! | what OpenWrt's bus carries: methods, events, netifd's word | `ubus/` (bytes, conversation), `daemon/bus.rs` |
//! | what `status` shows | `router/status.rs` (JSON), `control/show/` (text) |
//! | a command | `command.rs` |

#[cfg(feature = "daemon")]
pub mod command;
pub mod config;
pub mod control;
#[cfg(feature = "daemon")]
pub mod daemon;
pub mod kernel;
pub mod net;
pub mod plan;
pub mod proto;
pub mod router;
pub mod sim;
pub mod store;
pub mod ubus;
pub mod wire;
