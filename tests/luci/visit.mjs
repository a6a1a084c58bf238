// visit.mjs : a scripted visit of the app's pages in a real browser, with a real daemon behind them. As root.
// OASIS6=path of the program, LUCI=checkout of LuCI in place of our host page. Pictures go to target/luci/.
//
// Prints a line for each thing that held or did not, and VALUE lines with what was measured.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { launch, open, url } from './browser.mjs';
import { Lab } from './server/lab.mjs';

const HOSTILE = '<img src=x onerror=window.hurt=1>';
const pictures = join(import.meta.dirname, '../../target/luci', process.env.LUCI ? 'luci' : 'host');
const VIEWS = ['overview', 'settings', 'diagnose'];
let failed = 0;

function held(what, truth, detail = '') {
	console.log(`  ${truth ? 'ok    ' : 'FAILED'} ${what}${truth || !detail ? '' : `: ${detail}`}`);
	failed += truth ? 0 : 1;
}

const headline = page => page.locator('.o6-headline').innerText();

// A tab on a view, once that is drawn.
async function visit(browser, lab, view, look = {}) {
	const tab = await open(browser, lab, look);
	await tab.page.goto(url(lab, view));
	await tab.page.waitForSelector('#view > :not(.spinning)');
	return tab;
}

// The daemon's answer with so many leases more, the first of a host with a hostile name.
const more = count => answer => ({ ...answer, leases: [...answer.leases, ...Array.from({ length: count }, (_, n) => ({
	lan: 'lan', resource: `fd00::${(n + 1).toString(16)}`, hostname: n ? `host-${n}` : HOSTILE, duid: `0003000102000000${n.toString(16).padStart(4, '0')}`,
	iaid: n, kind: 'address', valid: 3600, preferred: 1800, renewed: 0 }))] });

async function showsTheUplink(browser, lab) {
	const { page, context, faults } = await visit(browser, lab, 'overview');
	await page.waitForFunction(() => /isp/.test(document.querySelector('.o6-headline')?.innerText));
	held('the headline names the uplink in use', true);
	held('the uplink stands in a table', await page.getByRole('cell', { name: 'isp', exact: true }).count() > 0);
	const before = await headline(page);
	await lab.tell('cut_off', 'b', 'link');
	const start = Date.now();
	const changed = await page.waitForFunction(text => document.querySelector('.o6-headline').innerText != text, before, { timeout: 5000 }).then(() => true, () => false);
	held(`an uplink that breaks changes the headline within 5 s`, changed, await headline(page));
	console.log(`VALUE luci_break_seen_ms ${Date.now() - start}`);
	console.log(`         "${before.trim()}" → "${(await headline(page)).trim()}"`);
	await lab.tell('mend', 'b');
	await lab.until('uplinks', ({ uplinks }) => uplinks.find(({ name }) => name == 'isp').state == 'up', 30);
	held('the visit left no error, and asked no one else', !faults.length, faults.join('\n'));
	await context.close();
}

async function hostileNames(browser, lab) {
	lab.router.substitute.leases = more(3);
	const { page, context, faults } = await visit(browser, lab, 'overview');
	await page.waitForFunction(name => document.body.innerText.includes(name), HOSTILE, { timeout: 10000 });
	held('a hostile host name is shown as text', await page.locator('#view img').count() == 0 && !await page.evaluate(() => window.hurt));
	held('it caused no error and no request', !faults.length, faults.join('\n'));
	delete lab.router.substitute.leases;
	await context.close();
}

async function sessionEnds(browser, lab) {
	const { page, context } = await visit(browser, lab, 'overview');
	lab.rpcd.expire();
	await page.getByText(/new login is required/).waitFor({ timeout: 20000 });
	held("a session that ran out leads to LuCI's login", true);
	await page.locator('.modal .btn.primary').click();
	held('the login asks for a password', await page.locator('input[type=password]').first().waitFor({ timeout: 5000 }).then(() => true, () => false));
	await context.close();
}

async function daemonStops(browser, lab) {
	const { page, context, faults } = await visit(browser, lab, 'overview');
	const before = await headline(page);
	lab.router.running = false;
	await lab.tell('stop_daemon');
	const changed = await page.waitForFunction(text => document.querySelector('.o6-headline').innerText != text, before, { timeout: 8000 }).then(() => true, () => false);
	held('a daemon that stops is said plainly', changed, await headline(page));
	console.log(`         "${(await headline(page)).trim()}"`);
	lab.router.running = true;
	await lab.tell('start_daemon');
	held('the page works on', !faults.length, faults.join('\n'));
	await context.close();
}

async function isAccessible(browser, lab) {
	mkdirSync(pictures, { recursive: true });
	for (const view of VIEWS)
		for (const [name, look] of Object.entries({ wide: {}, 'wide-dark': { dark: true }, narrow: { width: 360, height: 740 }, 'narrow-dark': { width: 360, height: 740, dark: true } })) {
			const { page, context, faults } = await visit(browser, lab, view, look);
			await page.waitForTimeout(700);
			await page.evaluate(axe.source);
			// landmarks are the theme's, and so is what stands around our pages
			const { violations } = await page.evaluate(within => window.axe.run(within, { rules: { region: { enabled: false } } }), process.env.LUCI ? '#view' : 'body');
			const said = violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html.slice(0, 120)).join(' | ')}`);
			held(`${view}, ${name}: axe-core finds nothing`, !said.length, said.join('\n'));
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
			held(`${view}, ${name}: nothing reaches beyond the window`, wide <= 0, `${wide} pixels`);
			held(`${view}, ${name}: no error, and no one else is asked`, !faults.length, faults.join('\n'));
			await page.screenshot({ path: join(pictures, `${view}-${name}.png`), fullPage: true });
			await context.close();
		}
}

async function isQuick(browser, lab) {
	lab.router.substitute.leases = more(200);
	const { page, context } = await open(browser, lab);
	const client = await context.newCDPSession(page);
	const busy = async () => (await client.send('Performance.getMetrics')).metrics.find(({ name }) => name == 'TaskDuration').value * 1000;
	await client.send('Performance.enable');
	await page.goto(url(lab, 'diagnose'));
	await page.waitForSelector('#view > :not(.spinning)');
	await client.send('Emulation.setCPUThrottlingRate', { rate: 6 });
	// (the count begins anew with each page)
	const paint = async view => {
		await page.goto(url(lab, view));
		await page.waitForSelector('#view > :not(.spinning)');
		await page.evaluate(() => new Promise(done => requestAnimationFrame(() => setTimeout(done))));
		return Math.round(await busy());
	};
	// what LuCI itself takes: the same on a page that shows one sentence
	const median = list => list.sort((a, b) => a - b)[list.length >> 1];
	const around = [], whole = [];
	for (let n = 0; n < 3; n++) {
		around.push(await paint('diagnose'));
		whole.push(await paint('overview'));
	}
	console.log(`VALUE luci_page_ms ${median(whole)}`);
	console.log(`VALUE luci_first_paint_ms ${median(whole) - median(around)}`);
	// a poll: what more is done while the page polls than while it does not, for each time that it asked
	const during = async ms => {
		const [time, asked] = [await busy(), lab.rpcd.calls.length];
		await page.waitForTimeout(ms);
		return { time: await busy() - time, polls: lab.rpcd.calls.slice(asked).filter(([, method]) => method == 'status').length };
	};
	const polling = await during(20000);
	await page.evaluate(() => L.Poll.stop());
	const still = await during(20000);
	console.log(`VALUE luci_poll_ms ${((polling.time - still.time) / Math.max(polling.polls, 1)).toFixed(1)}`);
	lab.router.substitute.leases = more(500);
	await page.goto(url(lab, 'overview'));
	await page.waitForFunction(() => document.body.innerText.includes('host-1'));
	const search = page.getByRole('searchbox').first();
	const typed = Date.now();
	await search.fill('host-499');
	const found = await page.waitForFunction(() => document.body.innerText.includes('host-499'), null, { timeout: 3000 }).then(() => true, () => false);
	held('one of 500 leases is found by search within a second', found && Date.now() - typed < 1000, `${Date.now() - typed} ms`);
	delete lab.router.substitute.leases;
	await context.close();
}

const lab = await Lab.start({ program: process.env.OASIS6, luci: process.env.LUCI });
const browser = await launch();
try {
	lab.reset("\nconfig uplink 'isp'\n\toption type 'native'\n\toption device 'wanb'\n");
	await lab.tell('start_daemon');
	await lab.until('uplinks', ({ uplinks }) => uplinks.every(({ state }) => state == 'up'), 30);
	for (const step of [showsTheUplink, hostileNames, sessionEnds, daemonStops, isAccessible, isQuick]) {
		console.log(step.name);
		await step(browser, lab).catch(error => held(step.name, false, error.stack));
	}
}
finally {
	await browser.close();
	await lab.stop();
}
process.exit(failed ? 1 : 0);
