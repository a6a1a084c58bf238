// Debian's chromium, and what a page did in it.
import { chromium } from 'playwright-core';

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });

// A tab that is logged in. `faults` collects what no page may do: errors, messages on the console, requests elsewhere.
export async function open(browser, lab, { width = 1280, height = 900, dark = false, language = 'en' } = {}) {
	const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', locale: language, reducedMotion: 'reduce' });
	const page = await context.newPage();
	const faults = [];
	page.on('console', message => {
		if (['error', 'warning'].includes(message.type()))
			faults.push(`console: ${message.text()} (${message.location().url})`);
	});
	page.on('pageerror', error => faults.push(`error: ${error.stack ?? error}`));
	page.on('request', request => {
		if (!request.url().startsWith(lab.origin) && !/^(data|blob):/.test(request.url()))
			faults.push(`asks another origin: ${request.url()}`);
	});
	await log_in(context, lab);
	return { context, page, faults };
}

export async function log_in(context, lab) {
	await context.addCookies([{ name: 'sysauth_http', value: lab.rpcd.login(), url: lab.origin }]);
}

export const url = (lab, view) => `${lab.origin}/cgi-bin/luci/admin/network/oasis6/${view}`;
