// serve.mjs : the lab and the app's pages until Ctrl-C, for development. PORT=8600, LUCI=/path/to/a/checkout/of/luci,
// OASIS6=path of the program, APP=folder of the app, PAGE_LANGUAGE=de. What is typed goes to lab.sh as a command.
import { createInterface } from 'node:readline';
import { Lab } from './server/lab.mjs';

const lab = await Lab.start({ program: process.env.OASIS6, luci: process.env.LUCI, app: process.env.APP, language: process.env.PAGE_LANGUAGE,
	port: Number(process.env.PORT ?? 8600) });
await lab.tell('start_daemon');
console.log(`${lab.origin}/cgi-bin/luci/admin/services/oasis6 configuration: ${lab.configs} broker: ${lab.broker4}:51820 ${lab.broker_key} ${lab.prefix}`);
const stop = async () => {
	await lab.stop();
	process.exit();
};
process.on('SIGINT', stop).on('SIGTERM', stop);
createInterface(process.stdin).on('line', line => lab.tell(...line.split(' ')).then(console.log, error => console.log(error.message)));
