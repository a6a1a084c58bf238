// A web server that gives the app's pages to a browser: on our own host page, or on a checkout of LuCI (`luci`), whose
// scripts and theme it then serves unchanged. LuCI's templates, which a router runs in ucode, are played by `page`.
import { createServer } from 'node:http';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { script } from './po.mjs';

const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png', '.json': 'application/json' };
const CGI = '/cgi-bin/luci';
const here = import.meta.dirname;

// A folder's menu.d files, as the tree that LuCI's menu is drawn from.
function menu(folders) {
	const root = { children: {} };
	for (const folder of folders.filter(existsSync))
		for (const file of readdirSync(folder))
			for (const [path, node] of Object.entries(JSON.parse(readFileSync(join(folder, file), 'utf8')))) {
				let at = root;
				for (const name of path.split('/').filter(name => name != '*'))
					at = ((at.children ??= {})[name] ??= { satisfied: true, readonly: false });
				Object.assign(at, node, { satisfied: true, wildcard: path.endsWith('/*') });
			}
	return root;
}

const inOrder = children => Object.entries(children ?? {}).filter(([, node]) => node.title && node.action)
	.sort(([, a], [, b]) => (a.order ?? 100) - (b.order ?? 100));

// The page at a path: its own, or the one that an alias or a folder leads to.
function find(tree, path) {
	let node = tree;
	for (const name of path)
		node = node?.children?.[name];
	for (; node && node.action?.type != 'view'; node = node.children?.[path.at(-1)])
		if (node.action?.type == 'alias')
			return find(tree, node.action.path.split('/'));
		else if (node.action?.type == 'firstchild' && node.children)
			path = [...path, inOrder(node.children)[0]?.[0]];
		else
			return null;
	return node && { node, path };
}

export class Pages {
	// app: folder of the app (luci-app); luci: a checkout of LuCI, or nothing; po: files of translations
	constructor({ app, luci, rpcd, po = [], language = 'en' }) {
		const modules = luci ? ['modules/luci-base', 'themes/luci-theme-bootstrap'].map(part => join(luci, part)) : [];
		Object.assign(this, { rpcd, po, language, failing: new Set() });
		this.roots = [join(app, 'htdocs'), ...(luci ? modules.map(module => join(module, 'htdocs')) : [join(here, '../host/htdocs')])];
		this.menu = menu([...(luci ? [join(modules[0], 'root/usr/share/luci/menu.d')] : [join(here, '../host/menu.d')]),
			join(app, 'root/usr/share/luci/menu.d')]);
		this.server = createServer((request, response) => this.#serve(request, response).catch(error => {
			console.error(error);
			response.writeHead(500).end();
		}));
	}

	async listen(port = 0) {
		await new Promise(done => this.server.listen(port, '127.0.0.1', done));
		this.origin = `http://127.0.0.1:${this.server.address().port}`;
		return this.origin;
	}

	close() {
		this.rpcd.stop();
		this.server.closeAllConnections();
		this.server.close();
	}

	async #serve(request, response) {
		const url = new URL(request.url, this.origin);
		let body = '';
		for await (const piece of request)
			body += piece;
		const send = (text, type = 'application/json', status = 200, headers = {}) =>
			response.writeHead(status, { 'Content-Type': `${type}; charset=UTF-8`, ...headers }).end(text);
		if (url.pathname.startsWith('/ubus') || url.pathname.startsWith(`${CGI}/admin/ubus`)) {
			const asked = JSON.parse(body);
			const answer = Array.isArray(asked) ? await Promise.all(asked.map(one => this.rpcd.answer(one))) : await this.rpcd.answer(asked);
			return send(JSON.stringify(answer));
		}
		if (url.pathname == '/')
			return send('', 'text/plain', 302, { Location: `${CGI}/` });
		if (!url.pathname.startsWith(CGI))
			return this.#file(url.pathname, send, response);
		const path = url.pathname.slice(CGI.length).split('/').filter(Boolean);
		if (path[1] == 'translations')
			return send(script(this.po.filter(existsSync)), 'text/javascript');
		const session = /sysauth_http=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
		if (!this.rpcd.knows(session))
			return this.#login(body, path, send);
		if (path[1] == 'menu')
			return send(JSON.stringify(this.menu));
		if (path[1] == 'uci')
			return this.#uci(path[2], session, new URLSearchParams(body).get('token') ?? url.searchParams.get('token'), send);
		const found = find(this.menu, path);
		if (!found)
			return send('Not found', 'text/plain', 404);
		return send(this.page({ session, path, found }), 'text/html');
	}

	#file(path, send, response) {
		const file = this.roots.map(root => join(root, normalize(path))).find(name => existsSync(name) && statSync(name).isFile());
		if (!file)
			return send('Not found', 'text/plain', 404);
		response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Cache-Control': 'no-cache' });
		return response.end(readFileSync(file));
	}

	#login(body, path, send) {
		if (new URLSearchParams(body).has('luci_password'))
			return send('', 'text/plain', 302, { Location: `${CGI}/${path.join('/')}`,
				'Set-Cookie': `sysauth_http=${this.rpcd.login()}; path=${CGI}/; SameSite=strict; HttpOnly` });
		return send(`<!DOCTYPE html><html lang="en"><title>Login</title><form method="post"><label>Username
			<input name="luci_username" value="root"></label><label>Password <input type="password" name="luci_password"></label>
			<button>Log in</button></form></html>`, 'text/html', 403, { 'X-LuCI-Login-Required': 'yes' });
	}

	async #uci(action, session, token, send) {
		const nothing = () => send('', 'text/plain', 204);
		switch (action) {
			case 'apply_rollback':
				this.token = `t${Date.now()}`;
				return await this.rpcd.apply(session, true) ? send(JSON.stringify({ token: this.token })) : nothing();
			case 'apply_unchecked':
				// (204 for success too: there is nothing left that ubus could say)
				await this.rpcd.apply(session, false);
				return nothing();
			case 'confirm':
				if (token != this.token)
					return send('Permission denied', 'text/plain', 403);
				return this.rpcd.confirm() ? send('OK', 'text/plain') : nothing();
			case 'revert':
				this.rpcd.revert(session);
				return send('OK', 'text/plain');
		}
		return send('Not found', 'text/plain', 404);
	}

	// What LuCI's header.ut, view.ut and footer.ut print with the theme Bootstrap.
	page({ session, path, found }) {
		const env = { media: '/luci-static/bootstrap', resource: '/luci-static/resources', scriptname: CGI, pathinfo: `/${path.join('/')}`,
			documentroot: '/www', requestpath: path, dispatchpath: found.path, pollinterval: 5, ubuspath: '/ubus/', sessionid: session,
			token: `csrf${session}`, nodespec: found.node, apply_rollback: this.rpcd.rollback, apply_holdoff: 1, apply_timeout: 5, apply_display: 1.5 };
		return `<!DOCTYPE html>
<html lang="${this.language}">
	<head>
		<meta charset="utf-8">
		<title>OpenWrt | ${found.node.title ?? ''}</title>
		<script>
			var mediaQuery = window.matchMedia('(prefers-color-scheme: dark)'), rootElement = document.querySelector(':root'),
				setDarkMode = function(match) { rootElement.setAttribute('data-darkmode', match.matches) };
			mediaQuery.addEventListener('change', setDarkMode);
			setDarkMode(mediaQuery);
		</script>
		<meta name="viewport" content="width=device-width, initial-scale=1">
		<link rel="stylesheet" href="${env.media}/cascade.css">
		<link rel="stylesheet" media="only screen and (max-device-width: 854px)" href="${env.media}/mobile.css">
		<link rel="icon" href="${env.media}/logo.svg" sizes="any">
		${found.node.css ? `<link rel="stylesheet" href="${env.resource}/${found.node.css}">` : ''}
		<script src="${CGI}/admin/translations/${this.language}"></script>
		<script src="${env.resource}/cbi.js"></script>
	</head>
	<body class="lang_${this.language} ${found.node.title ?? ''}" data-page="${found.path.join('-')}">
		<header>
			<a class="brand" href="/">OpenWrt</a>
			<ul class="nav" id="topmenu" style="display:none"></ul>
			<div id="indicators" class="pull-right"></div>
		</header>
		<div id="maincontent" class="container">
			<div id="tabmenu" style="display:none"></div>
			<script src="${env.resource}/luci.js"></script>
			<script>L = new LuCI(${JSON.stringify(env).replace(/</g, '\\u003c')});</script>
			<div id="view">
				<div class="spinning">Loading view…</div>
				<script>L.require('ui').then(function(ui) { ui.instantiateView('${found.node.action.path}'); });</script>
			</div>
		</div>
		<footer>
			<span>LuCI</span>
			<ul class="breadcrumb pull-right" id="modemenu" style="display:none"></ul>
		</footer>
		<script>L.require('menu-bootstrap')</script>
	</body>
</html>`;
	}
}
