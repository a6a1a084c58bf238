// Translations: .po files, and the table that a page gets of them.
import { readFileSync } from 'node:fs';

// msgid → msgstr; a context is put before the msgid with \x01, as LuCI does.
export function read(path) {
	const entries = new Map();
	let entry = {}, key = null;
	const close = () => {
		if (entry.msgid)
			entries.set(entry.msgctxt != null ? `${entry.msgid}\x01${entry.msgctxt}` : entry.msgid, entry.msgstr ?? '');
		entry = {};
	};
	for (const line of `${readFileSync(path, 'utf8')}\n`.split('\n')) {
		const m = /^(?:(msgid|msgstr|msgctxt|msgid_plural)(?:\[(\d+)\])? )?"(.*)"$/.exec(line);
		if (m?.[1]) {
			if (m[1] == 'msgctxt' || (m[1] == 'msgid' && entry.msgid != null))
				close();
			key = m[2] > 0 ? `${m[1]}[${m[2]}]` : m[1];
		}
		if (m)
			entry[key] = (entry[key] ?? '') + JSON.parse(`"${m[3]}"`);
		else if (!line.startsWith('#'))
			close();
	}
	return entries;
}

// Paul Hsieh's SuperFastHash, by which LuCI's pages look their texts up.
export function hash(text) {
	const bytes = Buffer.from(text);
	let h = bytes.length;
	let at = 0;
	for (; bytes.length - at >= 4; at += 4) {
		h = (h + bytes.readUInt16LE(at)) >>> 0;
		h = ((h << 16) ^ (bytes.readUInt16LE(at + 2) << 11) ^ h) >>> 0;
		h = (h + (h >>> 11)) >>> 0;
	}
	const rest = bytes.length - at;
	if (rest == 3) {
		h = (h + bytes.readUInt16LE(at)) >>> 0;
		h = (h ^ (h << 16) ^ (bytes.readInt8(at + 2) << 18)) >>> 0;
		h = (h + (h >>> 11)) >>> 0;
	}
	else if (rest == 2) {
		h = (h + bytes.readUInt16LE(at)) >>> 0;
		h = (h ^ (h << 11)) >>> 0;
		h = (h + (h >>> 17)) >>> 0;
	}
	else if (rest == 1) {
		h = (h + bytes.readInt8(at)) >>> 0;
		h = (h ^ (h << 10)) >>> 0;
		h = (h + (h >>> 1)) >>> 0;
	}
	h = (h ^ (h << 3)) >>> 0;
	h = (h + (h >>> 5)) >>> 0;
	h = (h ^ (h << 4)) >>> 0;
	h = (h + (h >>> 17)) >>> 0;
	h = (h ^ (h << 25)) >>> 0;
	return (h + (h >>> 6)) >>> 0;
}

// The script that a page loads before all others.
export function script(paths) {
	const table = {};
	for (const path of paths)
		for (const [id, text] of read(path))
			if (text)
				table[hash(id).toString(16).padStart(8, '0')] = text;
	return `window.TR=${JSON.stringify(table)};`;
}
