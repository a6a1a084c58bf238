// shoot.mjs FOLDER [VIEW...] : pictures of the app's pages with a router at work, light and dark, wide and narrow.
// OASIS6=path of the program, LUCI=checkout of LuCI, APP=folder of the app, PAGE_LANGUAGE=de.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch, open, url } from './browser.mjs';
import { Lab } from './server/lab.mjs';

const [folder = 'target/luci', ...views] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const lab = await Lab.start({ program: process.env.OASIS6, luci: process.env.LUCI, app: process.env.APP, language: process.env.PAGE_LANGUAGE });
const browser = await launch();
try {
	lab.reset(`
config uplink 'home'
	option type 'static'
	option device 'wg0'
	option gateway '${lab.gateway}'
	list prefix '${lab.prefix}'

config uplink 'isp'
	option type 'native'
	option device 'wanb'
`);
	await lab.tell('start_daemon');
	await lab.until('uplinks', ({ uplinks }) => uplinks.every(uplink => uplink.state == 'up'), 20);
	for (const view of views.length ? views : ['overview', 'settings', 'diagnose'])
		for (const [name, look] of Object.entries({ wide: {}, 'wide-dark': { dark: true }, narrow: { width: 360, height: 740 },
			'narrow-dark': { width: 360, height: 740, dark: true } })) {
			const { page, context, faults } = await open(browser, lab, look);
			await page.goto(url(lab, view));
			await page.waitForSelector('#view > :not(.spinning)');
			await page.waitForTimeout(1500);
			await page.screenshot({ path: join(folder, `${view}-${name}.png`), fullPage: true });
			console.log(`${view}-${name}.png ${faults.join('\n')}`);
			await context.close();
		}
}
finally {
	await browser.close();
	await lab.stop();
}
