// LuCI's own settings for its JavaScript, and the same rules for what runs in node.
import js from '@eslint/js';
import json from '@eslint/json';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';

const rules = {
	'strict': 0,
	'no-prototype-builtins': 0,
	'no-empty': 0,
	'no-undef': 'error',
	'no-unused-vars': [ 'error', { args: 'none', caughtErrors: 'none' } ],
	'no-regex-spaces': 0,
	'no-control-regex': 0,
};
const provided = [ '_', 'N_', 'L', 'E', 'TR', 'baseclass', 'dom', 'firewall', 'form', 'fs', 'network', 'poll', 'request', 'session', 'rpc', 'uci', 'ui',
	'validation', 'view', 'widgets' ];

export default defineConfig([
	globalIgnores([ '**/node_modules' ]),
	{
		files: [ '**/*.json' ],
		ignores: [ '**/package-lock.json' ],
		plugins: { json },
		language: 'json/json',
		extends: [ 'json/recommended' ],
	},
	{
		// a module's `'require x as y'` gives it a variable y
		files: [ '**/htdocs/**/*.js' ],
		plugins: { js },
		extends: [ 'js/recommended' ],
		languageOptions: {
			sourceType: 'script',
			ecmaVersion: 2026,
			parserOptions: { ecmaFeatures: { globalReturn: true } },
			globals: { ...globals.browser, ...Object.fromEntries([ ...provided, 'daemon', 'draw', 'schema', 'table', 'words', 'values', 'sections', 'element' ].map(name => [ name, 'readonly' ])) },
		},
		rules,
	},
	{
		files: [ '**/cbi.js' ],
		rules: { 'no-unused-vars': 'off', 'no-redeclare': 'off' },
	},
	{
		files: [ '**/*.mjs' ],
		plugins: { js },
		extends: [ 'js/recommended' ],
		languageOptions: { sourceType: 'module', ecmaVersion: 2026, globals: { ...globals.node, ...globals.browser } },
		rules,
	},
]);
