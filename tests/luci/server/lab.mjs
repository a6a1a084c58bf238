// The lab of lab.sh as an object, the router in it, and all that serves its pages.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pages } from './pages.mjs';
import { Router } from './router.mjs';
import { readAcl, Rpcd } from './rpcd.mjs';

const repository = join(import.meta.dirname, '../../..');

export class Lab {
	#answers = [];

	// Starts it. options: program, a path of oasis6; luci: a checkout of LuCI, or nothing; app; language; port; rollback in seconds
	static async start(options = {}) {
		const lab = new Lab();
		const app = options.app ?? join(repository, 'luci-app');
		lab.folder = mkdtempSync(join(tmpdir(), 'oasis6-luci-etc.'));
		lab.configs = join(lab.folder, 'config');
		// the daemon warns of one below /tmp
		lab.state = join(repository, 'target/luci', `state-${process.pid}`);
		mkdirSync(lab.configs);
		mkdirSync(lab.state, { recursive: true });
		const program = options.program ?? join(repository, 'target/release/oasis6');
		lab.#shell(program);
		const ready = await lab.#line();
		if (!ready.startsWith('ready '))
			throw new Error(ready);
		Object.assign(lab, JSON.parse(ready.slice(6)));
		lab.reset();
		lab.router = new Router({ program, socket: join(lab.work, 'run/oasis6.sock'), log: join(lab.work, 'oasis6.log'),
			reload: () => lab.tell('reload_daemon') });
		const acls = [join(repository, 'files/usr/share/rpcd/acl.d'), join(app, 'root/usr/share/rpcd/acl.d')];
		const acl = readAcl([...acls, join(import.meta.dirname, '../host/acl.d')]);
		lab.rpcd = new Rpcd({ configs: lab.configs, acl, router: lab.router, rollback: options.rollback ?? 90 });
		const po = join(app, 'po', options.language ?? 'en');
		lab.pages = new Pages({ app, luci: options.luci, rpcd: lab.rpcd, language: options.language ?? 'en',
			po: options.language ? readdirSync(po).map(name => join(po, name)) : [] });
		lab.origin = await lab.pages.listen(options.port);
		return lab;
	}

	#shell(program) {
		this.shell = spawn(join(import.meta.dirname, '../lab.sh'), [program, this.configs], { stdio: ['pipe', 'pipe', 'inherit'] });
		this.ended = new Promise(done => this.shell.on('exit', done));
		const lines = createInterface(this.shell.stdout);
		lines.on('line', line => this.#answers.shift()?.(line));
		lines.on('close', () => this.#answers.forEach(answer => answer('failed the lab ended')));
	}

	#line() {
		return new Promise(answer => this.#answers.push(answer));
	}

	// A fresh configuration: as the package installs it, but with its folders in the lab.
	reset(more = '') {
		writeFileSync(join(this.configs, 'network'), "config interface 'lan'\n\toption device 'br-lan'\n\toption proto 'static'\n\n" +
			"config interface 'wan'\n\toption device 'wan4'\n\toption proto 'dhcp'\n\nconfig interface 'wan6'\n\toption device 'wanb'\n\toption proto 'dhcpv6'\n");
		writeFileSync(join(this.configs, 'oasis6'), `config oasis6 'globals'\n\toption enabled '1'\n\toption state_dir '${this.state}'\n` +
			`\toption run_dir '${this.work}/run'\n\toption log_level 'debug'\n\nconfig lan 'lan'\n\toption interface 'lan'\n${more}`);
		for (const config of ['firewall', 'dhcp', 'system', 'luci'])
			writeFileSync(join(this.configs, config), '');
	}

	// A command of lab.sh. Resolves to what it printed; rejects when it failed.
	async tell(...words) {
		this.shell.stdin.write(`${words.join(' ')}\n`);
		const [state, ...said] = (await this.#line()).split(' ');
		if (state != 'ok')
			throw new Error(`${words[0]}: ${said.join(' ')}`);
		return said.join(' ').trim();
	}

	// The broker takes the key of a WireGuard uplink that the daemon made.
	async admit(uplink) {
		const { uplinks } = await this.until('uplinks', answer => answer?.uplinks?.some(({ name, public_key }) => name == uplink && public_key));
		await this.tell('admit', uplinks.find(({ name }) => name == uplink).public_key);
	}

	// Until the daemon's answer to `method` is as wanted.
	async until(method, wanted, seconds = 10) {
		for (const end = Date.now() + seconds * 1000; ;) {
			const [, answer] = await this.router.call('oasis6', method, {});
			if (wanted(answer))
				return answer;
			if (Date.now() > end)
				throw new Error(`${method} does not become as wanted within ${seconds} s: ${JSON.stringify(answer)?.slice(0, 2000)}`);
			await new Promise(done => setTimeout(done, 100));
		}
	}

	async stop() {
		this.pages?.close();
		this.shell.stdin.end();
		await this.ended;
		for (const folder of [this.folder, this.state].filter(Boolean))
			rmSync(folder, { recursive: true, force: true });
	}
}
