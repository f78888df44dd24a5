import { openData } from '../../src/gateway/data.ts';

/** Takes a data directory, says so in a line with its token, and stays until it is killed. */
const [path, address] = process.argv.slice(2) as [string, string | undefined];
const data = openData(path);
if (address) data.setAddress(address);
process.stdout.write(`${data.token}\n`);
setInterval(() => {}, 1e6);
