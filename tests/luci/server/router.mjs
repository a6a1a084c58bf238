// The router behind the page: `oasis6` is the daemon itself, asked over its control socket; the little that pages ask of
// other objects is played.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const OK = 0, METHOD_NOT_FOUND = 3, TIMEOUT = 7, UNKNOWN = 9;

// One request over the control socket. Resolves to { result } or { error }; rejects when nobody listens.
function ask(path, method, params) {
	return new Promise((resolve, reject) => {
		let text = '';
		const socket = connect(path, () => socket.write(`${JSON.stringify({ method, params })}\n`));
		socket.setTimeout(10000, () => socket.destroy(new Error('timeout')));
		socket.on('error', reject).on('end', () => reject(new Error('closed'))).on('data', piece => {
			text += piece;
			if (text.endsWith('\n')) {
				socket.destroy();
				resolve(JSON.parse(text));
			}
		});
	});
}

// An OpenWrt router as its other objects tell of it.
function played(log, running) {
	const device = (name, type) => ({ name, type, up: true, devtype: type, flags: { up: true }, ipaddrs: [], ip6addrs: [], stats: {} });
	const face = (name, l3, proto) => ({ interface: name, up: true, pending: false, available: true, autostart: true, dynamic: false,
		uptime: 60, proto, device: l3, l3_device: l3, metric: 0, data: {}, 'ipv4-address': [], 'ipv6-address': [], 'ipv6-prefix': [],
		'ipv6-prefix-assignment': [], route: [], 'dns-server': [], 'dns-search': [] });
	return {
		luci: {
			getFeatures: () => ({ firewall: true, firewall4: true, odhcpd: true, ipv6: true, dnsmasq: {}, br2684ctl: false }),
			getInitList: () => ({ oasis6: { index: 40, enabled: true } }),
		},
		'luci-rpc': {
			getBoardJSON: () => ({ model: { id: 'test', name: 'Test' }, network: { lan: { device: 'br-lan', protocol: 'static' } } }),
			getNetworkDevices: () => Object.fromEntries([['br-lan', 'bridge'], ['wan4', 'ethernet'], ['wana', 'ethernet'], ['wanb', 'ethernet']]
				.map(([name, type]) => [name, device(name, type)])),
			getWirelessDevices: () => ({}),
			getHostHints: () => ({ '02:00:00:00:00:01': { name: 'pc', ipaddrs: ['192.168.1.10'], ip6addrs: [] } }),
		},
		'network.interface': { dump: () => ({ interface: [face('lan', 'br-lan', 'static'), face('wan', 'wan4', 'dhcp'), face('wan6', 'wanb', 'dhcpv6')] }) },
		network: { get_proto_handlers: () => ({ static: { no_device: false }, dhcp: { no_device: false }, none: {} }) },
		'network.device': { status: () => ({}) },
		system: { board: () => ({ hostname: 'OpenWrt', model: 'Test', release: { distribution: 'OpenWrt' } }), info: () => ({ localtime: Math.floor(Date.now() / 1000) }) },
		log: { read: ({ lines = 100 }) => ({ log: log().slice(-lines).map((msg, id) => ({ id, msg: `oasis6: ${msg}`, priority: 30, source: 0, time: Date.now() })) }) },
		file: {
			exec: ({ command }) => command == '/sbin/logread' ? { code: 0, stdout: log().map(line => `Wed Nov 25 04:50:00 2026 daemon.info oasis6[1]: ${line}\n`).join('') } : { code: 127 },
			list: () => ({ entries: [] }), stat: () => ({}),
		},
		rc: { list: () => ({ oasis6: { start: 40, enabled: true, running: running() } }) },
		service: { list: () => ({ oasis6: { instances: { instance1: { running: running() } } } }) },
	};
}

export class Router {
	// socket: of the daemon; log: path of its log; reload: applies the files; substitute: method → function that answers
	// instead of the daemon (for tests of many rows), given the daemon's own answer
	constructor({ socket, log, reload, program }) {
		this.socket = socket;
		this.program = program;
		this.reload = reload;
		this.substitute = {};
		// what procd would say
		this.running = true;
		this.objects = played(() => {
			try {
				return readFileSync(log, 'utf8').trimEnd().split('\n');
			}
			catch {
				return [];
			}
		}, () => this.running);
	}

	// What the app's rpcd script does.
	#script(method, { config, uplink }) {
		const words = method == 'key' ? ['key', '--json', uplink] : [method, '--json', '--config', '-'];
		return new Promise(done => {
			let text = '';
			const child = spawn(this.program, words, { stdio: ['pipe', 'pipe', 'ignore'] });
			child.stdout.on('data', piece => { text += piece; });
			child.on('close', () => {
				try {
					done([OK, JSON.parse(text)]);
				}
				catch {
					done([UNKNOWN]);
				}
			});
			child.stdin.end(config ?? '');
		});
	}

	async has(object) {
		if (object == 'luci.oasis6')
			return true;
		if (object != 'oasis6')
			return object in this.objects;
		try {
			await ask(this.socket, 'status', {});
			return true;
		}
		catch {
			return false;
		}
	}

	async call(object, method, params) {
		if (object == 'luci.oasis6')
			return ['check', 'plan', 'key'].includes(method) ? this.#script(method, params) : [METHOD_NOT_FOUND];
		if (object != 'oasis6') {
			const does = this.objects[object][method];
			return does ? [OK, does(params)] : [METHOD_NOT_FOUND];
		}
		try {
			const { result, error } = await ask(this.socket, method, params);
			if (error)
				return [error.code == 'method' ? METHOD_NOT_FOUND : UNKNOWN, { error }];
			const replace = this.substitute[method];
			return [OK, replace ? replace(result) : result];
		}
		catch {
			return [TIMEOUT];
		}
	}
}
