'use strict';

/* What LuCI's cbi.js gives to all scripts of a page: translation and format(). This host page keeps the contracts of
   LuCI's modules that our views use, no more; whatever else a view asks of them is an error, not a guess. */

function trimws(text) {
	return String(text).trim().replace(/\s+/g, ' ');
}

/* Paul Hsieh's hash of the UTF-8 bytes, as eight digits: the server's table of translations has it for keys. */
function sfh(text) {
	const bytes = new TextEncoder().encode(text);
	const word = at => bytes[at] | bytes[at + 1] << 8;
	const signed = at => bytes[at] << 24 >> 24;
	const rest = bytes.length & 3;
	let h = bytes.length, at = 0;

	if (!bytes.length)
		return null;

	for (; at + 4 <= bytes.length; at += 4) {
		h = h + word(at) | 0;
		h = h << 16 ^ word(at + 2) << 11 ^ h;
		h = h + (h >>> 11) | 0;
	}

	if (rest == 3) {
		h = h + word(at) | 0;
		h ^= h << 16;
		h ^= signed(at + 2) << 18;
		h = h + (h >>> 11) | 0;
	}
	else if (rest == 2) {
		h = h + word(at) | 0;
		h ^= h << 11;
		h = h + (h >>> 17) | 0;
	}
	else if (rest == 1) {
		h = h + signed(at) | 0;
		h ^= h << 10;
		h = h + (h >>> 1) | 0;
	}

	h ^= h << 3;
	h = h + (h >>> 5) | 0;
	h ^= h << 4;
	h = h + (h >>> 17) | 0;
	h ^= h << 25;
	h = h + (h >>> 6) | 0;

	return (h >>> 0).toString(16).padStart(8, '0');
}

function _(text, context) {
	const key = (context != null ? `${trimws(context)}\u0001` : '') + trimws(text);
	return window.TR?.[sfh(key)] || text;
}

function N_(count, one, many, context) {
	const index = count == 1 ? 0 : 1;
	const key = `${context != null ? `${trimws(context)}\u0001` : ''}${trimws(one)}\u0002${index}`;
	return window.TR?.[sfh(key)] || (index ? many : one);
}

/* %s %d %f %x %X %h %q %t %m %%, with width, precision and padding. */
String.prototype.format = function(...values) {
	const entity = c => `&#${c.charCodeAt(0)};`;
	const length = seconds => {
		const parts = [ seconds % 60 | 0, (seconds / 60 | 0) % 60, (seconds / 3600 | 0) % 24, seconds / 86400 | 0 ];
		return `${parts[3] ? `${parts[3]}d ` : ''}${parts[2]}h ${parts[1]}m ${parts[0]}s`;
	};
	const size = (value, base, precision) => {
		let unit = 0;
		for (; value >= base && unit < 5; unit++)
			value /= base;
		return `${value.toFixed(precision)} ${[ '', 'K', 'M', 'G', 'T', 'P' ][unit]}${unit && base == 1024 ? 'i' : ''}`;
	};

	return this.replace(/%('.|0|\x20)?(-)?(\d+)?(?:\.(\d+))?([%bcdufosxXqhjtm])/g, (whole, pad, left, width, precision, kind) => {
		if (kind == '%')
			return '%';
		if (!values.length)
			return whole;

		const value = values.shift();
		const made = {
			d: () => Math.floor(+value || 0).toFixed(0), u: () => Math.floor(+value || 0).toFixed(0),
			f: () => precision != null ? (+value || 0).toFixed(precision) : String(+value || 0),
			x: () => Math.floor(+value || 0).toString(16), X: () => Math.floor(+value || 0).toString(16).toUpperCase(),
			b: () => Math.floor(+value || 0).toString(2), o: () => Math.floor(+value || 0).toString(8), c: () => String.fromCharCode(+value || 0),
			h: () => value == null || typeof value == 'object' ? '' : String(value).replace(/[&"'<>]/g, entity),
			q: () => value == null ? '' : String(value).replace(/["']/g, entity),
			t: () => length(+value || 0), m: () => size(+value || 0, +width || 1000, precision ?? 2), j: () => JSON.stringify(value),
			s: () => String(value)
		}[kind]();

		if (kind == 'm' || !width)
			return made;

		const fill = (pad?.slice(-1) ?? ' ').repeat(Math.max(0, width - made.length));
		return left ? made + fill : fill + made;
	});
};

String.format = (text, ...values) => text.format(...values);

/* LuCI's page calls it when all is loaded; there is nothing here that it could do. */
function cbi_init() {}
