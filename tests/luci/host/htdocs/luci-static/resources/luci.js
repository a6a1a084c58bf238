/* LuCI's base: L with require(), E(), classes, requests, polling, the view. */

((window, document) => {
	'use strict';

	const env = {};
	let classes;

	/* ---- classes: X.extend({ … }), __init__ as constructor, this.super('method', arguments) */

	class Class {
		static extend(members) {
			const Parent = this;
			const Child = function(...args) {
				if (!new.target)
					throw new TypeError('Constructor must not be called without "new"');

				const self = Reflect.construct(Object, [], new.target);
				self.__init__?.(...args);
				return self;
			};

			Child.prototype = Object.create(Parent.prototype);
			for (const [ name, value ] of Object.entries(members))
				Object.defineProperty(Child.prototype, name, { value, writable: true, configurable: true });
			Object.defineProperty(Child.prototype, 'constructor', { value: Child });

			for (const name of [ 'extend', 'singleton', 'instantiate', 'isSubclass' ])
				Child[name] = Class[name];

			return Child;
		}

		static singleton(members, ...args) {
			return this.extend(members).instantiate(args);
		}

		static instantiate(args) {
			return new this(...args);
		}

		static isSubclass(other) {
			return typeof other == 'function' && other.prototype instanceof this;
		}

		/* The next member of that name up the chain, seen from the one that calls: called when there are arguments. */
		super(name, ...args) {
			const depths = this.__super__ ??= Object.defineProperty(this, '__super__', { value: {}, writable: true }).__super__;
			const owners = [];

			for (let at = Object.getPrototypeOf(this); at; at = Object.getPrototypeOf(at))
				if (Object.hasOwn(at, name))
					owners.push(at);

			const depth = (depths[name] ?? 0) + 1;
			const member = owners[depth]?.[name];

			if (!args.length || member == null)
				return member ?? null;

			const list = args.length == 1 && (Array.isArray(args[0]) || Object.prototype.toString.call(args[0]) == '[object Arguments]') ? args[0] : args;

			depths[name] = depth;
			try {
				return member.apply(this, list);
			}
			finally {
				depths[name] = depth - 1;
			}
		}

		varargs(args, offset, ...first) {
			return [ ...first, ...Array.prototype.slice.call(args, offset) ];
		}
	}

	/* ---- the document */

	const dom = {
		elem: value => value != null && typeof value == 'object' && 'nodeType' in value,
		parse: text => new DOMParser().parseFromString(text, 'text/html').body.firstChild,
		matches: (node, selector) => dom.elem(node) && Boolean(node.matches?.(selector)),
		parent: (node, selector) => node?.closest?.(selector) ?? null,

		/* A lone string is markup, as in LuCI; inside a list it is text. */
		append(node, children) {
			if (Array.isArray(children))
				for (const child of children) {
					if (child != null)
						node.appendChild(dom.elem(child) ? child : document.createTextNode(String(child)));
				}
			else if (typeof children == 'function')
				return dom.append(node, children(node));
			else if (dom.elem(children))
				return node.appendChild(children);
			else if (children != null)
				node.innerHTML = String(children);

			return node.lastChild;
		},

		content(node, children) {
			node.querySelectorAll?.('[data-idref]').forEach(inner => data.delete(inner));
			while (node.firstChild)
				node.removeChild(node.firstChild);
			return dom.append(node, children);
		},

		attr(node, key, value) {
			for (const [ name, what ] of Object.entries(typeof key == 'object' && key ? key : { [key]: value })) {
				if (what == null)
					continue;
				if (typeof what == 'function')
					node.addEventListener(name, what);
				else
					node.setAttribute(name, typeof what == 'object' ? JSON.stringify(what) : what);
			}
		},

		create(what, attributes, children) {
			if (Array.isArray(attributes) || dom.elem(attributes) || typeof attributes != 'object')
				[ attributes, children ] = [ null, attributes ];

			let node = what;
			if (Array.isArray(what))
				node = what.reduce((fragment, one) => (fragment.appendChild(dom.create(one)), fragment), document.createDocumentFragment());
			else if (!dom.elem(what))
				node = what.startsWith('<') ? dom.parse(what) : document.createElement(what);

			if (attributes)
				dom.attr(node, attributes);
			dom.append(node, children);
			return node;
		},

		bindClassInstance(node, instance) {
			node.setAttribute('data-idref', 'x');
			data.set(node, instance);
			return instance;
		},

		findClassInstance(node) {
			for (; node; node = node.parentNode)
				if (data.has(node))
					return data.get(node);
			return null;
		},

		callClassMethod(node, method, ...args) {
			const instance = dom.findClassInstance(node);
			return typeof instance?.[method] == 'function' ? instance[method](...args) : null;
		},

		isEmpty: (node, ignore) => [ ...node?.children ?? [] ].every(child => child.classList.contains('hidden') || ignore?.(child))
	};
	const data = new WeakMap();

	window.E = dom.create;

	/* ---- requests; calls of one frame go out together */

	class Response {
		constructor(xhr, content) {
			this.ok = xhr.status >= 200 && xhr.status <= 299;
			this.status = xhr.status;
			this.statusText = xhr.statusText;
			this.xhr = xhr;
			this.headers = { get: name => xhr.getResponseHeader(name), has: name => xhr.getResponseHeader(name) != null };
			this.content = content;
			this.url = xhr.responseURL;
		}

		json() {
			return this.content ?? JSON.parse(this.xhr.responseText);
		}

		text() {
			return this.content != null ? JSON.stringify(this.content) : this.xhr.responseText;
		}
	}

	let queue = [];

	function flush() {
		const calls = queue;
		queue = [];
		request.request(env.ubuspath, { ...calls[0].options, content: calls.map(({ options }) => options.content), nobatch: true }).then(reply => {
			const answers = reply.json();
			calls.forEach(({ resolve }, index) => resolve(new Response(reply.xhr, answers[index])));
		}).catch(error => calls.forEach(({ reject }) => reject(error)));
	}

	const request = {
		interceptors: [],

		expandURL: url => /^([^/]+:)?\/\//.test(url) ? url : `${location.protocol}//${location.host}${url}`,

		request(url, options = {}) {
			return new Promise((resolve, reject) => {
				const method = (options.method ?? 'GET').toUpperCase();

				if (method == 'POST' && typeof options.content == 'object' && !options.nobatch && url.startsWith(env.ubuspath)) {
					if (!queue.length)
						requestAnimationFrame(flush);
					queue.push({ options, resolve, reject });
					return;
				}

				const query = Object.entries(options.query ?? {}).filter(([ , value ]) => value != null)
					.map(([ name, value ]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
				if (!options.cache)
					query.push(Date.now());

				const xhr = new XMLHttpRequest();
				xhr.open(method, url + (query.length ? `${url.includes('?') ? '&' : '?'}${query.join('&')}` : ''));
				if (options.timeout)
					xhr.timeout = options.timeout;
				xhr.onload = () => {
					const response = new Response(xhr);
					Promise.all(request.interceptors.map(fn => fn(response))).then(() => resolve(response), reject);
				};
				xhr.onerror = () => reject(new Error('XHR request aborted by browser'));
				xhr.ontimeout = () => reject(new Error('XHR request timed out'));

				const json = options.content != null && typeof options.content == 'object';
				if (json)
					xhr.setRequestHeader('Content-Type', 'application/json');
				xhr.send(json ? JSON.stringify(options.content) : options.content);
			});
		},

		get: (url, options) => request.request(url, { method: 'GET', ...options }),
		post: (url, content, options) => request.request(url, { method: 'POST', content, ...options }),
		addInterceptor: fn => (request.interceptors.push(fn), fn)
	};

	/* ---- polling */

	const poll = {
		queue: [],

		add(fn, interval) {
			if (typeof fn != 'function')
				throw new TypeError('Invalid argument to LuCI.poll.add()');
			if (poll.queue.some(entry => entry.fn === fn))
				return false;
			poll.queue.push({ fn, every: (interval || env.pollinterval) >>> 0, ready: true });
			if (poll.tick != null && !poll.active())
				poll.start();
			return true;
		},

		remove(fn) {
			const before = poll.queue.length;
			poll.queue = poll.queue.filter(entry => entry.fn !== fn);
			if (!poll.queue.length && poll.stop())
				poll.tick = 0;
			return poll.queue.length != before;
		},

		start() {
			if (poll.active())
				return false;
			poll.tick = 0;
			if (poll.queue.length) {
				poll.timer = window.setInterval(poll.step, 1000);
				poll.step();
				document.dispatchEvent(new CustomEvent('poll-start'));
			}
			return true;
		},

		stop() {
			if (!poll.active())
				return false;
			document.dispatchEvent(new CustomEvent('poll-stop'));
			window.clearInterval(poll.timer);
			delete poll.timer;
			delete poll.tick;
			return true;
		},

		step() {
			for (const entry of poll.queue)
				if (poll.tick % entry.every == 0 && entry.ready) {
					entry.ready = false;
					Promise.resolve(entry.fn()).finally(() => { entry.ready = true; });
				}
			poll.tick++;
		},

		active: () => poll.timer != null
	};
	request.poll = poll;

	/* ---- what a tab of the browser remembers while it is logged in */

	const session = {
		getID: () => env.sessionid,
		getToken: () => env.token,
		all: () => JSON.parse(window.sessionStorage.getItem('luci-session-store') ?? '{}')[env.sessionid] ?? {},
		getLocalData: key => key == null ? session.all() : session.all()[key] ?? null,
		setLocalData(key, value) {
			window.sessionStorage.setItem('luci-session-store', JSON.stringify({ [env.sessionid]: { ...session.all(), [key]: value } }));
			return true;
		}
	};

	/* ---- a page's view */

	const View = Class.extend({
		__init__() {
			const place = document.getElementById('view');
			const loaded = L.loaded ? Promise.resolve() : new Promise(resolve => document.addEventListener('luci-loaded', resolve, { once: true }));

			dom.content(place, E('div', { 'class': 'spinning' }, _('Loading view…')));

			return void loaded.then(() => this.load()).then(loaded => this.render(loaded)).then(nodes => {
				dom.content(place, nodes);
				dom.append(place, this.addFooter());
			}).catch(L.error);
		},

		load() {},

		render() {},

		maps() {
			return [ ...document.getElementById('maincontent').querySelectorAll('.cbi-map') ];
		},

		handleSave() {
			return Promise.all(this.maps().map(map => dom.callClassMethod(map, 'save')));
		},

		handleSaveApply(ev, mode) {
			return this.handleSave(ev).then(() => classes.ui.changes.apply(mode == '0'));
		},

		handleReset() {
			return Promise.all(this.maps().map(map => dom.callClassMethod(map, 'reset')));
		},

		addFooter() {
			const { ui } = classes;
			const maps = this.maps().map(dom.findClassInstance).filter(Boolean);
			const readonly = (maps.length ? maps.every(map => map.readonly) : !L.hasViewPermission()) || null;
			const button = (fn, name, title) => this[fn] ? E('button', {
				'class': `cbi-button cbi-button-${name}`, 'click': ui.createHandlerFn(this, fn), 'disabled': readonly
			}, [ title ]) : '';

			if (!this.handleSaveApply && !this.handleSave && !this.handleReset)
				return E([]);

			return E('div', { 'class': 'cbi-page-actions' }, [
				this.handleSaveApply ? new ui.ComboButton('0', { 0: [ _('Save & Apply') ], 1: [ _('Apply unchecked') ] }, {
					classes: { 0: 'btn cbi-button cbi-button-apply important', 1: 'btn cbi-button cbi-button-negative important' },
					click: ui.createHandlerFn(this, 'handleSaveApply'), disabled: readonly
				}).render() : '', ' ',
				button('handleSave', 'save', _('Save')), ' ', button('handleReset', 'reset', _('Reset'))
			]);
		}
	});

	/* ---- L */

	const collator = new Intl.Collator(undefined, { numeric: true });
	const loading = {};
	classes = { baseclass: Class, dom, poll, request, session, view: View };

	const LuCI = Class.extend({
		__init__(given) {
			Object.assign(env, given, { base_url: given.resource });
			window.L = this;

			Promise.all([
				new Promise(resolve => document.addEventListener('DOMContentLoaded', resolve)),
				this.require('ui'), this.require('rpc'), this.require('form')
			]).then(([ , ui, rpc ]) => {
				rpc.addInterceptor((message, call) => {
					if (message?.error?.code != -32002 || (call.object == 'session' && call.method == 'access'))
						return;
					return rpc.declare({ object: 'session', method: 'access', params: [ 'scope', 'object', 'function' ], expect: { access: true } })('uci', 'luci', 'read')
						.catch(() => this.notifySessionExpiry());
				});
				request.addInterceptor(response => {
					if (response.status == 403 && response.headers.get('X-LuCI-Login-Required') == 'yes')
						this.notifySessionExpiry();
				});
				document.addEventListener('poll-start', () => ui.showIndicator('poll-status', _('Refreshing'), () => poll.active() ? poll.stop() : poll.start()));
				document.addEventListener('poll-stop', () => ui.showIndicator('poll-status', _('Paused'), null, 'inactive'));
				this.loaded = true;
				poll.start();
				document.dispatchEvent(new CustomEvent('luci-loaded'));
			}).catch(this.error);
		},

		loaded: false,
		env, dom, view: View, Poll: poll, Request: request, Class,

		/* A module with the modules that its first lines require, called with them. */
		require(name, from = []) {
			if (from.includes(name))
				L.raise('DependencyError', 'Circular dependency: %s', [ ...from, name ].join(' → '));
			if (classes[name])
				return Promise.resolve(classes[name]);

			return loading[name] ??= request.get(`${env.base_url}/${name.replace(/\./g, '/')}.js`, { cache: true }).then(response => {
				if (!response.ok)
					L.raise('NetworkError', 'HTTP error %d while loading class file "%s"', response.status, name);

				const source = response.text();
				const head = /^(?:\s*(?:\/\*[^]*?\*\/|\/\/.*\n|'(?:use strict|require [^']+)';))*/.exec(source)[0].replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
				const needs = [ ...head.matchAll(/'require +(\S+?)(?: +as +(\w+))?';/g) ].map(([ , module, alias ]) => ({ module, alias: alias ?? module.replace(/\W/g, '_') }));

				return Promise.all(needs.map(({ module }) => L.require(module, [ ...from, name ]))).then(modules => {
					const made = new Function('window', 'document', 'L', ...needs.map(({ alias }) => alias), `${source}\n//# sourceURL=${response.url}`)
						.call({}, window, document, L, ...modules);

					if (!Class.isSubclass(made))
						L.raise('TypeError', '"%s" factory yields invalid constructor', name);

					return (classes[name] = new made());
				});
			});
		},

		raise(type, text, ...values) {
			const error = type instanceof Error ? type : new (window[type ?? 'Error'] ?? Error)((text ?? 'Unspecified error').format(...values));
			if (!(type instanceof Error))
				error.name = type ?? 'Error';
			throw error;
		},

		error(type, ...rest) {
			try {
				L.raise(type, ...rest);
			}
			catch (error) {
				if (!error.reported)
					classes.ui?.addNotification(error.name || _('Runtime error'), E('pre', {}, [ error.message ]), 'danger');
				error.reported = true;
				throw error;
			}
		},

		notifySessionExpiry() {
			poll.stop();
			classes.ui.showModal(_('Session expired'), [
				E('div', { 'class': 'alert-message warning' }, [ _('A new login is required since the authentication session expired.') ]),
				E('div', { 'class': 'right' }, [
					E('div', { 'class': 'btn primary', 'click': () => { window.location = location.pathname + location.search; } }, [ _('Log in…') ])
				])
			]);
			L.raise('SessionError', 'Login session is expired');
		},

		bind: (fn, self, ...args) => fn.bind(self, ...args),
		isObject: value => value != null && typeof value == 'object',
		isArguments: value => Object.prototype.toString.call(value) == '[object Arguments]',
		naturalCompare: collator.compare,
		sortedKeys: (object, key) => Object.keys(object ?? {}).sort((a, b) => collator.compare(key ? object[a][key] : a, key ? object[b][key] : b)),
		sortedArray: value => [ ...L.toArray(value) ].sort(collator.compare),

		toArray(value) {
			if (value == null)
				return [];
			if (Array.isArray(value))
				return value;
			return typeof value == 'object' ? [ value ] : String(value).trim().split(/\s+/).filter(Boolean);
		},

		resolveDefault: (promise, value) => Promise.resolve(promise).catch(() => value),
		path: (prefix, parts) => [ prefix, ...parts.flat() ].join('/'),
		url: (...parts) => L.path(env.scriptname, parts),
		resource: (...parts) => L.path(env.resource, parts),
		media: (...parts) => L.path(env.media, parts),
		location: () => L.path(env.scriptname, env.requestpath),
		hasViewPermission: () => env.nodespec?.satisfied ? !env.nodespec.readonly : null,
		hasSystemFeature: () => true
	});

	window.LuCI = LuCI;
})(window, document);
